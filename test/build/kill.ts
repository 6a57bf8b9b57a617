import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MANIFEST_SCHEMA } from '../../build/plan/manifest.ts';
import { EXTRA_PACKAGES } from '../../build/plan/plan.ts';
import { placeCommandLine } from '../support/cli.ts';
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

/** A copy of the project with a rehearsal of its own, in which releases are killed and resumed. */
export class KillRange {
  readonly root = mkdtempSync(join(tmpdir(), 'kill-'));

  constructor() {
    for (const part of ['payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json']) {
      cpSync(part, join(this.root, part), { recursive: true });
    }
    placeCommandLine(this.root);
    cpSync('.rehearsal/authority', join(this.root, '.rehearsal/authority'), { recursive: true });
  }

  /** Makes the state from which runs `from: 'signed'` begin: killed as soon as the package was signed. */
  async prepare(): Promise<void> {
    await this.#run(['--out', join(this.root, 'signed'), '--until', 'sign-package'], undefined);
  }

  /** Kills a release at a moment, resumes it, and looks at what is there in the end. */
  async killAndResume(moment: Moment, from: 'start' | 'signed'): Promise<Aftermath> {
    const out = join(this.root, 'out');
    rmSync(out, { recursive: true, force: true });
    rmSync(join(this.root, '.rehearsal/notary'), { recursive: true, force: true });
    mkdirSync(out);
    if (from === 'signed') cpSync(join(this.root, 'signed'), out, { recursive: true });
    const { killed } = await this.#run(['--out', out, ...(from === 'signed' ? ['--resume'] : [])], moment);
    const { status, stderr } = await this.#run(['--out', out, '--resume'], undefined);
    const problems =
      status === 0 ? this.#problems(join(out, VERSION)) : [`the resumed run ended with ${status}: ${stderr}`];
    return { killed, problems };
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #run(
    argv: string[],
    moment: Moment | undefined,
  ): Promise<{ killed: boolean; status: number | null; stderr: string }> {
    const env = { ...process.env, PATH: quickCompiler(), SOURCE_DATE_EPOCH: '1700000000', NO_COLOR: '1' };
    const child = spawn(process.execPath, ['.build/cli.mjs', 'release', '--rehearsal', ...argv], {
      cwd: this.root,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (part) => {
      stderr += part;
      if (moment && 'words' in moment && stderr.includes(moment.words)) child.kill('SIGKILL');
    });
    const timer = moment && 'ms' in moment ? setTimeout(() => child.kill('SIGKILL'), moment.ms) : undefined;
    return new Promise((done) => {
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        done({ killed: signal === 'SIGKILL', status, stderr });
      });
    });
  }

  #problems(folder: string): string[] {
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
    const digests = manifest.files.filter(({ path, sha256 }) => sha256Of(join(folder, path)) !== sha256);
    const uploads = this.#completedSubmissions();
    const extras = manifest.extras ?? [];
    const recorded = [manifest.submission, ...extras.map(({ submission }) => submission)];
    const verified = spawnSync(
      process.execPath,
      ['.build/cli.mjs', 'verify', '--trust', 'rehearsal', join(folder, FILES[0] as string)],
      { cwd: this.root, encoding: 'utf8' },
    );
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

const sha256Of = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
