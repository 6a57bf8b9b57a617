import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { builtPackage } from '../support/built-package.ts';
import { inProcess } from '../support/in-process.ts';

/** What somebody has at the place where a command is to write. */
const MINE = 'the only copy of something\n';

let scratch: string;
let parts: string;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'replace-'));
  parts = join(scratch, 'parts');
  // An empty folder is as good as none.
  mkdirSync(parts);
  const run = await inProcess(['parts', '--out', parts]);
  expect(run.status, run.stderr).toBe(0);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A command that writes, and what it says of a file that is in its way. */
interface Writer {
  /** The option, or the argument, that names what is written. */
  readonly place: string;
  /** Words that have it write to `target`. */
  argv(target: string): readonly string[];
  /** Where somebody's file lies, seen from `target`. */
  readonly inTheWay?: string;
  readonly code: string;
  /** Whether --replace lets it take the place. */
  readonly replaces?: true;
}

const rehearsal = () => join(inject('releaseFolder'), '.');
const OWNER = ['--email', 'owner@example.com', '--name', 'Example'];

const WRITERS: Readonly<Record<string, Writer>> = {
  release: {
    place: '--out',
    argv: (target) => ['release', '--rehearsal', '--out', target],
    inTheWay: '1.1.0/Escrow.Buddy-1.1.0.pkg',
    code: 'OUT_HOLDS_FILES',
  },
  build: {
    place: '--out',
    argv: (target) => ['build', '--out', target],
    inTheWay: '1.1.0/Escrow.Buddy-1.1.0-rehearsal.pkg',
    code: 'OUT_HOLDS_FILES',
  },
  parts: { place: '--out', argv: (target) => ['parts', '--out', target], code: 'TARGET_EXISTS' },
  csr: {
    place: '--out',
    argv: (target) => ['csr', ...OWNER, '--out', target],
    inTheWay: 'installer.certSigningRequest',
    code: 'TARGET_EXISTS',
  },
  timestamp: {
    place: '--record',
    argv: (target) => ['timestamp', '--compiled', parts, '--record', target],
    code: 'JSON_INVALID',
  },
  expand: {
    place: '<folder>',
    argv: (target) => ['expand', builtPackage(), target],
    inTheWay: 'mine',
    code: 'TARGET_EXISTS',
  },
  verify: {
    place: '--html',
    argv: (target) => ['verify', '--trust', 'rehearsal', builtPackage(), '--html', target],
    code: 'TARGET_EXISTS',
  },
  evidence: {
    place: '--out',
    argv: (target) => ['evidence', rehearsal(), '--out', target],
    code: 'TARGET_EXISTS',
    replaces: true,
  },
  kit: {
    place: '--out',
    argv: (target) => ['kit', builtPackage(), '--out', target],
    code: 'TARGET_EXISTS',
    replaces: true,
  },
  index: { place: '<file>', argv: (target) => ['index', target, '--add', rehearsal()], code: 'JSON_INVALID' },
  staple: { place: '<file>', argv: (target) => ['staple', '--trust', 'rehearsal', target], code: 'KIND_UNSUITABLE' },
  'github pack': { place: '--to', argv: (target) => ['github', 'pack', parts, '--to', target], code: 'TARGET_EXISTS' },
};

/** test/build/signers/key-service-tests.ts has the key that it needs. */
const HELD_ELSEWHERE: Readonly<Record<string, string>> = { digests: '--out' };

/** Options and arguments that name something which is only read. */
const ONLY_READ = new Set([
  ...['--compiled', '--signatures', '--previous', '--public-key', '--policy', '--evidence', '--trusted-root'],
  ...[
    '--attestation',
    '--source',
    '--check',
    '--extras',
    '--add',
    '--since',
    '--signed',
    '--parts',
    '--folder',
    '--bundle',
    '--verdicts',
  ],
]);

let count = 0;
/** A place of its own for each, and what is in the way there. */
function taken({ inTheWay = '' }: Writer): { target: string; mine: string } {
  const target = join(scratch, `target-${count++}`);
  const mine = join(target, inTheWay);
  mkdirSync(dirname(mine), { recursive: true });
  writeFileSync(mine, MINE);
  return { target, mine };
}

describe.each(Object.entries(WRITERS))('%s', (_, writer) => {
  it('leaves what is in its way, and makes nothing beside it', async () => {
    const { target, mine } = taken(writer);
    const before = readdirSync(dirname(mine));
    const run = await inProcess([...writer.argv(target), '--json']);
    expect(JSON.parse(run.stdout).error, run.stderr).toMatchObject({ code: writer.code, hint: expect.any(String) });
    expect(readFileSync(mine, 'utf8')).toBe(MINE);
    expect(readdirSync(dirname(mine))).toEqual(before);
  });
});

it.each(Object.entries(WRITERS).filter(([, { replaces }]) => replaces))(
  '%s takes its place when asked, and says so',
  async (_, writer) => {
    const { target, mine } = taken(writer);
    const run = await inProcess([...writer.argv(target), '--replace']);
    expect(run.stdout, run.stderr).toContain(', in place of the one that was there');
    expect(readFileSync(mine, 'utf8')).not.toBe(MINE);
  },
);

it('parts fills no folder that holds something', async () => {
  const target = join(scratch, 'held');
  mkdirSync(target);
  writeFileSync(join(target, 'mine'), MINE);
  const run = await inProcess(['parts', '--out', target]);
  expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('held is there already')]);
  expect(readdirSync(target)).toEqual(['mine']);
});

it('every option that names a file or folder is one of those, or is only read', async () => {
  const named = (help: string) => [...help.matchAll(/^ {2}(--[\w-]+) <(?:file|folder|zip|package|path)>/gm)];
  const commands = [...(await inProcess(['--help'])).stdout.matchAll(/^ {2}(\w+) (?:\[|<)/gm)].map(
    ([, name]) => name as string,
  );
  const inner = [...(await inProcess(['github', '--help'])).stdout.matchAll(/^ {2}([\w-]+) \[options\]/gm)].map(
    ([, name]) => `github ${name}`,
  );
  const unknown: string[] = [];
  for (const command of [...commands, ...inner]) {
    const help = (await inProcess([...command.split(' '), '--help'])).stdout;
    const place = WRITERS[command]?.place ?? HELD_ELSEWHERE[command];
    const isRead = (name: string) => ONLY_READ.has(name) || (command !== 'timestamp' && name === '--record');
    const names = named(help).map(([, name]) => name as string);
    unknown.push(...names.filter((name) => name !== place && !isRead(name)).map((name) => `${command} ${name}`));
  }
  expect(commands.length + inner.length).toBeGreaterThan(25);
  expect(unknown).toEqual([]);
});

describe('a page of verify', () => {
  const page = () => join(scratch, 'page.html');
  const write = (...more: string[]) =>
    inProcess(['verify', '--trust', 'rehearsal', builtPackage(), '--html', page(), ...more]);

  it('takes the place of the same page, of another page only when asked, and of nothing else', async () => {
    expect((await write()).status).toBe(0);
    expect((await write()).stderr).not.toContain('in place of');
    cpSync(join(rehearsal(), 'report.html'), page());
    expect(await write()).toMatchObject({ status: 2, stderr: expect.stringContaining('--replace') });
    expect(await write('--replace')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('in place of the one'),
    });
    writeFileSync(page(), MINE);
    expect((await write('--replace')).status).toBe(2);
    expect(readFileSync(page(), 'utf8')).toBe(MINE);
  });
});
