// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { differences, isRecord, type Value } from './canonical.ts';
import { checkout, node24, x } from './table-words.ts';

/*
 * Jobs that test and look: no secret, no environment, nothing written but what PERMISSIONS says. A job may be added as long as it
 * keeps to this language; whatever is not named here is refused.
 */

type Mapping = { readonly [key: string]: Value };

/** What an ordinary job may do beyond reading the contents. */
const PERMISSIONS: Readonly<Record<string, Mapping>> = {
  'expiry.yml/issue': { contents: 'read', issues: 'write' },
};
/** The conditions that jobs have; no other job has one, so none can be switched off. */
const CONDITIONS: Readonly<Record<string, string>> = { 'expiry.yml/issue': x('!cancelled()') };
/** What jobs must run, in this order; a check that is required on main cannot be emptied. */
export const MUST_RUN: Readonly<Record<string, readonly string[]>> = {
  'ci.yml/version': ['npm run -s cli -- github check-version'],
  'ci.yml/linux': [
    'npm test',
    'npm run check',
    'npm start -- --rehearsal --out "${PWD}/out"',
    'npm run -s cli -- verify --trust rehearsal out/*/Escrow.Buddy-*.pkg',
    'npm run -s cli -- github summary out/*/',
  ],
  'ci.yml/workflows': ['npm run test:interop -- test/interop/workflows.interop.ts'],
  'ci.yml/macos': [
    'npm test',
    'npm start -- --rehearsal --toolchain portable --out "${PWD}/out"',
    'bash test/mac-runner/interop.sh out/*/Escrow.Buddy-*.pkg',
    'npm run -s cli -- build --toolchain portable --out "${PWD}/adhoc"',
    'bash test/mac-runner/smoke.sh --ad-hoc --image "${IMAGE}" adhoc/*/Escrow.Buddy-*.pkg',
  ],
  'expiry.yml/certificates': ['npm run -s cli -- github expiring-certificates'],
  'expiry.yml/pins': ['npm run -s cli -- github moved-pins'],
  'expiry.yml/platforms': ['npm run -s cli -- github ending-platforms'],
  'expiry.yml/issue': ['npm run -s cli -- github issue'],
};
/** What jobs must run on, at least: the checks that docs/releasing.md requires on main. */
const MUST_RUN_ON: Readonly<Record<string, readonly string[]>> = {
  'ci.yml/linux': ['22', '24'],
  'ci.yml/macos': ['macos-26', 'macos-26-intel', 'xcode-27'],
};
const LONGEST_MINUTES = 90;
/** One simple command of ours, its words without anything a shell acts on but a name in quotes. */
const COMMAND =
  /^((npm test|npm start|npm run (-s cli|check|bench|mutations|test:interop))( --(?= .))?|bash test\/mac-runner\/\w+\.sh)( ([\w./:=*-]+|"(\$\{[A-Z]\w*\}|[\w./:=*-])+"))*$/;
/** Words before `--` are npm's own, and some of those run programs. */
const NPM_OPTIONS = /^npm (test|start|run (-s )?[\w:]+) (?!-- )/;
/** Where values of variables come from. A token of the job goes by this name only, so that it is found. */
const VARIABLES: Readonly<Record<string, RegExp>> = {
  GH_TOKEN: /^\$\{\{ github\.token \}\}$/,
  IMAGE: /^\$\{\{ matrix\.image \}\}$/,
  CERTIFICATES_FINDINGS: /^\$\{\{ needs\.certificates\.outputs\.findings \}\}$/,
  CERTIFICATES_RESULT: /^\$\{\{ needs\.certificates\.result \}\}$/,
  PINS_FINDINGS: /^\$\{\{ needs\.pins\.outputs\.findings \}\}$/,
  PINS_RESULT: /^\$\{\{ needs\.pins\.result \}\}$/,
  PLATFORMS_FINDINGS: /^\$\{\{ needs\.platforms\.outputs\.findings \}\}$/,
  PLATFORMS_RESULT: /^\$\{\{ needs\.platforms\.result \}\}$/,
  NOTARY_RESULT: /^\$\{\{ needs\.notary\.result \}\}$/,
};
/** Whose token a job of its own needs; every other job has none in its environment. */
const WITH_TOKEN = ['ci.yml/version', 'expiry.yml/certificates', 'expiry.yml/pins', 'expiry.yml/issue'];
/** The images of a Mac that a job may run on, each with the Xcode it uses: a default moves from week to week. */
export const XCODES: Readonly<Record<string, string>> = {
  'macos-15': '16.4',
  'macos-15-intel': '16.4',
  'macos-26': '26.6',
  'macos-26-intel': '26.6',
  'xcode-27': '27.0',
};
const DEVELOPER_DIR = `/Applications/Xcode_${x('matrix.xcode')}.app/Contents/Developer`;
const KEYS = [
  'name',
  'needs',
  'if',
  'runs-on',
  'timeout-minutes',
  'permissions',
  'strategy',
  'env',
  'outputs',
  'steps',
];

/** Returns every rule that an ordinary job breaks. `at` is `ci.yml/linux`, `jobs` are all of its file. */
export function ordinaryJobProblems(at: string, job: Value | undefined, jobs: Mapping): string[] {
  if (!isRecord(job)) return [`${at}: not a job`];
  const problems = Object.keys(job)
    .filter((key) => !KEYS.includes(key))
    .map((key) => `${at}: ${key} is not for a job that only tests`);
  problems.push(...differences(PERMISSIONS[at] ?? { contents: 'read' }, job.permissions, `${at}/permissions`));
  problems.push(...differences(CONDITIONS[at], job.if, `${at}/if`));
  const minutes = job['timeout-minutes'];
  if (typeof minutes !== 'number' || minutes < 1 || minutes > LONGEST_MINUTES)
    problems.push(`${at}/timeout-minutes: from 1 to ${LONGEST_MINUTES}, it says ${minutes}`);
  if (!isName(job.name)) problems.push(`${at}/name: ${JSON.stringify(job.name)}`);
  problems.push(...needsProblems(at, job.needs, jobs));
  problems.push(...machineProblems(at, job), ...outputProblems(at, job.outputs), ...stepProblems(at, job.steps));
  return problems;
}

/** Returns what a file lacks of the jobs that must be there. */
export function missingJobs(file: string, jobs: Mapping): string[] {
  return Object.keys(MUST_RUN)
    .filter((at) => at.startsWith(`${file}/`) && !Object.hasOwn(jobs, at.slice(file.length + 1)))
    .map((at) => `${at}: this job must be there`);
}

function needsProblems(at: string, needs: Value | undefined, jobs: Mapping): string[] {
  const list = at === 'expiry.yml/issue' ? ['certificates', 'pins', 'platforms', 'notary'] : undefined;
  if (list) return differences(list, needs, `${at}/needs`);
  const names = needs === undefined ? [] : Array.isArray(needs) ? needs : [needs];
  return names
    .filter((name) => typeof name !== 'string' || !Object.hasOwn(jobs, name))
    .map((name) => `${at}/needs: ${name} is not a job of this file`);
}

/** On Linux, in one or more versions of Node.js; or on images of a Mac, each with the Xcode it has. */
function machineProblems(at: string, job: Mapping): string[] {
  const runner = job['runs-on'];
  const strategy = job.strategy;
  const matrix = isRecord(strategy) ? strategy.matrix : undefined;
  const problems =
    strategy === undefined
      ? []
      : differences({ 'fail-fast': false, matrix: matrix ?? null }, strategy, `${at}/strategy`);
  const must = MUST_RUN_ON[at] ?? [];
  if (runner === 'ubuntu-24.04') {
    if (job.env !== undefined) problems.push(`${at}/env: a job on Linux has no variables of its own`);
    const nodes = isRecord(matrix) && Object.keys(matrix).join() === 'node' ? matrix.node : undefined;
    const versions = Array.isArray(nodes) ? nodes : [];
    if (
      matrix !== undefined &&
      (versions.length === 0 || versions.some((node) => ![20, 22, 24, 26].includes(node as number)))
    )
      problems.push(`${at}/strategy: on Linux only versions of Node.js vary`);
    return [
      ...problems,
      ...must.filter((one) => !versions.map(String).includes(one)).map((one) => `${at}: must run on ${one}`),
    ];
  }
  if (runner !== x('matrix.image')) return [...problems, `${at}/runs-on: ${JSON.stringify(runner)}`];
  const include = isRecord(matrix) && Object.keys(matrix).join() === 'include' ? matrix.include : undefined;
  const entries = Array.isArray(include) ? include.filter(isRecord) : [];
  if (!Array.isArray(include) || entries.length !== include.length || entries.length === 0)
    return [...problems, `${at}/strategy: images of a Mac are listed under include`];
  const images = entries.map(({ image }) => String(image));
  for (const [index, image] of images.entries())
    problems.push(
      ...differences({ image, xcode: XCODES[image] ?? 'unknown' }, entries[index], `${at}/matrix/${image}`),
    );
  problems.push(...differences({ DEVELOPER_DIR }, job.env, `${at}/env`));
  return [...problems, ...must.filter((one) => !images.includes(one)).map((one) => `${at}: must run on ${one}`)];
}

function outputProblems(at: string, outputs: Value | undefined): string[] {
  if (outputs === undefined) return [];
  return differences({ findings: x('steps.look.outputs.findings') }, outputs, `${at}/outputs`);
}

/** A checkout without the token, Node.js without a cache, then commands of ours, one a step. */
function stepProblems(at: string, steps: Value | undefined): string[] {
  if (!Array.isArray(steps)) return [`${at}/steps: none`];
  const [first, second, ...scripts] = steps as readonly Value[];
  const node = isRecord(second) && isRecord(second.with) ? second.with['node-version'] : undefined;
  const version = node === x('matrix.node') ? node : 24;
  const problems = [
    ...differences(checkout, first, `${at}/steps/0`),
    ...differences(
      { ...node24, with: { ...(node24.with as Mapping), 'node-version': version } },
      second,
      `${at}/steps/1`,
    ),
    ...scripts.flatMap((step, index) => scriptProblems(`${at}/steps/${index + 2}`, step)),
  ];
  const token = scripts.some((step) => isRecord(step) && isRecord(step.env) && Object.hasOwn(step.env, 'GH_TOKEN'));
  if (token && !WITH_TOKEN.includes(at)) problems.push(`${at}: a token that this job does not need`);
  const must = MUST_RUN[at];
  const found = scripts.map((step) => (isRecord(step) ? (step.run ?? null) : null));
  return must ? [...problems, ...differences([...must], found, `${at}: what it runs`)] : problems;
}

function scriptProblems(at: string, step: Value): string[] {
  if (!isRecord(step)) return [`${at}: not a step`];
  const problems = Object.keys(step)
    .filter((key) => !['name', 'id', 'run', 'env'].includes(key))
    .map((key) => `${at}: ${key} is not for a step that only tests`);
  if (!isName(step.name)) problems.push(`${at}/name: ${JSON.stringify(step.name)}`);
  if (step.id !== undefined && step.id !== 'look') problems.push(`${at}/id: ${JSON.stringify(step.id)}`);
  if (typeof step.run !== 'string' || !COMMAND.test(step.run) || NPM_OPTIONS.test(step.run))
    problems.push(`${at}/run: not one command of ours: ${JSON.stringify(step.run)}`);
  for (const [name, value] of Object.entries(isRecord(step.env) ? step.env : {})) {
    const allowed = Object.hasOwn(VARIABLES, name) ? VARIABLES[name] : undefined;
    if (!allowed?.test(String(value))) problems.push(`${at}/env: ${name} is ${JSON.stringify(value)}`);
  }
  if (step.env !== undefined && !isRecord(step.env)) problems.push(`${at}/env: not a list of variables`);
  return problems;
}

/** A name is only shown; an expression in it is a value of the matrix. */
function isName(name: Value | undefined): boolean {
  return typeof name === 'string' && /^[\w ,.'()-]*(\$\{\{ matrix\.(node|image) \}\})?$/.test(name) && name !== '';
}
