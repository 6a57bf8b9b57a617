// biome-ignore-all lint/suspicious/noTemplateCurlyInString: expressions of GitHub Actions look like templates.
import { differences, isRecord, type Value } from './canonical.ts';
import { checkout, node24, uses, x } from './table-words.ts';

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
/** A step of a job that must be there: its command, and what it is given. */
interface Step {
  readonly run: string;
  readonly id?: string;
  readonly env?: Mapping;
}
const TOKEN = { GH_TOKEN: x('github.token') };
const look = (name: string, command: string, env?: Mapping): [string, NamedJob] => [
  `expiry.yml/${name}`,
  {
    name: LOOKS[name] as string,
    outputs: { findings: x('steps.look.outputs.findings') },
    steps: [{ id: 'look', run: `npm run -s cli -- github ${command}`, ...(env && { env }) }],
  },
];
const LOOKS: Readonly<Record<string, string>> = {
  certificates: 'certificates of the last package',
  pins: 'pinned actions',
  platforms: 'machines',
};
const resultOf = (job: string) => [`${job.toUpperCase()}_RESULT`, x(`needs.${job}.result`)] as const;
const findingsOf = (job: string) => [`${job.toUpperCase()}_FINDINGS`, x(`needs.${job}.outputs.findings`)] as const;

/** What is told of a job that must be there: a check that is required on main, or a look whose findings must reach the issue. */
interface NamedJob {
  /** As the rule for main names it: a check that takes its name would stand for it. */
  readonly name: string;
  /** A job that waits for another is skipped when that fails, and a skipped check counts as passed. */
  readonly needs?: readonly string[];
  readonly outputs?: Mapping;
  readonly steps: readonly Step[];
}

/** The jobs that must be there, each with what it runs, in this order; a check that is required on main cannot be emptied. */
const MUST_BE: Readonly<Record<string, NamedJob>> = {
  'ci.yml/version': {
    name: 'version and changelog',
    steps: [{ run: 'npm run -s cli -- github check-version', env: TOKEN }],
  },
  'ci.yml/linux': {
    name: `Linux, Node.js ${x('matrix.node')}`,
    steps: [
      { run: 'npm test' },
      { run: 'npm run check' },
      { run: 'npm start -- --rehearsal --out "${PWD}/out"' },
      { run: 'npm run -s cli -- verify --trust rehearsal out/*/Escrow.Buddy-*.pkg' },
      { run: 'npm run -s cli -- github summary out/*/' },
    ],
  },
  'ci.yml/workflows': {
    name: 'workflows',
    steps: [{ run: 'npm run test:interop -- test/interop/workflows.interop.ts' }],
  },
  'ci.yml/macos': {
    name: `macOS, ${x('matrix.image')}`,
    steps: [
      { run: 'npm test' },
      { run: 'npm start -- --rehearsal --toolchain portable --out "${PWD}/out"' },
      { run: 'bash test/mac-runner/interop.sh out/*/Escrow.Buddy-*.pkg' },
      { run: 'npm run -s cli -- build --toolchain portable --out "${PWD}/adhoc"' },
      {
        run: 'bash test/mac-runner/smoke.sh --ad-hoc --image "${IMAGE}" adhoc/*/Escrow.Buddy-*.pkg',
        env: { IMAGE: x('matrix.image') },
      },
    ],
  },
  ...Object.fromEntries([
    look('certificates', 'expiring-certificates', TOKEN),
    look('pins', 'moved-pins', TOKEN),
    look('platforms', 'ending-platforms'),
  ]),
  'expiry.yml/issue': {
    name: 'issue',
    needs: [...Object.keys(LOOKS), 'notary'],
    steps: [
      {
        run: 'npm run -s cli -- github issue',
        env: {
          ...TOKEN,
          ...Object.fromEntries(Object.keys(LOOKS).flatMap((job) => [findingsOf(job), resultOf(job)])),
          ...Object.fromEntries([resultOf('notary')]),
        },
      },
    ],
  },
};
/** The words in front of a matrix' value in names of required checks; a check of that name by hand would stand for them. */
const TAKEN = Object.values(MUST_BE).map(({ name }) => name.split('$')[0] as string);
/** What jobs must run on, at least: the checks that docs/releasing.md requires on main. */
const MUST_RUN_ON: Readonly<Record<string, readonly string[]>> = {
  'ci.yml/linux': ['22', '24'],
  'ci.yml/macos': ['macos-26', 'macos-26-intel', 'xcode-27'],
};
/** Files whose jobs end with a step that keeps what they found, after a failure too. */
const KEEPS: Readonly<Record<string, (job: string) => Value>> = {
  'nightly.yml': (job) =>
    uses(
      'actions/upload-artifact',
      {
        name: `scores-${job}-${x('github.run_attempt')}`,
        path: '.build/mutants/scores.json',
        'include-hidden-files': true,
        'if-no-files-found': 'warn',
      },
      { name: 'Keep the scores', if: x('!cancelled()') },
    ),
};
const LONGEST_MINUTES = 90;
/** One simple command of ours, its words without anything a shell acts on but a name in quotes. */
const COMMAND =
  /^((npm test|npm start|npm run (-s cli|check|bench|mutants|mutations|test:interop))( --(?= .))?|bash test\/mac-runner\/\w+\.sh)( ([\w./:=*-]+|"(\$\{[A-Z]\w*\}|[\w./:=*-])+"))*$/;
/** Words before `--` are npm's own, and some of those run programs. */
const NPM_OPTIONS = /^npm (test|start|run (-s )?[\w:]+) (?!-- )/;
/** What a variable of a further job may be. */
const VARIABLES: Readonly<Record<string, string>> = { IMAGE: x('matrix.image') };
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
  const told = Object.hasOwn(MUST_BE, at) ? MUST_BE[at] : undefined;
  if (told) problems.push(...namedProblems(at, job, told));
  else problems.push(...furtherProblems(at, job, jobs));
  problems.push(...machineProblems(at, job), ...stepProblems(at, job.steps, told));
  return problems;
}

/** Returns what a file lacks of the jobs that must be there. */
export function missingJobs(file: string, jobs: Mapping): string[] {
  return Object.keys(MUST_BE)
    .filter((at) => at.startsWith(`${file}/`) && !Object.hasOwn(jobs, at.slice(file.length + 1)))
    .map((at) => `${at}: this job must be there`);
}

/** A job that must be there, and is as the table says. */
function namedProblems(at: string, job: Mapping, { name, needs, outputs }: NamedJob): string[] {
  return [
    ...differences(name, job.name, `${at}/name`),
    ...differences(needs && [...needs], job.needs, `${at}/needs`),
    ...differences(outputs, job.outputs, `${at}/outputs`),
  ];
}

/** A job more: it hands nothing on and is not taken for another one. */
function furtherProblems(at: string, { name, needs, outputs }: Mapping, jobs: Mapping): string[] {
  const problems = isName(name) ? [] : [`${at}/name: ${JSON.stringify(name)}`];
  if (TAKEN.some((taken) => String(name).startsWith(taken))) problems.push(`${at}/name: that of a required check`);
  if (outputs !== undefined) problems.push(`${at}/outputs: not for a job that only tests`);
  const names = needs === undefined ? [] : Array.isArray(needs) ? needs : [needs];
  return [
    ...problems,
    ...names
      .filter((one) => typeof one !== 'string' || !Object.hasOwn(jobs, one))
      .map((one) => `${at}/needs: ${one} is not a job of this file`),
  ];
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

/** A checkout without the token, Node.js without a cache, then commands of ours, one a step; what they found is kept where KEEPS says. */
function stepProblems(at: string, steps: Value | undefined, told: NamedJob | undefined): string[] {
  if (!Array.isArray(steps)) return [`${at}/steps: none`];
  const [file, job] = at.split('/') as [string, string];
  const kept = Object.hasOwn(KEEPS, file) ? KEEPS[file]?.(job) : undefined;
  const [first, second, ...further] = steps as readonly Value[];
  const scripts = kept ? further.slice(0, -1) : further;
  const node = isRecord(second) && isRecord(second.with) ? second.with['node-version'] : undefined;
  const version = node === x('matrix.node') ? node : 24;
  const problems = [
    ...differences(checkout, first, `${at}/steps/0`),
    ...differences(
      { ...node24, with: { ...(node24.with as Mapping), 'node-version': version } },
      second,
      `${at}/steps/1`,
    ),
    ...scripts.flatMap((step, index) => scriptProblems(`${at}/steps/${index + 2}`, step, told)),
    ...(kept ? differences(kept, further.at(-1), `${at}/steps/last`) : []),
  ];
  if (!told) return problems;
  const found = scripts.map((step) => (isRecord(step) ? (step.run ?? null) : null));
  const must = told.steps.map(({ run }) => run);
  const given = told.steps.flatMap(({ id, env }, index) => {
    const step = scripts[index];
    return isRecord(step) ? differences(givenTo({ id, env }), givenTo(step), `${at}/steps/${index + 2}`) : [];
  });
  return [...problems, ...differences(must, found, `${at}: what it runs`), ...given];
}

/** What a step is called and given. */
const givenTo = ({ id, env }: { readonly id?: Value | undefined; readonly env?: Value | undefined }): Mapping => ({
  ...(id !== undefined && { id }),
  ...(env !== undefined && { env }),
});

function scriptProblems(at: string, step: Value, told: NamedJob | undefined): string[] {
  if (!isRecord(step)) return [`${at}: not a step`];
  const problems = Object.keys(step)
    .filter((key) => !['name', 'id', 'run', 'env'].includes(key))
    .map((key) => `${at}: ${key} is not for a step that only tests`);
  if (typeof step.name !== 'string' || !/^[\w ,.'()-]+$/.test(step.name))
    problems.push(`${at}/name: ${JSON.stringify(step.name)}`);
  if (typeof step.run !== 'string' || !COMMAND.test(step.run) || NPM_OPTIONS.test(step.run))
    problems.push(`${at}/run: not one command of ours: ${JSON.stringify(step.run)}`);
  // What a job of the table is given is told there.
  if (told) return problems;
  if (step.id !== undefined) problems.push(`${at}/id: ${JSON.stringify(step.id)}`);
  for (const [name, value] of Object.entries(isRecord(step.env) ? step.env : {})) {
    if (!Object.hasOwn(VARIABLES, name) || VARIABLES[name] !== value)
      problems.push(`${at}/env: ${name} is ${JSON.stringify(value)}`);
  }
  if (step.env !== undefined && !isRecord(step.env)) problems.push(`${at}/env: not a list of variables`);
  return problems;
}

/** A name is only shown; an expression in it is a value of the matrix. */
function isName(name: Value | undefined): boolean {
  return typeof name === 'string' && /^(?! )[\w ,.'()-]*(\$\{\{ matrix\.(node|image) \}\})?$/.test(name) && name !== '';
}
