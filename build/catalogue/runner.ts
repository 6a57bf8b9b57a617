import { type Failure, failuresOf } from './failure.ts';

const WORKFLOW = '.github/workflows/release.yml';

/**
 * What GitHub Actions says about the job around a release.
 *
 * The texts are its own, from public reports and its toolkit's source.
 */
export const RUNNER_FAILURES: readonly Failure[] = failuresOf('github-actions', [
  [
    'ci-security-exit-1',
    'error',
    "The process '/usr/bin/security' failed with exit code 1",
    'An action hides which call to security failed; most often the certificate is not what it should be.',
    'maintainer',
    'npm run -s cli -- doctor',
    WORKFLOW,
  ],
  [
    'ci-input-missing',
    'error',
    'Input required and not supplied',
    'A secret is empty: not set, named otherwise, kept in another environment, or withheld from a fork.',
    'maintainer',
    'gh secret list --env signing; gh secret list --env notary',
    WORKFLOW,
  ],
  [
    'ci-waiting-for-runner',
    'wait',
    'Waiting for a runner to pick up this job',
    'No runner with this label is free, or there is none any more. It waits for a day without turning red.',
    'runner',
    'gh run cancel "$RUN_ID"',
    WORKFLOW,
  ],
  [
    'ci-hosted-runner',
    'error',
    'Job is waiting for a hosted runner to come online',
    'The image this job asks for was withdrawn.',
    'runner',
    'gh run view "$RUN_ID"',
    WORKFLOW,
  ],
  [
    'ci-completed-before-starting',
    'error',
    'Job is completed before starting',
    'The image this job asks for was withdrawn.',
    'maintainer',
    'grep -rn runs-on .github/workflows',
    WORKFLOW,
  ],
  [
    'ci-id-token',
    'error',
    'Unable to get ACTIONS_ID_TOKEN_REQUEST_URL env variable',
    'The job has no permission id-token: write, or runs for a fork.',
    'maintainer',
    'grep -n id-token .github/workflows/release.yml',
    WORKFLOW,
  ],
  [
    'ci-attest-permission',
    'error',
    'Failed to persist attestation: Resource not accessible by integration',
    'The job has no permission attestations: write.',
    'maintainer',
    'grep -n attestations .github/workflows/release.yml',
    WORKFLOW,
  ],
  [
    'ci-attest-server-error',
    'error',
    'Failed to persist attestation: Server Error',
    'GitHub has a fault, or this kind of repository has no attestations.',
    'runner',
    'gh run rerun "$RUN_ID" --failed',
    WORKFLOW,
  ],
  [
    'ci-unsigned-artefact-green',
    'silent',
    '',
    'The run is green and yet what was uploaded is unsigned: steps were skipped after a runner label changed.',
    'maintainer',
    'npm run -s cli -- verify "$PKG"',
    WORKFLOW,
  ],
]);
