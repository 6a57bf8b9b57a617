// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { PUBLISHING_JOBS } from './publishing-jobs.ts';
import { SIGNING_JOBS } from './signing-jobs.ts';
import {
  after,
  CHOSEN_MACHINE,
  checkoutWithHistory,
  fetch,
  fetchParts,
  fetchPartsApart,
  fetchWork,
  type Job,
  keep,
  NOTARY_SECRETS,
  node24,
  oneOf,
  PACKED,
  PARTS_SHA256,
  pack,
  run,
  TOKEN,
  unpackParts,
  unpackPartsApart,
  unpackWork,
  VERSION,
  x,
} from './table-words.ts';

/*
 * Every job that signs, submits, staples, attests, publishes or verifies, and every job that hands something to one of these:
 * exactly what it is. A workflow that says anything else, or anything more, does not pass; so a change of such a job is a change
 * of this table too, in the open. The jobs that only test and look are held by rules: ordinary-jobs.ts.
 */

const ofEither = (output: string) => `needs.signed.outputs.${output} || needs.sign.outputs.${output}`;

/** The jobs of release.yml, in the order they run. */
export const RELEASE_JOBS: Readonly<Record<string, Job>> = {
  plan: {
    name: 'plan',
    'runs-on': 'ubuntu-24.04',
    'timeout-minutes': 10,
    permissions: { contents: 'read' },
    outputs: Object.fromEntries(
      ['release', 'keys', 'version', 'tag', 'runner', 'developer-dir'].map((name) => [
        name,
        x(`steps.plan.outputs.${name}`),
      ]),
    ),
    steps: [
      checkoutWithHistory,
      node24,
      run(
        'Decide',
        'npm run -s cli -- github plan',
        { ...TOKEN, SIGNING_KEYS: x('vars.SIGNING_KEYS') },
        { id: 'plan' },
      ),
    ],
  },
  build: {
    name: 'build',
    needs: 'plan',
    if: "needs.plan.outputs.release == 'true'",
    permissions: { contents: 'read', 'id-token': 'write', attestations: 'write' },
    uses: '$/.github/workflows/build.yml',
    with: { runner: x('needs.plan.outputs.runner'), 'developer-dir': x('needs.plan.outputs.developer-dir') },
  },
  review: {
    name: 'what is about to be signed',
    needs: ['plan', 'build'],
    'runs-on': 'ubuntu-24.04',
    'timeout-minutes': 10,
    permissions: { contents: 'read' },
    steps: [
      checkoutWithHistory,
      node24,
      fetchPartsApart,
      unpackPartsApart,
      run('Tell', 'npm run -s cli -- github review --parts out --parts-sha256 "${PARTS_SHA256}"', PARTS_SHA256),
    ],
  },
  ...SIGNING_JOBS,
  submit: {
    name: 'submit',
    needs: ['plan', 'build', 'signed', 'sign'],
    // Exactly one of the two.
    if: x(
      `!cancelled() && needs.build.result == 'success' && (${oneOf('signed', 'sign')} || ${oneOf('sign', 'signed')})`,
    ),
    ...CHOSEN_MACHINE,
    'timeout-minutes': 30,
    environment: 'notary',
    permissions: {},
    outputs: PACKED,
    steps: [
      fetchParts,
      fetch('Fetch the signed package', ofEither('artifact-id')),
      unpackParts,
      { ...unpackWork('the signed package', 'signed', 'signed.tar'), env: { SHA256: x(ofEither('sha256')) } },
      run(
        'Submit to the notary',
        'node cli.mjs release --release --compiled . --resume --until notarize --submit-only --out out',
        NOTARY_SECRETS,
      ),
      pack('submitted.tar'),
      keep('Keep the submission', 'submitted', 'submitted.tar'),
    ],
  },
  wait: {
    name: `wait for Apple, turn ${x('matrix.turn')}`,
    needs: ['plan', 'build', 'submit'],
    ...after('submit'),
    'runs-on': 'ubuntu-24.04',
    'timeout-minutes': 345,
    environment: 'notary',
    permissions: {},
    strategy: { 'max-parallel': 1, matrix: { turn: [1, 2, 3, 4, 5, 6, 7, 8] } },
    steps: [
      fetchParts,
      fetchWork('the submission', 'submit'),
      unpackParts,
      unpackWork('the submission', 'submit', 'submitted.tar'),
      run(
        'Wait',
        'node cli.mjs release --release --compiled . --resume --until notarize --max-wait 330m --out out || [ "$?" -eq 5 ]',
        NOTARY_SECRETS,
      ),
    ],
  },
  staple: {
    name: 'staple',
    needs: ['plan', 'build', 'submit', 'wait'],
    ...after('wait'),
    ...CHOSEN_MACHINE,
    'timeout-minutes': 90,
    environment: 'notary',
    permissions: {},
    outputs: {
      ...PACKED,
      package: x('steps.summary.outputs.package'),
      'package-sha256': x('steps.summary.outputs.package-sha256'),
      team: x('steps.summary.outputs.team'),
    },
    steps: [
      fetchParts,
      fetchWork('the submission', 'submit'),
      unpackParts,
      unpackWork('the submission', 'submit', 'submitted.tar'),
      run(
        'Wait, staple, verify',
        'node cli.mjs release --release --compiled . --resume --max-wait 60m --out out',
        NOTARY_SECRETS,
      ),
      run('Report', 'node cli.mjs github summary "out/${VERSION}"', VERSION, { id: 'summary' }),
      pack('finished.tar'),
      keep('Keep the finished package', 'finished', 'finished.tar'),
    ],
  },
  ...PUBLISHING_JOBS,
};
