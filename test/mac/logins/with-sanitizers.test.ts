import { sanitizers } from '../../plugin/source.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('native', { ...sanitizers, missing: sanitizers.missing || process.platform !== 'linux' });
