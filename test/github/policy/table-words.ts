// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { readPins } from '../../../build/github/upkeep/pins.ts';
import type { Value } from './canonical.ts';

/* The words of the tables in sealed-jobs.ts and workflows-table.ts: each says once how a step of its kind is written. */

export type Job = { readonly [key: string]: Value };

const pins = await readPins('.');
export const x = (expression: string) => `\${{ ${expression} }}`;

/** A step that uses an action of others, at the commit in .github/pins.json. */
export const uses = (action: string, inputs: Job, rest: Job = {}): Job => ({
  ...rest,
  uses: `${action}@${pins[action]?.commit}`,
  with: inputs,
});
/** A step that runs a script with these variables. */
export const run = (name: string, script: string, env: Job = {}, rest: Job = {}): Job => ({
  ...rest,
  name,
  run: script,
  ...(Object.keys(env).length > 0 && { env }),
});

export const checkout = uses('actions/checkout', { 'persist-credentials': false });
export const checkoutWithHistory = uses('actions/checkout', { 'persist-credentials': false, 'fetch-depth': 0 });
export const node24 = uses('actions/setup-node', { 'node-version': 24, 'package-manager-cache': false });
/** Artifacts are fetched by the id that the job which made them put out, never by a name. */
export const fetch = (name: string, id: string) =>
  uses('actions/download-artifact', { 'artifact-ids': x(id), 'merge-multiple': true }, { name });
export const keep = (name: string, artifact: string, file: string) =>
  uses(
    'actions/upload-artifact',
    { name: `${artifact}-${x('github.run_attempt')}`, path: file, 'if-no-files-found': 'error' },
    { name, id: 'upload' },
  );
export const compare = (file: string, variable: string) =>
  `printf '%s  ${file}\\n' "\${${variable}}" | shasum -a 256 -c - && `;

const PARTS_ID = 'needs.build.outputs.parts-id';
export const PARTS_SHA256 = { PARTS_SHA256: x('needs.build.outputs.parts-sha256') };
export const VERSION = { VERSION: x('needs.plan.outputs.version') };
export const TOKEN = { GH_TOKEN: x('github.token') };
export const secrets = (...names: string[]): Job =>
  Object.fromEntries(names.map((name) => [name, x(`secrets.${name}`)]));
export const APPLICATION_SECRETS = secrets('APPLICATION_P12_BASE64', 'APPLICATION_P12_PASSWORD');
export const INSTALLER_SECRETS = secrets('INSTALLER_P12_BASE64', 'INSTALLER_P12_PASSWORD');
export const NOTARY_SECRETS = secrets('NOTARY_KEY', 'NOTARY_KEY_ID', 'NOTARY_ISSUER_ID');

export const fetchParts = fetch('Fetch the parts', PARTS_ID);
export const unpackParts = run(
  'Check and unpack the parts',
  `${compare('parts.tar', 'PARTS_SHA256')}tar -xf parts.tar`,
  PARTS_SHA256,
);
/** What an earlier job packed: fetched, held to the digest that job put out, unpacked. */
export const fetchWork = (what: string, job: string) => fetch(`Fetch ${what}`, `needs.${job}.outputs.artifact-id`);
export const unpackWork = (what: string, job: string, file: string) =>
  run(`Check and unpack ${what}`, `${compare(file, 'SHA256')}mkdir -p out && tar -xf ${file} -C out`, {
    SHA256: x(`needs.${job}.outputs.sha256`),
  });
export const pack = (file: string, folder = 'out') =>
  run('Pack', `node cli.mjs github pack ${folder} --to ${file}`, {}, { id: 'pack' });

export const CHOSEN_MACHINE = {
  'runs-on': x('needs.plan.outputs.runner'),
  env: { DEVELOPER_DIR: x('needs.plan.outputs.developer-dir') },
};
export const ARTIFACT = { 'artifact-id': x('steps.upload.outputs.artifact-id') };
export const PACKED = { ...ARTIFACT, sha256: x('steps.pack.outputs.sha256') };
export const finishedPackage = 'the finished package';
export const fetchFinished = fetchWork(finishedPackage, 'staple');
export const unpackFinished = unpackWork(finishedPackage, 'staple', 'finished.tar');
/**
 * The same beside a checkout: an artifact is an archive of whatever the job before put in it, and must not lie where it could
 * replace what is run there.
 */
const apart = ({ with: inputs, ...step }: Job): Job => ({ ...step, with: { ...(inputs as Job), path: 'fetched' } });
const unpackApart = (what: string, file: string, variable: Job): Job =>
  run(
    `Check and unpack ${what}`,
    `cd fetched && ${compare(file, Object.keys(variable)[0] as string)}mkdir ../out && tar -xf ${file} -C ../out`,
    variable,
  );
export const fetchPartsApart = apart(fetchParts);
export const unpackPartsApart = unpackApart('the parts', 'parts.tar', PARTS_SHA256);
export const fetchFinishedApart = apart(fetchFinished);
export const unpackFinishedApart = unpackApart(finishedPackage, 'finished.tar', {
  SHA256: x('needs.staple.outputs.sha256'),
});

/** Runs when this job succeeded, whatever was skipped before it. */
export const after = (job: string) => ({ if: x(`!cancelled() && needs.${job}.result == 'success'`) });

/** Of two jobs one has succeeded and the other one was skipped. */
export const oneOf = (done: string, other: string) =>
  `needs.${done}.result == 'success' && needs.${other}.result == 'skipped'`;

/** Only packages of the portable tools can be looked at; what says so must be nothing that a job with npm put out. */
export const IF_PORTABLE = { if: "vars.SIGNING_KEYS != 'keychain'" };

/** The Macs that must install a package, each with the Xcode it has. */
export const IMAGES = Object.entries({
  'macos-15': '16.4',
  'macos-15-intel': '16.4',
  'macos-26': '26.6',
  'macos-26-intel': '26.6',
  'xcode-27': '27.0',
});
