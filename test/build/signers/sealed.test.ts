import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { check, needs } from '../../support/needs.ts';
import { checkSignatures, SEALED_STEP, sealedStep } from '../../support/sealed-step.ts';
import { p12Of, placeCertificates, secretsOf } from '../../support/stored-keys.ts';
import { testAuthority } from '../../support/test-authority.ts';

const PASSWORD = 'Geheim-0815-Losung';
const P12 = randomBytes(300).toString('base64');
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const DIGESTS = `${sha256('a')} ${createHash('sha1').update('b').digest('hex')}`;
let scratch: string;
let authority: RehearsalAuthority;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'sealed-'));
  authority = await testAuthority(join(scratch, 'authority'));
  placeCertificates(scratch, authority);
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
async function rob(name: string, end: number | 'abort'): Promise<Robbery> {
  const folder = join(scratch, name);
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
  const script = poisoned(folder, { port, socket, abstract, folder, marker, end });
  const out = join(folder, 'signatures');
  const env = { APPLICATION_P12_BASE64: P12, APPLICATION_P12_PASSWORD: PASSWORD, INSTALLER_P12_PASSWORD: 'another' };
  const run = await sealedStep('application', { digests: DIGESTS, out, env, script });
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
    expect(Object.keys(robbery.out.outcomes)).toHaveLength(35);
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
    const checked = checkSignatures(scratch, 'application', {
      digests: DIGESTS,
      signatures: join(robbery.folder, 'signatures'),
      out,
    });
    expect(checked).toMatchObject({ status: 6, printed: expect.stringContaining('is not that of the key in') });
    expect(existsSync(out)).toBe(false);
    expect(checked.printed).not.toContain(PASSWORD);
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

const openssl = needs('openssl');
const both = SEALED_STEP.missing ? SEALED_STEP : openssl;
describe.skipIf(both.missing)(`the sealed step${both.note}`, () => {
  let at = 0;
  /** Signs with the application's key and has it checked. */
  async function use(env: NodeJS.ProcessEnv, digests = DIGESTS) {
    const signatures = join(scratch, `signatures-${++at}`);
    const used = await sealedStep('application', { digests, out: signatures, env });
    if (used.status !== 0) return { ...used, made: existsSync(signatures) };
    return checkSignatures(scratch, 'application', { digests, signatures, out: `${signatures}.json` });
  }
  const given = (p12: Buffer, password = PASSWORD) => ({
    APPLICATION_P12_BASE64: p12.toString('base64'),
    APPLICATION_P12_PASSWORD: password,
  });
  const own = (argv: readonly string[] = [], password = PASSWORD) =>
    p12Of(authority, 'application', { password, argv });

  it.each<[string, () => NodeJS.ProcessEnv]>([
    ["openssl's form", () => given(own())],
    ["Keychain Access' form", () => given(own(['-legacy']))],
    ['triple DES', () => given(own(['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1']))],
    ['a password of other letters', () => given(own([], 'Lösung "für" $alle \\ '), 'Lösung "für" $alle \\ ')],
    ['a line end behind the password', () => given(own(), `${PASSWORD}\r\n`)],
    [
      'base64 over several lines',
      () => ({
        ...given(own()),
        APPLICATION_P12_BASE64: own()
          .toString('base64')
          .replace(/.{76}(?=.{8})/g, '$&\r\n'),
      }),
    ],
  ])('opens a .p12: %s', async (_, env) => {
    expect(await use(env())).toMatchObject({ status: 0 });
  });

  it.each<[string, () => NodeJS.ProcessEnv, number, string]>([
    ['no secret', () => ({}), 2, 'APPLICATION_P12_BASE64 is not set'],
    [
      'no password',
      () => ({ ...given(own()), APPLICATION_P12_PASSWORD: '' }),
      2,
      'APPLICATION_P12_PASSWORD is not set',
    ],
    ['another password', () => given(own(), 'of another .p12'), 2, 'the .p12 does not open'],
    ['random bytes', () => given(randomBytes(3000)), 2, 'the .p12 does not open'],
    ['a .p12 that is cut off', () => given(own().subarray(0, 900)), 2, 'the .p12 does not open'],
    ['a .p12 without a key', () => given(own(['-nokeys'])), 2, 'must hold one key'],
    ['an elliptic key', () => given(ellipticP12()), 2, 'must be an RSA key'],
    [
      'the key of the other role',
      () => given(p12Of(authority, 'installer', { password: PASSWORD })),
      6,
      'is not that of the key in certificates/application.pem',
    ],
    ['a password that may stand in a signature', () => given(own([], 'kurz'), 'kurz'), 2, 'fewer than 8 letters'],
    [
      'base64 whose last line may stand in a signature',
      () => ({ ...given(own()), APPLICATION_P12_BASE64: own().toString('base64').replace(/.{4}$/, '\r\n$&\r\n') }),
      2,
      'APPLICATION_P12_BASE64 has a line of fewer than 8 letters',
    ],
  ])('refuses %s', async (_, env, status, words) => {
    const used = await use({ APPLICATION_P12_BASE64: '', APPLICATION_P12_PASSWORD: '', ...env() });
    expect(used).toMatchObject({ status, printed: expect.stringContaining(words) });
    expect(used.printed).not.toContain(PASSWORD);
  });

  function ellipticP12(): Buffer {
    const [key, certificate, p12] = ['ec.key', 'ec.pem', 'ec.p12'].map((name) => join(scratch, name)) as string[];
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(key!, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    check('openssl', ['req', '-x509', '-key', key!, '-subj', '/CN=x', '-days', '2', '-out', certificate!]);
    const files = ['-inkey', key!, '-in', certificate!, '-out', p12!];
    check('openssl', ['pkcs12', '-export', ...files, '-passout', `pass:${PASSWORD}`]);
    return readFileSync(p12!);
  }

  it.each([
    ['none', ''],
    ['one that is shorter', '0'.repeat(63)],
    ['one of another hash', '0'.repeat(96)],
    ['capitals', 'A'.repeat(64)],
    ['a command', `${'0'.repeat(64)} $(touch x)`],
    ['an option', '--inside'],
    ['a tab', `${'0'.repeat(64)}\t${'1'.repeat(64)}`],
    ['a pattern', `${'0'.repeat(63)}?`],
    ['a byte that is no letter', `${'0'.repeat(63)}\u00e9`],
    ['more than a release needs', `${'0'.repeat(64)} `.repeat(3)],
  ])('refuses digests with %s', async (_, digests) => {
    expect(await use(given(own()), digests)).toMatchObject({ status: 2, made: false });
  });

  it('gives a key to one role alone', async () => {
    const env = { APPLICATION_P12_BASE64: '', APPLICATION_P12_PASSWORD: '', ...secretsOf(authority) };
    const used = await sealedStep('installer', { digests: DIGESTS, out: join(scratch, 'installer'), env });
    expect(used.status, used.printed).toBe(0);
    const check = (role: 'application' | 'installer') =>
      checkSignatures(scratch, role, {
        digests: DIGESTS,
        signatures: join(scratch, 'installer'),
        out: join(scratch, `${role}.json`),
      });
    expect(check('installer').status).toBe(0);
    expect(check('installer')).toMatchObject({ status: 2, printed: expect.stringContaining('is there already') });
    expect(check('application').status).toBe(6);
  });
});

describe('sealed.sh', () => {
  it.each([
    [[], 'use: sealed.sh --role'],
    [['--role', 'other'], 'use: sealed.sh --role'],
    [['--role'], '--role needs a value'],
    [['--password', 'x'], 'unknown option --password'],
    [['--role', 'installer'], '--digests is not from 1 to 8 digests'],
    [['--role', 'installer', '--digests', '0'.repeat(64)], '--out is missing'],
    [['--role', 'installer', '--digests', `${'0'.repeat(64)} `.repeat(8)], '--out is missing'],
    [['--role', 'installer', '--digests', `${'0'.repeat(64)} `.repeat(9)], '--digests is not from 1 to 8 digests'],
    [['--role', 'application', '--digests', `${'0'.repeat(64)} `.repeat(3)], '--digests is not from 1 to 2 digests'],
  ])('refuses %j', (argv, words) => {
    const { status, stderr } = spawnSync('/bin/sh', ['build/signers/sealed.sh', ...argv], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([2, expect.stringContaining(words)]);
  });
});
