// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { RELEASE_JOBS } from './sealed-jobs.ts';
import {
  ARTIFACT,
  checkout,
  fetch,
  type Job,
  keep,
  NOTARY_SECRETS,
  node24,
  run,
  unpackParts,
  uses,
  x,
} from './table-words.ts';

/* The rest of the table: the workflow files there may be, and the sealed jobs outside release.yml. */

const BUILD_MACHINE = { 'runs-on': x('inputs.runner'), env: { DEVELOPER_DIR: x('inputs.developer-dir') } };
const BUILD_JOBS: Readonly<Record<string, Job>> = {
  parts: {
    name: 'parts',
    ...BUILD_MACHINE,
    'timeout-minutes': 20,
    permissions: { contents: 'read', 'id-token': 'write', attestations: 'write' },
    outputs: {
      ...ARTIFACT,
      sha256: x('steps.parts.outputs.sha256'),
      'cli-sha256': x('steps.parts.outputs.cli-sha256'),
    },
    steps: [
      checkout,
      node24,
      run('Compile and gather', 'npm run -s cli -- parts --out parts', {}, { id: 'parts' }),
      uses('actions/attest', { 'subject-path': 'parts.tar' }, { name: 'Attest the unsigned parts' }),
      keep('Keep the parts', 'parts', 'parts.tar'),
    ],
  },
  again: {
    name: 'the same bytes on a second machine',
    needs: 'parts',
    ...BUILD_MACHINE,
    'timeout-minutes': 20,
    permissions: { contents: 'read' },
    steps: [
      checkout,
      node24,
      run('Compile and compare', 'npm run -s cli -- parts --out again --expect "${PARTS_SHA256}"', {
        PARTS_SHA256: x('needs.parts.outputs.sha256'),
      }),
    ],
  },
};

/** The weekly look at the key runs beside the notary's secrets, so it is sealed like a release's jobs, and so is what it runs. */
const EXPIRY_JOBS: Readonly<Record<string, Job>> = {
  parts: {
    name: 'command line',
    'runs-on': 'ubuntu-24.04',
    'timeout-minutes': 20,
    permissions: { contents: 'read' },
    outputs: { ...ARTIFACT, sha256: x('steps.parts.outputs.sha256') },
    steps: [
      checkout,
      node24,
      run('Gather', 'npm run -s cli -- parts --out parts', {}, { id: 'parts' }),
      keep('Keep the parts', 'parts', 'parts.tar'),
    ],
  },
  notary: {
    name: 'key and agreement',
    needs: 'parts',
    'runs-on': 'ubuntu-24.04',
    'timeout-minutes': 10,
    environment: 'notary',
    permissions: {},
    steps: [
      fetch('Fetch the parts', 'needs.parts.outputs.artifact-id'),
      { ...unpackParts, env: { PARTS_SHA256: x('needs.parts.outputs.sha256') } },
      run('Ask the notary', 'node cli.mjs github notary-access', NOTARY_SECRETS),
    ],
  },
};

const SCORECARD_JOBS: Readonly<Record<string, Job>> = {
  scorecard: {
    name: 'scorecard',
    'runs-on': 'ubuntu-24.04',
    'timeout-minutes': 15,
    permissions: { contents: 'read', 'id-token': 'write' },
    steps: [
      checkout,
      uses('ossf/scorecard-action', {
        results_file: 'scorecard.sarif',
        results_format: 'sarif',
        publish_results: true,
      }),
      uses(
        'actions/upload-artifact',
        {
          name: `scorecard-${x('github.run_attempt')}`,
          path: 'scorecard.sarif',
          'if-no-files-found': 'error',
        },
        { name: 'Keep the results' },
      ),
    ],
  },
};

/** What is told of a whole workflow: all its lines but those of its jobs, and the jobs that are told exactly. */
export interface SealedWorkflow {
  readonly top: Job;
  readonly jobs: Readonly<Record<string, Job>>;
  /** Whether other jobs may stand beside them, held by the rules of ordinary jobs. */
  readonly others: boolean;
}

const SHELL = { defaults: { run: { shell: 'bash' } } };
const inLine = (group: string, rest: Job = {}) => ({ concurrency: { group, 'cancel-in-progress': false, ...rest } });
const output = (description: string, name: string, job = 'parts') => ({
  description,
  value: x(`jobs.${job}.outputs.${name}`),
});
const input = (description: string) => ({ description, type: 'string', required: true });

/** Every workflow file there may be. */
export const WORKFLOWS: Readonly<Record<string, SealedWorkflow>> = {
  'release.yml': {
    top: {
      name: 'release',
      on: { push: { branches: ['main'] }, repository_dispatch: { types: ['release'] } },
      permissions: {},
      ...inLine('release', { queue: 'max' }),
      ...SHELL,
    },
    jobs: RELEASE_JOBS,
    others: false,
  },
  'build.yml': {
    top: {
      name: 'build',
      on: {
        workflow_call: {
          inputs: {
            runner: input("Image to compile on; apple's tools want macOS"),
            'developer-dir': {
              description: 'Xcode of that image; empty on Linux, where nothing reads it',
              type: 'string',
              default: '',
            },
          },
          outputs: {
            'parts-id': output('Artifact with parts.tar', 'artifact-id'),
            'parts-sha256': output('SHA-256 of parts.tar', 'sha256'),
            'cli-sha256': output('SHA-256 of the command line in it', 'cli-sha256'),
          },
        },
      },
      permissions: {},
    },
    jobs: BUILD_JOBS,
    others: false,
  },
  'ci.yml': {
    top: {
      name: 'ci',
      on: { pull_request: null, merge_group: null, push: { branches: ['main'] } },
      permissions: {},
      concurrency: {
        group: `ci-${x('github.ref')}`,
        'cancel-in-progress': x("github.event_name == 'pull_request'"),
      },
      ...SHELL,
    },
    jobs: {},
    others: true,
  },
  'expiry.yml': {
    top: {
      name: 'expiry',
      on: { schedule: [{ cron: '23 5 * * 1' }], repository_dispatch: { types: ['expiry'] } },
      permissions: {},
      ...inLine('expiry'),
    },
    jobs: EXPIRY_JOBS,
    others: true,
  },
  'nightly.yml': {
    top: {
      name: 'nightly',
      on: { schedule: [{ cron: '11 2 * * *' }], repository_dispatch: { types: ['nightly'] } },
      permissions: {},
      ...inLine('nightly'),
    },
    jobs: {},
    others: true,
  },
  'scorecard.yml': {
    top: {
      name: 'scorecard',
      on: { schedule: [{ cron: '41 4 * * 2' }], push: { branches: ['main'] } },
      permissions: {},
      ...inLine('scorecard'),
    },
    jobs: SCORECARD_JOBS,
    others: false,
  },
};
