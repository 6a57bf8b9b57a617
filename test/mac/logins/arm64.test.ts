import { canRun } from '../login-host/host.ts';
import { describeScenarios } from './scenarios.ts';

describeScenarios('arm64', canRun('arm64'));
