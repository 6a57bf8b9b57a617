import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cli } from '../../support/cli.ts';
import { SEALED_STEP, sealedStep } from '../../support/sealed-step.ts';

const PASSWORD = 'Geheim-0815-Losung';
const P12 = randomBytes(300).toString('base64');
let scratch: string;
let parts: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sealed-'));
  parts = join(scratch, 'parts');
  expect(cli(['parts', '--out', parts]).status).toBe(0);
  const begun = cli(['timestamp', '--compiled', parts, '--record', join(scratch, 'signing.json')]);
  expect(begun.status, begun.stderr).toBe(0);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

interface Robbery {
  readonly status: number | null;
  readonly printed: string;
  /** What the sealed step let out; undefined when nothing. */
  readonly out: any;
  /** Bytes that reached a server of this machine, on any way. */
  readonly received: number;
  readonly marker: string;
  readonly folder: string;
}

/** Runs the real sealed step with a poisoned command line. */
async function rob(name: string, end: number | 'abort'): Promise<Robbery> {
  const folder = join(scratch, name);
  mkdirSync(folder, { mode: 0o777 });
  const poisoned = join(folder, 'parts');
  cpSync(parts, poisoned, { recursive: true });
  const command = readFileSync(join(parts, 'cli.mjs'), 'utf8');
  writeFileSync(join(poisoned, 'cli.mjs'), `import './hostile-dependency.mjs';\n${command}`);
  cpSync('test/build/setup/hostile-dependency.mjs', join(poisoned, 'hostile-dependency.mjs'));
  let received = 0;
  const count = (socket: NodeJS.ReadableStream) => socket.on('data', (part) => void (received += part.length));
  const marker = randomBytes(8).toString('hex');
  const [socket, abstract] = [join(folder, 'socket'), `\0${marker}`];
  const [tcp, unix, hidden] = [createServer(count), createServer(count), createServer(count)];
  const udp = createSocket('udp4', (message) => void (received += message.length));
  await new Promise<void>((done) => tcp.listen(0, '127.0.0.1', done));
  const { port } = tcp.address() as { port: number };
  await new Promise<void>((done) => unix.listen(socket, done));
  await new Promise<void>((done) => hidden.listen(abstract, done));
  await new Promise<void>((done) => udp.bind(port, '127.0.0.1', done));
  writeFileSync(join(poisoned, 'plan.json'), JSON.stringify({ port, socket, abstract, folder, marker, end }));
  const out = join(folder, 'signed.json');
  const env = { APPLICATION_P12_BASE64: P12, APPLICATION_P12_PASSWORD: PASSWORD, INSTALLER_P12_PASSWORD: 'another' };
  const run = await sealedStep('application', { parts: poisoned, record: join(scratch, 'signing.json'), out, env });
  for (const server of [tcp, unix, hidden, udp]) server.close();
  return { ...run, out: existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : undefined, received, marker, folder };
}

describe.skipIf(SEALED_STEP.missing)(`a poisoned dependency beside the key${SEALED_STEP.note}`, () => {
  let robbery: Robbery;
  beforeAll(async () => {
    robbery = await rob('robbed', 0);
  });

  it('runs at all, and has the key in its hands', () => {
    expect(robbery).toMatchObject({ status: 0, out: { loot: `${P12}${PASSWORD}` } });
    expect(Object.keys(robbery.out.outcomes)).toHaveLength(32);
  });

  it('finds every way out closed', () => {
    const open = Object.entries<string>(robbery.out.outcomes).filter(([, words]) => !words.startsWith('closed'));
    // Signal 15 to the first process of its own little world ends nothing outside, and the first process passes it over.
    expect(open.filter(([name]) => name !== 'signal the first process')).toEqual([]);
    expect(robbery.received).toBe(0);
    expect(readdirSync(robbery.folder).sort()).toEqual(
      ['parts', 'signed.json', 'socket'].filter((name) => name !== 'socket'),
    );
  });

  it('is nobody, alone, with the secrets of its role and nothing else', () => {
    const { env, argvHoldsLoot, user, groups, root, interfaces } = robbery.out;
    expect(env).toEqual(['APPLICATION_P12_BASE64', 'APPLICATION_P12_PASSWORD']);
    expect({ argvHoldsLoot, user, groups, interfaces }).toEqual({
      argvHoldsLoot: false,
      user: 65534,
      groups: [65534],
      interfaces: [],
    });
    expect(root.filter((name: string) => !name.startsWith('lib'))).toEqual(['bin', 'dev', 'in', 'out', 'record.json']);
  });

  it('cannot print, and leaves no process behind', () => {
    expect(robbery.printed).toBe('');
    expect(commandLines().filter((words) => words.includes(robbery.marker))).toEqual([]);
  });

  it('gets nothing through what is checked afterwards', () => {
    const signed = join(robbery.folder, 'signed.json');
    const checked = cli([
      'timestamp',
      '--compiled',
      parts,
      '--record',
      join(scratch, 'signing.json'),
      '--signed',
      signed,
    ]);
    expect([checked.status, checked.stderr]).toEqual([6, expect.stringContaining('is not in the one form it has')]);
    expect(checked.stdout + checked.stderr).not.toContain(PASSWORD);
  });

  it.each([
    [77, 1],
    [42, 1],
    ['abort', 1],
  ] as const)('says nothing by ending with %s', async (end, status) => {
    const { printed, out, folder, ...run } = await rob(`ended-${end}`, end);
    expect([run.status, out]).toEqual([status, undefined]);
    expect(printed).toBe(
      'sealed: the command failed; nothing of what it said can be shown, as the key was beside it\n',
    );
    // No core file, which would hold the key.
    expect(readdirSync(folder)).toEqual(['parts']);
  });
});

/** Command lines of all processes of this machine. */
function commandLines(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    });
}

describe('sealed.sh', () => {
  const run = (argv: readonly string[]) =>
    new Promise<{ status: number | null; printed: string }>((done) => {
      const child = spawn('/bin/sh', ['build/setup/sealed.sh', ...argv]);
      let printed = '';
      child.stderr.on('data', (part) => void (printed += part));
      child.on('close', (status) => done({ status, printed }));
    });

  it.each([
    [[], 'use: sealed.sh --role'],
    [['--role', 'other'], 'use: sealed.sh --role'],
    [['--role'], '--role needs a value'],
    [['--password', 'x'], 'unknown option --password'],
    [['--role', 'installer', '--parts', '/nonexistent'], 'holds no cli.mjs'],
  ])('refuses %j', async (argv, words) => {
    expect(await run(argv)).toEqual({ status: 2, printed: expect.stringContaining(words) });
  });
});
