import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import {
  closeSync,
  cpSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { byDay } from '../../support/by-day.ts';
import { checkSignatures, SEALED_STEP, sealedStep } from '../../support/sealed-step.ts';
import { DIGESTS, PASSWORD, sealedWorld } from './sealed-world.ts';

/** Bytes that the step lets out at most: as sealed.sh says. */
const LARGEST = 32_768;
const P12 = randomBytes(300).toString('base64');
const world = sealedWorld();

/** What an attacker leaves in the place of the signatures, and what the step says of it. */
const LEFT: readonly (readonly [string, string])[] = [
  ['nothing', 'the command made no file'],
  ['a folder', 'the command made no file'],
  ['a socket', 'the command made no file'],
  ['a link to nothing', 'the command made no file'],
  ['a link to a file of the machine', 'the command made no file'],
  ['a link to a file beside it', 'the command made no file'],
  ['one byte too many', 'what the command made is too large'],
];

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

/** Copies the sealed step, with Node.js and code of an attacker in the world that it builds, which run in the place of inside.sh. */
function poisoned(folder: string, plan: object): string {
  const scripts = join(folder, 'signers');
  cpSync('build/signers', scripts, { recursive: true });
  cpSync('test/build/signers/hostile.mjs', join(scripts, 'hostile.mjs'));
  writeFileSync(join(scripts, 'plan.json'), JSON.stringify(plan));
  writeFileSync(join(scripts, 'inside.sh'), 'exec /bin/node /hostile.mjs\n');
  const script = join(scripts, 'sealed.sh');
  const ours = '  bring "$OPENSSL" openssl\n';
  const more = `  bring '${process.execPath}' node\n  cp -- "$scripts/hostile.mjs" "$scripts/plan.json" "$root/"\n`;
  const text = readFileSync(script, 'utf8');
  expect(text).toContain(ours);
  writeFileSync(script, text.replace(ours, ours + more));
  return script;
}

/** Runs the real sealed step with an attacker in it. */
async function rob(name: string, end: number | 'abort', leaves?: string): Promise<Robbery> {
  const folder = join(world.scratch, name);
  mkdirSync(folder, { mode: 0o777 });
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
  const inherited = openSync(join(world.scratch, 'inherited'), 'w');
  const { dev, ino } = fstatSync(inherited);
  const secret = join(world.scratch, 'of the machine');
  writeFileSync(secret, PASSWORD);
  const script = poisoned(folder, {
    port,
    socket,
    abstract,
    folder,
    marker,
    end,
    leaves,
    largest: LARGEST,
    secret,
    inherited: { dev, ino },
  });
  const out = join(folder, 'signatures');
  const env = { APPLICATION_P12_BASE64: P12, APPLICATION_P12_PASSWORD: PASSWORD, INSTALLER_P12_PASSWORD: 'another' };
  // Of somebody whose files nobody else may read; the account beside the key is nobody's.
  const umask = process.umask(0o077);
  const running = sealedStep('application', { digests: DIGESTS, out, env, script, inherited });
  process.umask(umask);
  const run = await running;
  closeSync(inherited);
  for (const server of [tcp, unix, hidden, udp]) server.close();
  return { ...run, out: existsSync(out) ? JSON.parse(readFileSync(out, 'utf8')) : undefined, received, marker, folder };
}

describe.skipIf(SEALED_STEP.missing)(`an attacker beside the key${SEALED_STEP.note}`, () => {
  let robbery: Robbery;
  beforeAll(async () => {
    robbery = await rob('robbed', 0);
  });

  it('runs at all, and has the key in its hands', () => {
    expect(robbery).toMatchObject({ status: 0, out: { loot: `${P12}${PASSWORD}` } });
    expect(Object.keys(robbery.out.outcomes)).toHaveLength(42);
  });

  it('finds every way out closed', () => {
    const open = Object.entries<string>(robbery.out.outcomes).filter(([, words]) => !words.startsWith('closed'));
    // Signal 15 to the first process of its own little world ends nothing outside, and the first process passes it over.
    expect(open.filter(([name]) => name !== 'signal the first process')).toEqual([]);
    expect(robbery.received).toBe(0);
    expect(readdirSync(robbery.folder).sort()).toEqual(['signatures', 'signers']);
  });

  it('is nobody, alone, with the secrets of its role and nothing else', () => {
    const { env, argvHoldsLoot, user, groups, root, interfaces } = robbery.out;
    expect(env.filter((name: string) => !SHELL_MAKES.includes(name))).toEqual([
      'APPLICATION_P12_BASE64',
      'APPLICATION_P12_PASSWORD',
    ]);
    expect({ argvHoldsLoot, user, groups, interfaces }).toEqual({
      argvHoldsLoot: false,
      user: 65534,
      groups: [65534],
      interfaces: [],
    });
    const scripts = ['digests.sh', 'hostile.mjs', 'inside.sh', 'plan.json'];
    const rest = root.filter((name: string) => !name.startsWith('lib') && !scripts.includes(name));
    expect(rest).toEqual(['bin', 'dev', 'out', 'usr']);
  });

  it('cannot print, and leaves no process behind', () => {
    expect(robbery.printed).toBe('');
    expect(commandLines().filter((words) => words.includes(robbery.marker))).toEqual([]);
  });

  it('gets nothing through what is checked afterwards', () => {
    const out = join(robbery.folder, 'application.json');
    const checked = checkSignatures(world.scratch, 'application', {
      digests: DIGESTS,
      signatures: join(robbery.folder, 'signatures'),
      out,
    });
    expect(checked).toMatchObject({ status: 6, printed: expect.stringContaining('is not that of the key in') });
    expect(existsSync(out)).toBe(false);
    expect(checked.printed).not.toContain(PASSWORD);
  });

  it.each(byDay(LEFT, 0, ([name, words]) => (/^a link to a/.test(name) ? 'a link' : words)))(
    'lets nothing out by leaving %s',
    async (leaves, words) => {
      const { status, printed, folder } = await rob(leaves, 0, leaves);
      expect([status, printed]).toEqual([6, `sealed: ${words}\n`]);
      expect(readdirSync(folder)).toEqual(['signers']);
    },
  );

  it('lets out as much as may be', async () => {
    const { status, out } = await rob('most', 0, 'as much as may be');
    expect([status, out?.length]).toEqual([0, LARGEST - 2]);
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
    expect(readdirSync(folder)).toEqual(['signers']);
  });
});

/** Variables that a shell without any sets for itself. */
const SHELL_MAKES = ['PWD', 'OLDPWD', 'SHLVL', '_'];

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
