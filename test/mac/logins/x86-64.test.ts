import { canRun } from '../login-host/host.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('x86_64', canRun('x86_64'));
