// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import {
  APPLICATION_SECRETS,
  CHOSEN_MACHINE,
  checkout,
  fetchParts,
  INSTALLER_SECRETS,
  type Job,
  keep,
  oneOf,
  PACKED,
  pack,
  run,
  unpackParts,
  x,
} from './table-words.ts';

/*
 * The jobs of release.yml that sign. Code of npm runs in `code`, `packages` and `signed`, which have no right and no secret; the four
 * that use a key check out the commit and run its shell scripts. Between the two kinds go digests and signatures, as job outputs:
 * no artifact is fetched or kept where a key is. Beside the keys in a keychain (`sign`) code of npm runs, so that needs a variable.
 */

const LINUX = { 'runs-on': 'ubuntu-24.04', 'timeout-minutes': 10 };
const sayDigests = run(
  'Say what is to be signed',
  'node cli.mjs digests --compiled . --record signing.json --out digests.txt',
  {},
  { id: 'digests' },
);
const ASKING = {
  digests: x('steps.digests.outputs.digests'),
  record: x('steps.digests.outputs.record'),
};
const digestsOf = (subject: string) => ({ DIGESTS: x(`needs.${subject}.outputs.digests`) });
const IN_SERVICE = "needs.plan.outputs.keys == 'aws' || needs.plan.outputs.keys == 'azure'";

type Subject = 'code' | 'packages';
const ROLES = { code: 'application', packages: 'installer' } as const;
const SECRETS = { code: APPLICATION_SECRETS, packages: INSTALLER_SECRETS };

/** Uses one key: nothing of npm is there, and what is made is checked before it is an output. */
const keyJob = (subject: Subject, use: string, given: Job, rest: Job): Job => ({
  needs: ['plan', subject],
  ...LINUX,
  environment: 'signing',
  outputs: { signed: x('steps.check.outputs.signed') },
  ...rest,
  steps: [
    checkout,
    run(`Use the key of the ${subject}`, `sh build/signers/${use} --digests "\${DIGESTS}" --out signatures.txt`, {
      ...digestsOf(subject),
      ...given,
    }),
    run(
      'Check the signatures',
      `sh build/signers/check-signatures.sh --role ${ROLES[subject]} --digests "\${DIGESTS}" --signatures signatures.txt --out ${ROLES[subject]}.json && printf 'signed=%s\\n' "$(cat ${ROLES[subject]}.json)" >> "\${GITHUB_OUTPUT}"`,
      digestsOf(subject),
      { id: 'check' },
    ),
  ],
});
/** The packages come after a job of the code that was skipped, so they say themselves what they come after. */
const chosen = (subject: Subject, condition: string) =>
  subject === 'code' ? condition : x(`!cancelled() && needs.packages.result == 'success' && ${condition}`);
const storedKey = (subject: Subject): Job =>
  keyJob(subject, `sealed.sh --role ${ROLES[subject]}`, SECRETS[subject], {
    name: `key of the ${subject}`,
    if: chosen(subject, "needs.plan.outputs.keys == 'stored'"),
    permissions: { contents: 'read' },
  });
const keyInService = (subject: Subject): Job =>
  keyJob(
    subject,
    `key-service.sh --service "\${SERVICE}" --role ${ROLES[subject]} --project .`,
    {
      SERVICE: x('vars.SIGNING_KEYS'),
      AWS_ROLE_ARN: x('vars.AWS_ROLE_ARN'),
      AZURE_CLIENT_ID: x('vars.AZURE_CLIENT_ID'),
      AZURE_TENANT_ID: x('vars.AZURE_TENANT_ID'),
    },
    {
      name: `key of the ${subject}, in a service`,
      if: chosen(subject, subject === 'code' ? IN_SERVICE : `(${IN_SERVICE})`),
      permissions: { contents: 'read', 'id-token': 'write' },
    },
  );
/** What comes after a key, wherever that is. */
const afterKeyOf = (subject: Subject, more: readonly string[]): Job => ({
  needs: ['plan', 'build', ...more, `${subject}-key`, `${subject}-service`],
  if: x(
    `!cancelled() && needs.${subject}.result == 'success' && (${oneOf(`${subject}-key`, `${subject}-service`)} || ${oneOf(`${subject}-service`, `${subject}-key`)})`,
  ),
  ...LINUX,
  permissions: {},
});
const takeSignatures = (subject: Subject) =>
  run(
    `Take the signatures of the ${subject}`,
    `printf '%s\\n' "\${RECORD}" > signing.json && printf '%s\\n' "\${SIGNED}" > ${ROLES[subject]}.json`,
    { RECORD: x(`needs.${subject}.outputs.record`), SIGNED: x(SIGNED[subject]) },
  );
const stamp = (subject: Subject) =>
  run(
    `Check and stamp the ${subject}`,
    `node cli.mjs timestamp --compiled . --record signing.json --signed ${ROLES[subject]}.json`,
  );

/** What the key of each subject gave out, whichever job used it. */
export const SIGNED: Readonly<Record<Subject, string>> = {
  code: 'needs.code-key.outputs.signed || needs.code-service.outputs.signed',
  packages: 'needs.packages-key.outputs.signed || needs.packages-service.outputs.signed',
};

/** The jobs of release.yml that sign, in the order they run; of each pair, and of `signed` and `sign`, one is skipped. */
export const SIGNING_JOBS: Readonly<Record<string, Job>> = {
  code: {
    name: 'digests of the code',
    needs: ['plan', 'build', 'review'],
    if: `needs.plan.outputs.keys == 'stored' || ${IN_SERVICE}`,
    ...LINUX,
    permissions: {},
    outputs: ASKING,
    steps: [
      fetchParts,
      unpackParts,
      run('Begin', 'node cli.mjs timestamp --compiled . --record signing.json --release'),
      sayDigests,
    ],
  },
  'code-key': storedKey('code'),
  'code-service': keyInService('code'),
  packages: {
    name: 'digests of the packages',
    ...afterKeyOf('code', ['code']),
    outputs: ASKING,
    steps: [fetchParts, unpackParts, takeSignatures('code'), stamp('code'), sayDigests],
  },
  'packages-key': storedKey('packages'),
  'packages-service': keyInService('packages'),
  signed: {
    name: 'signed package',
    ...afterKeyOf('packages', ['packages']),
    outputs: PACKED,
    steps: [
      fetchParts,
      unpackParts,
      takeSignatures('packages'),
      stamp('packages'),
      run(
        'Put the signatures in',
        'node cli.mjs release --release --compiled . --signatures signing.json --until sign-package --out out',
      ),
      pack('signed.tar'),
      keep('Keep the signed package', 'signed', 'signed.tar'),
    ],
  },
  sign: {
    name: 'sign on a Mac',
    needs: ['plan', 'build', 'review'],
    if: "vars.SIGNING_KEYS == 'keychain' && needs.plan.outputs.keys == 'keychain'",
    ...CHOSEN_MACHINE,
    'timeout-minutes': 20,
    environment: 'signing',
    permissions: {},
    outputs: PACKED,
    steps: [
      fetchParts,
      unpackParts,
      run('Sign on a Mac', 'node cli.mjs release --release --compiled . --until sign-package --out out', {
        ...APPLICATION_SECRETS,
        ...INSTALLER_SECRETS,
      }),
      pack('signed.tar'),
      keep('Keep the signed package', 'signed', 'signed.tar'),
    ],
  },
};
