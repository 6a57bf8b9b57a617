import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { MANIFEST_SCHEMA } from '../../build/plan/manifest.ts';
import { EXTRA_PACKAGES } from '../../build/plan/plan.ts';
import { type CliRun, placeCommandLine } from '../support/cli.ts';
import { sha256 } from '../support/file-digest.ts';
import { inProcess } from '../support/in-process.ts';
import { quickCompiler } from '../support/quick-compiler.ts';

/** When a run is killed: as soon as it prints these words, or after so many milliseconds. */
export type Moment = { readonly words: string } | { readonly ms: number };

/** What a killed and resumed run left; every list is empty when all is well. */
export interface Aftermath {
  /** Whether the run was killed before it came to its end. */
  readonly killed: boolean;
  readonly problems: readonly string[];
}

const STAGES = [
  'compile',
  'generate-scripts',
  'sign-code',
  'assemble-payload',
  'build-package',
  'sign-package',
  'notarize',
  'staple',
  'verify',
  'publish',
];
const FILES = [
  'Escrow.Buddy-1.1.0-rehearsal.pkg',
  'EscrowBuddy-1.1.0-rehearsal-mdm-kit.zip',
  'EscrowBuddy.cdx.json',
  'SHA256SUMS',
  'extras',
  'notary-log.json',
  'release.json',
  'report.html',
  'verify-report.json',
];
const VERSION = '1.1.0';
const SURROUNDINGS = { SOURCE_DATE_EPOCH: '1700000000', NO_COLOR: '1' };

/** A copy of the project with a rehearsal of its own, in which releases are killed and resumed. */
export class KillRange {
  readonly root = mkdtempSync(join(tmpdir(), 'kill-'));
  readonly out = join(this.root, 'out');
  readonly signed: string;

  /** @param signed the state that another one made in `prepare`, and keeps for as long */
  constructor(signed?: string) {
    this.signed = signed ?? join(this.root, 'signed');
    for (const part of ['payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json']) {
      cpSync(part, join(this.root, part), { recursive: true });
    }
    placeCommandLine(this.root);
    cpSync('.rehearsal/authority', join(this.root, '.rehearsal/authority'), { recursive: true });
  }

  /** Makes the state from which runs `from: 'signed'` begin: killed as soon as the package was signed. */
  async prepare(): Promise<void> {
    await this.#finish(['--out', this.signed, '--until', 'sign-package']);
  }

  /** Kills a release at a moment, resumes it, and looks at what is there in the end. */
  async killAndResume(moment: Moment, from: 'start' | 'signed'): Promise<Aftermath> {
    const { killed } = await this.kill(moment, from);
    return { killed, problems: await this.resume() };
  }

  /** Kills a release at a moment; `killed` is false where it came to its end before. */
  kill(moment: Moment, from: 'start' | 'signed'): Promise<Pick<Aftermath, 'killed'>> {
    const { out } = this;
    rmSync(out, { recursive: true, force: true });
    rmSync(join(this.root, '.rehearsal/notary'), { recursive: true, force: true });
    mkdirSync(out);
    if (from === 'signed') cpSync(this.signed, out, { recursive: true });
    return this.#start(['--out', out, ...(from === 'signed' ? ['--resume'] : [])], moment);
  }

  /** Resumes what was killed, and returns what is wrong in the end. */
  async resume(): Promise<string[]> {
    const { status, stderr } = await this.#finish(['--out', this.out, '--resume']);
    return status === 0 ? this.#problems(join(this.out, VERSION)) : [`the resumed run ended with ${status}: ${stderr}`];
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #start(argv: string[], moment: Moment): Promise<{ killed: boolean }> {
    const atWords = 'words' in moment ? ['--import', resolve('test/support/signal-at-words.mjs')] : [];
    const child = spawn(process.execPath, [...atWords, '.build/cli.mjs', 'release', '--rehearsal', ...argv], {
      cwd: this.root,
      env: {
        ...process.env,
        PATH: quickCompiler(),
        ...SURROUNDINGS,
        ...('words' in moment && { SIGNALS: 'SIGKILL', SIGNALS_AT: moment.words }),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.resume();
    const timer = 'ms' in moment ? setTimeout(() => child.kill('SIGKILL'), moment.ms) : undefined;
    return new Promise((done) => {
      child.on('close', (_, signal) => {
        clearTimeout(timer);
        done({ killed: signal === 'SIGKILL' });
      });
    });
  }

  /** A run to the end, in this process: what was killed was another one. */
  #finish(argv: string[]): Promise<CliRun> {
    return inProcess(['release', '--rehearsal', ...argv], { cwd: this.root, env: SURROUNDINGS });
  }

  async #problems(folder: string): Promise<string[]> {
    const manifest = MANIFEST_SCHEMA.parse(JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')));
    const found = [
      ...readdirSync(folder),
      ...readdirSync(join(folder, 'extras')).map((name) => `extras/${name}`),
    ].sort();
    const expected = [
      ...FILES,
      `extras/Escrow.Buddy.Guard-${VERSION}-rehearsal.pkg`,
      `extras/Escrow.Buddy.Request-${VERSION}-rehearsal.pkg`,
      `extras/Escrow.Buddy.Uninstall-${VERSION}-rehearsal.pkg`,
      'extras/release-notes.md',
    ];
    const done = manifest.stages.filter(({ outcome }) => outcome === 'done').map(({ name }) => name);
    const digests = manifest.files.filter((file) => sha256(join(folder, file.path)) !== file.sha256);
    const uploads = this.#completedSubmissions();
    const extras = manifest.extras ?? [];
    const recorded = [manifest.submission, ...extras.map(({ submission }) => submission)];
    const verify = ['verify', '--trust', 'rehearsal', join(folder, FILES[0] as string)];
    const verified = await inProcess(verify, { cwd: this.root });
    const held: readonly (readonly [boolean, string])[] = [
      [found.join() === expected.sort().join(), `files: ${found.join(', ')}`],
      [done.sort().join() === [...STAGES].sort().join(), `stages done: ${done.join(', ')}`],
      [manifest.submission?.status === 'Accepted', `submission: ${manifest.submission?.status}`],
      [manifest.ticket !== null, 'no ticket is recorded'],
      [digests.length === 0, `digests: ${digests.map(({ path }) => path).join(', ')}`],
      [
        extras.length === EXTRA_PACKAGES.length && extras.every(({ ticket }) => ticket !== null),
        'an extra package has no ticket',
      ],
      [recorded.every((one) => one?.status === 'Accepted'), 'a submission is not recorded as accepted'],
      [
        uploads.sort().join() ===
          recorded
            .map((one) => one?.id)
            .sort()
            .join(),
        `completed submissions: ${uploads.join(', ')}`,
      ],
      [verified.status === 0, `verify: ${verified.stdout}`],
      [/pass +Is it notarized +ticket of /.test(verified.stdout), 'the ticket was not verified'],
    ];
    return held.filter(([good]) => !good).map(([, problem]) => problem);
  }

  /** Ids of the submissions of which the rehearsal notary got the bytes. */
  #completedSubmissions(): string[] {
    const folder = join(this.root, '.rehearsal/notary');
    const records = readdirSync(folder).filter((name) => name.endsWith('.json'));
    return records
      .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')))
      .filter(({ verdict }) => verdict !== null)
      .map(({ id }) => id);
  }
}
