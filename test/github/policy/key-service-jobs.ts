// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { checkout, compare, fetch, type Job, keep, PACKED, pack, run, unpackParts, x } from './table-words.ts';

/*
 * The jobs of key-service.yml. Code of npm runs in `code`, `packages` and `signed`, which have no right at all; the two that may ask
 * for a token check out the commit and run shell. Nothing goes from one kind to the other but digests and signatures.
 */

const LINUX = { 'runs-on': 'ubuntu-24.04', 'timeout-minutes': 10 };
const fetchGiven = fetch('Fetch the parts', 'inputs.parts-id');
const unpackGiven = { ...unpackParts, env: { PARTS_SHA256: x('inputs.parts-sha256') } };
const sha256Of = (job: string) => ({ SHA256: x(`needs.${job}.outputs.sha256`) });
const fetchFrom = (what: string, job: string) => fetch(`Fetch the ${what}`, `needs.${job}.outputs.artifact-id`);
const unpackFrom = (what: string, job: string, file: string, rest: string) =>
  run(`Check and unpack the ${what}`, `${compare(file, 'SHA256')}${rest}`, sha256Of(job));
const intoWork = (file: string) => `mkdir -p work && tar -xf ${file} -C work`;
const sayDigests = run(
  'Say what is to be signed',
  'node cli.mjs digests --compiled . --record work/signing.json --out work/digests.txt',
);

/** Uses one key: the job in which a token can be had. */
const keyJob = (subject: 'code' | 'packages', role: 'application' | 'installer'): Job => ({
  name: `key of the ${subject}`,
  needs: subject,
  ...LINUX,
  environment: 'signing',
  permissions: { contents: 'read', 'id-token': 'write' },
  outputs: PACKED,
  steps: [
    checkout,
    fetchFrom(`digests of the ${subject}`, subject),
    unpackFrom(`digests of the ${subject}`, subject, `${subject}.tar`, `tar -xf ${subject}.tar digests.txt`),
    run(
      `Use the key of the ${subject}`,
      `sh build/signers/key-service.sh --service "\${SERVICE}" --role ${role} --project . --digests digests.txt --out ${role}.json`,
      {
        SERVICE: x('inputs.service'),
        AWS_ROLE_ARN: x('vars.AWS_ROLE_ARN'),
        AZURE_CLIENT_ID: x('vars.AZURE_CLIENT_ID'),
        AZURE_TENANT_ID: x('vars.AZURE_TENANT_ID'),
      },
    ),
    run(
      'Pack',
      `tar -cf ${subject}-signatures.tar ${role}.json && printf 'sha256=%s\\n' "$(shasum -a 256 < ${subject}-signatures.tar | cut -c 1-64)" >> "\${GITHUB_OUTPUT}"`,
      {},
      { id: 'pack' },
    ),
    keep(`Keep the signatures of the ${subject}`, `${subject}-signatures`, `${subject}-signatures.tar`),
  ],
});

/** The jobs of key-service.yml, in the order they run. */
export const KEY_SERVICE_JOBS: Readonly<Record<string, Job>> = {
  code: {
    name: 'digests of the code',
    ...LINUX,
    permissions: {},
    outputs: PACKED,
    steps: [
      fetchGiven,
      unpackGiven,
      run('Begin', 'mkdir work && node cli.mjs timestamp --compiled . --record work/signing.json --release'),
      sayDigests,
      pack('code.tar', 'work'),
      keep('Keep the digests of the code', 'code', 'code.tar'),
    ],
  },
  'code-key': keyJob('code', 'application'),
  packages: {
    name: 'digests of the packages',
    needs: ['code', 'code-key'],
    ...LINUX,
    permissions: {},
    outputs: PACKED,
    steps: [
      fetchGiven,
      fetchFrom('digests of the code', 'code'),
      fetchFrom('signatures of the code', 'code-key'),
      unpackGiven,
      unpackFrom('digests of the code', 'code', 'code.tar', intoWork('code.tar')),
      unpackFrom('signatures of the code', 'code-key', 'code-signatures.tar', 'tar -xf code-signatures.tar'),
      run(
        'Check and stamp the code',
        'node cli.mjs timestamp --compiled . --record work/signing.json --signed application.json',
      ),
      sayDigests,
      pack('packages.tar', 'work'),
      keep('Keep the digests of the packages', 'packages', 'packages.tar'),
    ],
  },
  'packages-key': keyJob('packages', 'installer'),
  signed: {
    name: 'signed package',
    needs: ['packages', 'packages-key'],
    ...LINUX,
    permissions: {},
    outputs: PACKED,
    steps: [
      fetchGiven,
      fetchFrom('digests of the packages', 'packages'),
      fetchFrom('signatures of the packages', 'packages-key'),
      unpackGiven,
      unpackFrom('digests of the packages', 'packages', 'packages.tar', intoWork('packages.tar')),
      unpackFrom(
        'signatures of the packages',
        'packages-key',
        'packages-signatures.tar',
        'tar -xf packages-signatures.tar',
      ),
      run(
        'Check and stamp the packages',
        'node cli.mjs timestamp --compiled . --record work/signing.json --signed installer.json',
      ),
      run(
        'Put the signatures in',
        'node cli.mjs release --release --compiled . --signatures work/signing.json --until sign-package --out out',
      ),
      pack('signed.tar'),
      keep('Keep the signed package', 'signed', 'signed.tar'),
    ],
  },
};
