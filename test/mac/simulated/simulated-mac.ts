import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { byDay } from '../../support/by-day.ts';

const HERE = import.meta.dirname;

/** The repository's folder. */
export const REPOSITORY = resolve(HERE, '../../..');

/** Status of a run that waited for ever, or longer than its limit of simulated time. */
export const TIME_UP = 124;

/** What the clock of a new disk shows; as in standins/time.c. */
const FIRST_SECOND = 1_794_988_800;

/** Status of a script that a `kill` fault ended: 128 + SIGKILL. */
export const KILLED = 137;

/** How one program on the simulated Mac ended. */
export interface Run {
  readonly status: number;
}

/** What one call of a tool looked like; stdin only where the tool read it, as `FNV-1a-64:size`. */
export interface RecordedCall {
  readonly argv: readonly string[];
  readonly uid: number;
  readonly cwd: string;
  readonly stdin?: string;
  readonly status: number;
}

/** The right as authd holds it, read by the stand-ins' own reader. */
export interface Right {
  readonly class?: unknown;
  readonly mechanisms?: readonly string[];
  readonly version?: unknown;
  readonly [key: string]: unknown;
}

/** Options of one run. */
export interface RunOptions {
  readonly folder?: string;
  /** Simulated seconds; see virtual-time.h. */
  readonly limitSeconds?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** The launchd job whose script this is: `launchctl bootout` of it kills the script. */
  readonly job?: string;
  /** Every write to the disk fails, every removal too. */
  readonly readOnly?: boolean;
}

export type Shell = 'dash' | 'bash' | 'zsh';

/** The shells that macOS's /bin/sh may be, as /private/var/select/sh says: bash in POSIX mode, dash, or zsh as sh. */
export const SHELLS: readonly Shell[] = (['dash', 'bash', 'zsh'] as const).filter(
  // bash and dash have to be there; see simulatedMacNeeds.
  (shell) => shell !== 'zsh' || existsSync('/usr/bin/zsh') || existsSync('/bin/zsh'),
);

/** The one that long tests take today; at night they take each. */
export const SHELLS_OF_THE_DAY: readonly Shell[] = byDay(SHELLS, 1);

/**
 * Returns a started simulated Mac with a fresh disk: the stock right of macOS 15, nothing of ours.
 *
 * One Mac is one disk and one server process; runs on it come one after the other. Call `stop()` at the end.
 *
 * @throws Error when this system allows no namespaces; ask `simulatedMacNeeds()` before
 * @example
 * const mac = await SimulatedMac.start('dash');
 * await mac.run(['/bin/sh', '/private/tmp/script']);
 */
export class SimulatedMac {
  readonly work: string;
  readonly disk: string;
  /** Whether every write to the disk fails in the next runs, unless a run says otherwise. */
  readOnly = false;
  #server: ChildProcess;
  #answers: Interface;
  #waiting: ((line: string) => void)[] = [];
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(work: string, built: string) {
    this.work = work;
    this.disk = join(work, 'disk');
    this.#server = spawn(join(built, 'serve'), [this.disk, join(built, 'base'), '/usr'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#answers = createInterface({ input: this.#server.stdout! });
    this.#answers.on('line', (line) => this.#waiting.shift()?.(line));
    this.#server.on('exit', () => {
      for (const answer of this.#waiting.splice(0)) answer('error the simulated Mac ended');
    });
  }

  static async start(shell: Shell = 'dash'): Promise<SimulatedMac> {
    const built = build();
    const memory = '/dev/shm';
    const work = mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'simulated-mac-'));
    execFileSync('/bin/sh', [join(HERE, 'new-root.sh'), join(work, 'disk'), stockRight('macos-15'), shell]);
    return new SimulatedMac(work, built);
  }

  /** Runs a program on the Mac, as root with an installer's bare environment. */
  async run(program: readonly string[], options: RunOptions = {}): Promise<Run> {
    const { folder = '/', limitSeconds = 3600, environment = {}, job = '-', readOnly = this.readOnly } = options;
    const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
    const where = [folder, String(limitSeconds), job, readOnly ? 'read-only' : 'writable'];
    return { status: Number(await this.#ask(['run', ...where, ...variables, '--', ...program])) };
  }

  /** The simulated time, in seconds since 1970. */
  now(): number {
    const path = this.path('/.sim/clock');
    return FIRST_SECOND + (existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0);
  }

  /** Lets simulated time pass in which nothing happens. */
  async pass(seconds: number): Promise<void> {
    await this.put('/.sim/clock', (this.now() - FIRST_SECOND + seconds).toFixed(3), 0o600);
  }

  /** Runs shell text with the Mac's /bin/sh, and returns what it printed. */
  async shell(text: string, options: RunOptions = {}): Promise<Run & { stdout: string; stderr: string }> {
    writeFileSync(join(this.work, 'disk/.sim/text.sh'), text);
    const run = await this.run(['/bin/sh', '/.sim/text.sh'], options);
    return { ...run, stdout: this.stdout(), stderr: this.stderr() };
  }

  /** Makes the disk a copy of `folder`, made by `save` before. */
  async reset(folder: string): Promise<void> {
    await this.#well(['reset', folder]);
  }

  /** Saves the disk as a folder: one of that name beside it, or at a path; returns where it is. */
  async save(name: string): Promise<string> {
    const folder = resolve(this.work, name);
    await this.#well(['save', folder]);
    return folder;
  }

  /** Returns the login right as authd holds it, or null when it cannot be read. */
  async right(name = 'system.login.console'): Promise<Right | null> {
    return JSON.parse(await this.#ask(['right', name]));
  }

  /** Returns 'ok', or what codesign would say of the bundle at a path of the Mac. */
  async seal(path: string): Promise<string> {
    return this.#ask(['seal', this.path(path)]);
  }

  /** Where a path of the Mac lies on the host. */
  path(path: string): string {
    return join(this.disk, path.replace(/^\/(tmp|var|etc)(?=\/|$)/, '/private/$1'));
  }

  /** Writes a file of the Mac; folders above it are made. */
  async put(path: string, content: string | Buffer, mode = 0o644): Promise<void> {
    await mkdir(dirname(this.path(path)), { recursive: true });
    await writeFile(this.path(path), content, { mode });
  }

  /** Makes `bytes` what `security authorizationdb read system.login.console` prints. */
  async setRight(bytes: string | Buffer, read?: { exit: number; stderr: string }): Promise<void> {
    await this.put('/.sim/rights/system.login.console', bytes, 0o600);
    rmSync(this.path('/.sim/rights/system.login.console.exit'), { force: true });
    if (read && read.exit !== 0)
      await this.put('/.sim/rights/system.login.console.exit', `${read.exit} ${read.stderr}`, 0o600);
  }

  /** The bytes that `security` would print. */
  rightBytes(): Buffer {
    return readFileSync(this.path('/.sim/rights/system.login.console'));
  }

  /** Sets faults (see standins/standin.c for their form) and starts counting calls anew. */
  async faults(...lines: string[]): Promise<void> {
    rmSync(this.path('/.sim/calls'), { force: true });
    await this.put('/.sim/faults', `${lines.join('\n')}\n`, 0o600);
  }

  /** Sets what tools answer from, e.g. `{ productVersion: '26.0' }`; replaces what was set before. */
  async facts(values: Readonly<Record<string, string>>): Promise<void> {
    const lines = Object.entries(values).map(([key, value]) => `${key}=${value}\n`);
    await this.put('/.sim/facts', lines.join(''), 0o600);
  }

  /** External commands since the last `faults()` or reset. */
  calls(): number {
    const path = this.path('/.sim/calls');
    return existsSync(path) ? readFileSync(path).readUInt32LE(0) : 0;
  }

  /** All recorded calls. */
  log(): RecordedCall[] {
    const path = this.path('/.sim/log');
    if (!existsSync(path)) return [];
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as RecordedCall);
  }

  forgetLog(): void {
    rmSync(this.path('/.sim/log'), { force: true });
  }

  /** Calls that no stand-in knew: empty unless a script left what macOS tools are known to do. */
  unknownCalls(): string {
    const path = this.path('/.sim/unknown');
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  stdout(): string {
    return readFileSync(join(this.work, 'stdout'), 'utf8');
  }

  stderr(): string {
    return readFileSync(join(this.work, 'stderr'), 'utf8');
  }

  async stop(): Promise<void> {
    await this.#queue.catch(() => undefined);
    const ended = new Promise((resolve) => this.#server.once('exit', resolve));
    this.#server.stdin!.end();
    await ended;
    rmSync(this.work, { recursive: true, force: true });
  }

  async #well(words: string[]): Promise<void> {
    const answer = await this.#ask(words);
    if (answer !== 'ok') throw new Error(`${words.join(' ')}: ${answer}`);
  }

  async #ask(words: string[]): Promise<string> {
    if (words.some((word) => /[\t\n]/.test(word))) throw new TypeError('a word of a request holds a tab or line end');
    const answer = this.#queue.then(
      () =>
        new Promise<string>((resolve) => {
          this.#waiting.push(resolve);
          this.#server.stdin!.write(`${words.join('\t')}\n`);
        }),
    );
    this.#queue = answer;
    const line = await answer;
    if (line.startsWith('error ')) throw new Error(`${words[0]}: ${line}`);
    return line;
  }
}

/** The file with a release's login right as shipped, e.g. `macos-14`. */
export function stockRight(release: string): string {
  return join(REPOSITORY, 'test/fixtures/authorizationdb', `stock-${release}.plist`);
}

/** Builds programs and read-only folders unless they are there; returns their folder. */
function build(): string {
  const argv = [join(HERE, 'build.sh'), join(REPOSITORY, '.build', 'simulated-mac')];
  return execFileSync('/bin/sh', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

/** Returns why no simulated Mac can run here, for test names; empty where it can. Tries, once. */
export const simulatedMacNeeds: { missing: boolean; note: string } = (() => {
  if (process.platform !== 'linux') return { missing: true, note: ' (skipped: needs Linux)' };
  for (const shell of SHELLS)
    if (!existsSync(`/usr/bin/${shell}`) && !existsSync(`/bin/${shell}`))
      return { missing: true, note: ` (skipped: needs ${shell})` };
  try {
    const built = build();
    const disk = mkdtempSync(join(tmpdir(), 'simulated-mac-'));
    execFileSync('/bin/sh', [join(HERE, 'new-root.sh'), disk, stockRight('macos-15')]);
    execFileSync(join(built, 'run-in-root'), [disk, join(built, 'base'), '/usr', '--', '/bin/sh', '-c', ':'], {
      stdio: 'ignore',
    });
    rmSync(disk, { recursive: true });
    return { missing: false, note: '' };
  } catch {
    return { missing: true, note: ' (skipped: needs a C compiler and namespaces or root)' };
  }
})();
