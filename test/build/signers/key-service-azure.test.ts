import { asksKeysIn } from './key-service-tests.ts';

asksKeysIn('azure');
