import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { inProcess } from '../../support/in-process.ts';
import { needs } from '../../support/needs.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';

const script = needs('script', 'stty');
const COMMAND = /^ *(?:\$ |Example: )?(?:npm|node|sh|sudo|brew|git|gh)\b/;

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'terminal-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Returns what a command says to a terminal of that many columns, line by line. */
async function toldTo(columns: number, argv: readonly string[]): Promise<string[]> {
  const { stdout, stderr } = await inProcess(argv, { columns });
  return (stderr + stdout).split('\n');
}

/** Returns what stands on a real terminal of that many columns after a command, line by line. */
function onTerminal(columns: number, argv: readonly string[]): string[] {
  const quoted = [process.execPath, '.build/cli.mjs', ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const { stdout } = spawnSync('script', ['-q', '-c', `stty cols ${columns}; ${quoted.join(' ')}`, '/dev/null'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: quickCompiler(), NO_COLOR: '1', LC_ALL: 'C.UTF-8' },
    input: '',
  });
  return stdout.replaceAll('\r', '').split('\n');
}

/** What is too long: not a command that is copied, nor one word, such as a path or a SHA-256, that cannot be broken. */
const tooLong = (lines: readonly string[], columns: number) =>
  lines.filter((line) => line.length > columns && !COMMAND.test(line) && line.trim().includes(' '));

/** Every command by what it says when it does its work, and when it cannot. */
const SAYS: readonly (() => readonly string[])[] = [
  () => ['verify', '--trust', 'rehearsal', builtPackage()],
  () => ['verify', '--trust', 'rehearsal', '--verbose', builtPackage()],
  () => ['verify', builtPackage()],
  () => ['inspect', builtPackage()],
  () => ['inspect', 'payload/Info.plist'],
  () => ['expand', builtPackage(), join(scratch, 'expanded')],
  () => ['expand', builtPackage(), scratch],
  () => ['kit', builtPackage(), '--out', join(scratch, 'kit.zip')],
  () => ['kit', builtPackage(), '--check', join(scratch, 'kit.zip')],
  () => ['evidence', inject('releaseFolder'), '--out', join(scratch, 'evidence.zip')],
  () => ['index', join(scratch, 'index.json'), '--add', inject('releaseFolder')],
  () => ['compare', builtPackage(), extra('Guard')],
  () => ['compare', '--verbose', extra('Uninstall'), extra('Guard')],
  () => ['notarize', '--status', '0000'],
  () => ['notarize'],
  () => ['staple', '--trust', 'rehearsal', builtPackage()],
  () => ['doctor'],
  () => ['doctor', '--ci'],
  () => ['doctor', 'explain', 'errSecInternalComponent'],
  () => ['csr', '--email', 'owner@example.com', '--name', 'Example', '--out', join(scratch, 'keys')],
  () => ['parts', '--out', join(scratch, 'parts')],
  () => ['timestamp', '--compiled', join(scratch, 'parts'), '--record', join(scratch, 'signing.json')],
  () => ['sign', '--role', 'application', ...recorded(), '--out', join(scratch, 'signed.json')],
  () => ['digests', ...recorded(), '--out', join(scratch, 'digests.txt')],
  () => ['release', '--release'],
  () => ['github', 'check-version'],
];
/** Whole builds, of which a day makes one: all print the same stages. */
const BUILDS: typeof SAYS = [
  () => ['prove', '--trust', 'rehearsal', extra('Guard')],
  () => ['build', '--out', join(scratch, 'build')],
  () => ['release', '--rehearsal', '--out', join(scratch, 'release')],
];
const extra = (name: string) => join(inject('releaseFolder'), `extras/Escrow.Buddy.${name}-1.1.0-rehearsal.pkg`);
const recorded = () => ['--compiled', join(scratch, 'parts'), '--record', join(scratch, 'signing.json')];

describe('a terminal of 60 columns', () => {
  it.each([...SAYS, ...byDay(BUILDS, 1)].map((argv, at) => [at, argv] as const))(
    'takes what command %i says',
    async (_, argv) => {
      const lines = await toldTo(60, argv());
      expect(lines.join('').trim()).not.toBe('');
      expect(tooLong(lines, 60)).toEqual([]);
    },
  );

  it('takes what every command says of itself, and each command is among those above', async () => {
    const names = [...(await inProcess(['--help'])).stdout.matchAll(/^ {2}(\w+) (?:\[|<)/gm)].map(([, name]) => name!);
    expect(tooLong(await toldTo(60, ['--help']), 60)).toEqual([]);
    for (const name of names) expect(tooLong(await toldTo(60, [name, '--help']), 60), name).toEqual([]);
    const said = new Set([...SAYS, ...BUILDS].map((argv) => argv()[0]));
    expect(names.length).toBeGreaterThan(15);
    expect(names.filter((name) => !said.has(name))).toEqual([]);
  });

  it('loses no word', async () => {
    const words = (lines: readonly string[]) => lines.join(' ').split(/\s+/).filter(Boolean);
    const argv = ['inspect', builtPackage()];
    expect(words(await toldTo(60, argv))).toEqual(words((await inProcess(argv)).stdout.split('\n')));
  });
});

describe.skipIf(script.missing)(`a real terminal of 60 columns${script.note}${ofTheDay}`, () => {
  // What each says after another one has made its files is told above.
  const alone = [['inspect', builtPackage()], ['release', '--release'], ['--help'], ['notarize'], ['verify', '--help']];
  it.each(byDay(alone, 2))('shows what is told to it: %s', async (...argv) => {
    const shown = onTerminal(60, argv);
    expect(shown.sort()).toEqual((await toldTo(60, argv)).sort());
  });
});
