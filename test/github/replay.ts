import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { REHEARSAL_REPOSITORY } from '../../build/github/gh.ts';
import { openRehearsalAuthority, REHEARSAL_TEAM } from '../../src/rehearsal/authority.ts';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { externalSignerFor, type KeyService, SERVICES, startKeyService } from '../support/key-services/key-service.ts';
import { findOnPath, needs } from '../support/needs.ts';
import { SEALED_STEP } from '../support/sealed-step.ts';
import { certificatesOf, secretsOf } from '../support/stored-keys.ts';
import { testAuthority } from '../support/test-authority.ts';
import { placeNode } from './answered-node.ts';
import { type GitHubState, placeGh } from './fake-gh.ts';
import { git, placeOrigin } from './origin.ts';
import { type Run, Runner, type RunnerOptions, type Trigger } from './runner.ts';

/** A release of this project on this machine: its repository, GitHub and Apple, all stand-ins. */
export interface Replay {
  readonly runner: Runner;
  readonly scratch: string;
  readonly origin: string;
  /** The commit that the repository began with: its version has a date. */
  readonly commit: string;
  readonly version: string;
  /** Starts a workflow of the newest commit of main, as a push of it does by default. */
  start(file: string, trigger?: Partial<Trigger>): Promise<Run>;
  /** Changes files and commits them: a merge. Returns the commit. */
  merge(change: (folder: string) => void): string;
  /** What the stand-in of GitHub holds, as its file says now. */
  github(): GitHubState;
  /** Makes a call of `gh` fail once: before or after the deed. */
  fault(call: string, when: 'before' | 'after', words: string): void;
  change(edit: (state: GitHubState) => void): void;
  /** Number of submissions that the stand-in of the notary has seen. */
  submissions(): number;
  /** What the key service and GitHub's issuer of tokens were asked; undefined with stored keys. */
  readonly service: KeyService | undefined;
  /** Folder of the signing keys; no job without the environment `signing` may find a byte of them. */
  readonly signingKeys: readonly string[];
}

/** What a replay of a whole release needs of the machine. */
export const replayNeeds = [simulatedMacNeeds, SEALED_STEP, needs('jq', 'bsdtar', 'clang', 'curl', 'openssl')].find(
  ({ missing }) => missing,
) ?? {
  missing: false,
  note: '',
};

/** Makes a repository with a dated changelog, so that its commit is a release, and everything around it. */
export async function makeReplay(scratch: string, options: ReplayOptions = {}): Promise<Replay> {
  const origin = join(scratch, 'origin');
  const homes = await makeHomes(join(scratch, 'apple'));
  const authority = await openRehearsalAuthority(homes.signing);
  const { keys } = options;
  const commit = await placeOrigin(origin, authority, keys && externalSignerFor(keys, authority).settings);
  let [before, head] = ['0'.repeat(40), commit];
  const state = join(scratch, 'github');
  mkdirSync(state, { recursive: true });
  const file = join(state, 'github.json');
  cpSync('test/github/empty-github.json', file);
  const read = (): GitHubState => JSON.parse(readFileSync(file, 'utf8'));
  const change = (edit: (value: GitHubState) => void) => {
    const value = read();
    edit(value);
    writeFileSync(file, JSON.stringify(value));
  };
  const quick = options.quick === true && ofTheDay !== '';
  const bin = join(scratch, 'bin');
  const answered = quick ? join(bin, 'answered') : undefined;
  makeBin(bin);
  await placeGh(bin, state);
  if (answered) await placeQuick(answered, scratch);
  // The notary has been asked where that is not what the story is about.
  if (quick && !options.anew?.test('release.yml/wait')) writeFileSync(join(scratch, 'answers-of-wait'), '0\n');
  const subject = `repo:${REHEARSAL_REPOSITORY}:environment:signing`;
  const service = keys && (await startKeyService(join(scratch, 'service'), keys, authority, subject));
  if (service) for (const name of ['aws', 'az']) cpSync(join(service.bin, name), join(bin, name));
  const runner = new Runner({
    scratch,
    origin,
    repository: REHEARSAL_REPOSITORY,
    bin,
    variables: keys ? { SIGNING_KEYS: keys, ...SERVICES[keys].variables } : {},
    ...(service && { tokensFor: (of) => service.environmentFor(of) }),
    macBin: resolve('test/github/fake-mac'),
    secrets: { signing: keys ? {} : await secretsOf(authority) },
    onMac: (image) => ({ SMOKE_FAULT: '', ...options.onMac?.(image), FAKE_AUTHORITIES: authoritiesIn(homes.signing) }),
    prepare: (at, environment, workspace) => {
      giveHome(homes, at, environment, workspace);
      if (quick && at.startsWith('ci.yml/')) giveAuthority(homes.signing, workspace);
      const program = join(workspace, '.build/cli.mjs');
      if (options.poison && existsSync(program)) writeFileSync(program, options.poison(readFileSync(program, 'utf8')));
    },
    attested: (of, digests, sbom) =>
      change((value) => {
        for (const digest of digests) value[sbom ? 'described' : 'attested'][digest] = of;
      }),
    ...(options.kill && { kill: options.kill }),
    ...(options.short && { short: true }),
    ...(quick && {
      answers: (at) => !(options.anew?.test(at) && STARTED_TODAY.includes(at)),
      keeping: {
        state,
        notary: join(homes.notary, 'notary'),
        words: [
          options.poison?.(readFileSync('.build/cli.mjs', 'utf8')) ?? '',
          ...Object.values(certificatesOf(authority)),
        ],
        anew: (at) => at === options.kill?.at || options.anew?.test(at) === true,
      },
    }),
  });
  return {
    runner,
    scratch,
    origin,
    commit,
    start: (file, trigger = {}) => runner.start(file, { commit: head, payload: { before }, ...trigger }),
    merge: (edit) => {
      edit(origin);
      git(origin, 'commit', '--quiet', '--all', '--allow-empty', '--message', 'a merge');
      before = head;
      head = git(origin, 'rev-parse', 'HEAD').trim();
      return head;
    },
    version: JSON.parse(readFileSync(join(origin, 'package.json'), 'utf8')).version,
    github: read,
    change,
    fault: (call, when, words) => change((value) => value.faults.push({ call, when, words })),
    submissions: () => countSubmissions(homes.notary),
    signingKeys: homes.signingKeys,
    service,
  };
}

/** How a replay is made. */
interface ReplayOptions extends Partial<Pick<RunnerOptions, 'kill' | 'short' | 'onMac'>> {
  /** By day jobs that were played before are given again, and this process answers for Node; a night plays all. */
  readonly quick?: boolean;
  /** Jobs that are played whatever is kept: each in the story that asks about it. */
  readonly anew?: RegExp;
  /** Changes the command line before it runs, as a package of npm can. */
  readonly poison?: (commandLine: string) => string;
  /** The service that holds the signing keys; without it they are stored in secrets. */
  readonly keys?: keyof typeof SERVICES;
}

function makeBin(bin: string): void {
  mkdirSync(bin, { recursive: true });
  // The tests of a test would run themselves; what they are is said by what they print. The command line is started as npm
  // starts it, by the line in package.json, without npm's own start for each of some hundred steps.
  const npm = join(bin, 'npm');
  writeFileSync(
    npm,
    `#!/bin/sh
case "$*" in
  test | 'run check' | 'run test:interop'*) echo "npm $*" ;;
  'run -s cli -- '*) line=$(jq -r .scripts.cli package.json) && shift 4 && exec sh -c "$line \\"\\$@\\"" npm "$@" ;;
  *) exec "${findOnPath('npm')}" "$@" ;;
esac
`,
  );
  chmodSync(npm, 0o755);
  // A wait of hours is not played: what `wait` would be told is read from a file, one exit code a turn, or `ask`; then it really asks.
  const node = join(bin, 'of-wait', 'node');
  mkdirSync(dirname(node));
  const answers = join(dirname(bin), 'answers-of-wait');
  writeFileSync(
    node,
    `#!/bin/sh\ncase "$*" in *'--max-wait 330m'*) if [ -s "${answers}" ]; then code=$(head -n 1 "${answers}"); tail -n +2 "${answers}" >"${answers}.rest"; mv "${answers}.rest" "${answers}"; [ "$code" = ask ] || exit "$code"; fi ;; esac\nPATH=\${PATH#*/of-wait:}\nexec node "$@"\n`,
  );
  chmodSync(node, 0o755);
  // What apt-get would install is looked for on this machine.
  const sudo = join(bin, 'sudo');
  writeFileSync(sudo, '#!/bin/sh\n[ "$1" = apt-get ] || exec /usr/bin/sudo "$@"\n');
  chmodSync(sudo, 0o755);
}

/** Programs that a step starts again and again, by quicker ones; a day starts the real ones in some jobs, a night in all. */
async function placeQuick(bin: string, scratch: string): Promise<void> {
  await placeNode(bin);
  // The command line at once, without looking again whether this tree's modules and command line are there. A Mac rehearses with the
  // portable tools, as Linux did before it.
  const npm = `#!/bin/sh
case "$*" in
  'run -s cli -- '*) shift 4 && exec node .build/cli.mjs "$@" ;;
  'start -- --rehearsal --toolchain portable --out '*) exec cp -a "${scratch}"/run-*/attempt-1/ci.yml-linux-*/work/out "$7" ;;
  *) exec "${dirname(bin)}/npm" "$@" ;;
esac
`;
  // In C, for a program in Perl.
  const shasum = `#!/bin/sh\n[ "$1 $2" = '-a 256' ] || exit 97\nshift 2 && exec sha256sum "$@"\n`;
  for (const [name, program] of Object.entries({ npm, shasum }))
    writeFileSync(join(bin, name), program, { mode: 0o755 });
}

/** What each kind of job may have of the rehearsal: the notary's side, or certificates alone; all keys are in `signing`. */
interface Homes {
  readonly signing: string;
  readonly notary: string;
  readonly stranger: string;
  readonly signingKeys: readonly string[];
}

async function makeHomes(folder: string): Promise<Homes> {
  const [signing, notary, stranger] = ['signing', 'notary', 'stranger'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  await testAuthority(signing);
  // A line of the primes: the first lines of PKCS #8 hold the modulus, which is in the certificate too.
  const keyOf = (member: string) =>
    readFileSync(join(signing, 'authority', `${member}.key.pem`), 'utf8').split('\n')[15] as string;
  for (const [home, strip] of [
    [notary, (name: string) => /^(application|installer|developerIdAuthority)\./.test(name)],
    [stranger, () => true],
  ] as const) {
    cpSync(signing, home, { recursive: true });
    for (const name of readdirSync(join(home, 'authority'))) {
      if (name.endsWith('.key.pem') && strip(name)) writeFileSync(join(home, 'authority', name), uselessKey());
    }
  }
  return { signing, notary, stranger, signingKeys: [keyOf('application'), keyOf('installer')] };
}

/** The team of a rehearsal and the root of its certificates, as the simulated Mac wants to know them. */
export function authoritiesIn(home: string): string {
  const root = readFileSync(join(home, 'authority/root.cer'));
  return `${REHEARSAL_TEAM} ${createHash('sha1').update(root).digest('hex')}`;
}

/** Certificates are read with their key; whoever may not sign gets one that fits no certificate. */
function uselessKey(): string {
  return generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string;
}

/** Jobs of which their story starts every program, as at night: of those with a checkout and of the sealed ones one each a day. */
const STARTED_TODAY = byDay(
  [
    ...['release.yml/plan', 'build.yml/parts', 'build.yml/again', 'release.yml/review', 'release.yml/verify'],
    ...['code', 'packages', 'signed', 'submit', 'wait', 'staple', 'publish'].map((id) => `release.yml/${id} sealed`),
  ],
  0,
  (name) => name.split(' ')[1] ?? 'with a checkout',
).map((name) => name.split(' ')[0] as string);

const STAMPING = ['code', 'packages', 'signed'].map((id) => `release.yml/${id}`);
/** The signing keys are secrets; of the rehearsal's other side, the folder .rehearsal, each job gets what it would have of Apple's. */
function giveHome(homes: Homes, at: string, environment: string | undefined, workspace: string): void {
  const place = join(workspace, '.rehearsal');
  if (existsSync(place)) return;
  // Those that stamp know the rehearsal's timestamp authority, as they know Apple's.
  if (environment === 'notary' || STAMPING.includes(at)) symlinkSync(homes.notary, place);
  else if (at === 'release.yml/verify' || at === 'release.yml/look') symlinkSync(homes.stranger, place);
}

/** A rehearsal that nothing was given makes an authority of its own, which takes longer than all else that it does. */
function giveAuthority(signing: string, workspace: string): void {
  const place = join(workspace, '.rehearsal/authority');
  if (!existsSync(place)) cpSync(join(signing, 'authority'), place, { recursive: true });
}

function countSubmissions(home: string): number {
  const folder = join(home, 'notary');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).filter((name) => /^[0-9a-f-]{36}\.json$/.test(name)).length;
}
