import type { KeyObject } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Config } from '../../../build/plan/config.ts';
import { MANIFEST_SCHEMA, type Manifest } from '../../../build/plan/manifest.ts';
import { makePlan, type Plan } from '../../../build/plan/plan.ts';
import { runRelease } from '../../../build/release.ts';
import { createProgress } from '../../../build/report/progress.ts';
import { Run } from '../../../build/run.ts';
import { resolveSigning } from '../../../build/signing/identities.ts';
import { ourForm } from '../../../build/stages/our-form.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { Trust } from '../../../src/pki/x509/apple-roots.ts';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { selectToolchain } from '../../../src/toolchain/select.ts';
import { verifyPackage } from '../../../src/verify/verify-package.ts';
import { leafFor } from '../../pki/identity/identity-files.ts';
import { rehearsalP12 } from '../../rehearsal/authority-p12.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { startTimestampServer } from '../../rehearsal/timestamp-server.ts';
import { inProcess } from '../../support/in-process.ts';
import { pemOf } from '../../support/openssl.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const PASSWORD = 'Zwölf Kühe & 1 "Gans"';
const DAY = 24 * 3600 * 1000;
let scratch: string;
let authority: RehearsalAuthority;
/** Takes the rehearsal's roots for Apple's. */
let trust: Trust;
let p12: Readonly<Record<'application' | 'installer', string>>;
let plan: Plan;
const pathBefore = process.env.PATH;
beforeAll(async () => {
  process.env.PATH = quickCompiler();
  scratch = mkdtempSync(join(tmpdir(), 'identities-'));
  authority = await sharedAuthority();
  trust = { ...authority.trust, name: 'apple' };
  const base64 = async (role: 'application' | 'installer') =>
    (await rehearsalP12(authority, role, PASSWORD)).toString('base64');
  p12 = { application: await base64('application'), installer: await base64('installer') };
  plan = await makePlan({ root: process.cwd(), outFolder: join(scratch, 'out'), sourceDateEpoch: '1700000000' });
});
afterAll(() => {
  process.env.PATH = pathBefore;
  rmSync(scratch, { recursive: true, force: true });
});

const complete = () => ({
  APPLICATION_P12_BASE64: p12.application,
  APPLICATION_P12_PASSWORD: PASSWORD,
  INSTALLER_P12_BASE64: p12.installer,
  INSTALLER_P12_PASSWORD: PASSWORD,
});
const resolve = (env: NodeJS.ProcessEnv, signing: Partial<Config['signing']> = {}) =>
  resolveSigning({
    env,
    plan: { root: scratch, config: { ...plan.config, signing: { ...plan.config.signing, ...signing } } },
    trust,
  });
const pemKey = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
const put = (name: string, content: string | Buffer) => {
  writeFileSync(join(scratch, name), content);
  return join(scratch, name);
};

describe('resolveSigning', () => {
  it('takes .p12 in variables and in files, and PEM pairs', async () => {
    const inFiles = Object.fromEntries(
      Object.entries(complete()).map(([name, value]) => [
        `${name}_FILE`,
        put(name, name.endsWith('PASSWORD') ? `${value}\n` : value),
      ]),
    );
    const inPem = Object.fromEntries(
      (['application', 'installer'] as const).flatMap((role) => [
        [`${role.toUpperCase()}_CERTIFICATE_PEM`, authority.chainOf(role).map(pemOf).join('')],
        [`${role.toUpperCase()}_KEY_PEM`, pemKey(authority.members[role].privateKey)],
      ]),
    );
    for (const env of [complete(), inFiles, inPem]) {
      const signing = await resolve(env);
      expect([signing.mode, signing.teamIdentifier, signing.warnings]).toEqual(['release', REHEARSAL_TEAM, []]);
    }
  });

  it('takes keys that stay outside, behind a command', async () => {
    const program = put(
      'sign.mjs',
      `import { readFileSync } from 'node:fs';
import { constants, privateEncrypt } from 'node:crypto';
const { digest } = JSON.parse(readFileSync(0, 'utf8'));
const info = Buffer.concat([Buffer.from('3031300d060960864801650304020105000420', 'hex'), Buffer.from(digest, 'hex')]);
process.stdout.write(privateEncrypt({ key: readFileSync(process.argv[2]), padding: constants.RSA_PKCS1_PADDING }, info).toString('base64'));`,
    );
    const outside = (role: 'application' | 'installer') => {
      put(`${role}.pem`, authority.chainOf(role).map(pemOf).join(''));
      const key = put(`${role}.key`, pemKey(authority.members[role].privateKey));
      return {
        command: [process.execPath, program, key],
        certificates: `${role}.pem`,
        hashes: ['sha256' as const],
        environment: [],
      };
    };
    const externalSigner = { application: outside('application'), installer: outside('installer') };
    const signing = await resolve({}, { externalSigner });
    expect([signing.mode, [...signing.identities.installer.identity.signer.hashes]]).toEqual(['release', ['sha256']]);
    const swapped = {
      application: externalSigner.application,
      installer: { ...externalSigner.installer, command: externalSigner.application.command },
    };
    await expect(resolve({}, { externalSigner: swapped })).rejects.toMatchObject({ code: 'IDENTITY_KEY_MISMATCH' });
  });

  it('demands the team of the configuration', async () => {
    await expect(resolve(complete(), { teamIdentifier: 'ABCDE12345' })).rejects.toMatchObject({
      code: 'IDENTITY_WRONG_TEAM',
    });
    expect((await resolve(complete(), { teamIdentifier: REHEARSAL_TEAM })).mode).toBe('release');
  });

  it('warns 30 days before a certificate expires', async () => {
    const keys = rsaPair();
    const notAfter = new Date(Date.now() + 12.5 * DAY);
    const leaf = leafFor('installer', keys, authority.members.developerIdAuthority, { team: REHEARSAL_TEAM, notAfter });
    const { INSTALLER_P12_BASE64: _, INSTALLER_P12_PASSWORD: __, ...application } = complete();
    const signing = await resolve({
      ...application,
      INSTALLER_CERTIFICATE_PEM: pemOf(leaf),
      INSTALLER_KEY_PEM: pemKey(keys.privateKey),
    });
    expect(signing.warnings).toEqual([expect.stringMatching(/Installer identity: .* expires in 12 days/)]);
  });

  it('refuses a variable and its file at once, and a file that is not there', async () => {
    const twice = { ...complete(), INSTALLER_P12_PASSWORD_FILE: '/dev/null' };
    await expect(resolve(twice)).rejects.toMatchObject({ code: 'IDENTITY_TWICE' });
    const gone = { ...complete(), INSTALLER_P12_BASE64: '', INSTALLER_P12_BASE64_FILE: join(scratch, 'gone') };
    await expect(resolve(gone)).rejects.toMatchObject({ code: 'IDENTITY_FILE' });
  });
});

/** Every way through the command line: exit code 2, before there is even a folder for results. */
async function refusedByCli(env: NodeJS.ProcessEnv): Promise<string> {
  const out = join(scratch, 'never');
  const run = await inProcess(['release', '--out', out], { env });
  expect(run.status).toBe(2);
  expect(run.stdout).toBe('');
  expect(existsSync(out)).toBe(false);
  expect(run.stderr).not.toContain('compile');
  expect(run.stderr).toContain('\nnext: ');
  for (const secret of [PASSWORD, p12.application.slice(100, 140)]) expect(run.stderr).not.toContain(secret);
  return run.stderr;
}

describe('npm start with incomplete variables', () => {
  it.each(['APPLICATION_P12_BASE64', 'APPLICATION_P12_PASSWORD', 'INSTALLER_P12_BASE64', 'INSTALLER_P12_PASSWORD'])(
    'names %s when it is missing, or empty as an unset secret of a CI service is',
    async (name) => expect(await refusedByCli({ ...complete(), [name]: '' })).toMatch(new RegExp(`missing: ${name}\n`)),
  );

  it('names both of a role', async () => {
    const env = { ...complete(), INSTALLER_P12_BASE64: '', INSTALLER_P12_PASSWORD: '' };
    expect(await refusedByCli(env)).toContain('missing: INSTALLER_P12_BASE64, INSTALLER_P12_PASSWORD\n');
  });
});

describe('npm start with a wrong identity', () => {
  const pair = rsaPair(1);
  const leaf = (change: Parameters<typeof leafFor>[3]) =>
    leafFor('application', pair, authority.members.developerIdAuthority, change);
  const pem =
    (certificate: () => string, key: () => string = () => pemKey(pair.privateKey)) =>
    () => ({
      APPLICATION_P12_BASE64: '',
      APPLICATION_P12_PASSWORD: '',
      APPLICATION_CERTIFICATE_PEM: certificate(),
      APPLICATION_KEY_PEM: key(),
    });
  const application = (base64: () => string) => () => ({ APPLICATION_P12_BASE64: base64() });
  it.each<[string, RegExp, () => NodeJS.ProcessEnv]>([
    ['a wrong password', /does not open/, () => ({ APPLICATION_P12_PASSWORD: 'wrong' })],
    ['broken base64', /character that is none/, application(() => `*${p12.application}`)],
    ['base64 twice', /base64 twice/, application(() => Buffer.from(p12.application).toString('base64'))],
    ['a file cut off', /damaged or cut off/, application(() => p12.application.slice(0, 2000))],
    ['a zip archive', /a zip archive/, application(() => Buffer.from('PK\x03\x04\0\0\0\0').toString('base64'))],
    [
      'a bare certificate',
      /without private key/,
      application(() => authority.members.application.certificate.der.toString('base64')),
    ],
    ['the two exchanged', /not a Developer ID Application certificate/, application(() => p12.installer)],
    [
      'a development certificate',
      /Apple Development/,
      pem(() => pemOf(leaf({ commonName: 'Apple Development: X (ABCDE12345)', marks: [] }))),
    ],
    [
      'an App Store certificate',
      /Apple Distribution/,
      pem(() => pemOf(leaf({ commonName: 'Apple Distribution: X (ABCDE12345)', marks: [] }))),
    ],
    ['another certificate', /www\.example\.com/, pem(() => pemOf(leaf({ commonName: 'www.example.com', marks: [] })))],
    [
      'a self-signed one',
      /self-signed/,
      pem(() => pemOf(leafFor('application', pair, { certificate: undefined, privateKey: pair.privateKey }))),
    ],
    [
      'a key of another certificate',
      /does not belong to the certificate/,
      pem(
        () => pemOf(leaf({})),
        () => pemKey(authority.members.application.privateKey),
      ),
    ],
    [
      'an encrypted key',
      /is encrypted/,
      pem(
        () => pemOf(leaf({})),
        () => '-----BEGIN ENCRYPTED PRIVATE KEY-----',
      ),
    ],
    [
      'no key in PEM',
      /no private key in PEM/,
      pem(
        () => pemOf(leaf({})),
        () => 'nonsense',
      ),
    ],
    ['no certificate in PEM', /no certificate in PEM/, pem(() => 'nonsense')],
    ['an issuer that is not Apple', /issuer of|not a trusted root|is missing/, () => ({})],
  ])('refuses %s', async (_, message, change) => {
    expect(await refusedByCli({ ...complete(), ...change() })).toMatch(message);
  });
});

describe('a release with identities of one’s own', () => {
  it('asks the timestamp service for each signature, and leaves no secret behind', async () => {
    const server = await startTimestampServer(rehearsalTimestampAuthority(authority), [{ kind: 'http', status: 503 }]);
    const told: string[] = [];
    const temporary = mkdtempSync(join(scratch, 'temporary-'));
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    try {
      const config = { ...plan.config, services: { ...plan.config.services, timestamp: server.url } };
      const manifest = await releaseWith({ ...plan, config }, (text) => void told.push(text));
      expect([manifest.mode, manifest.package?.teamIdentifier]).toEqual(['release', REHEARSAL_TEAM]);
      expect(server.requests).toBe(7); // two slices, four packages, and the one that was busy
      expect(await failedChecks(join(plan.outFolder, manifest.files[0]!.path))).toEqual([
        // It says `anchor apple generic`, and the rehearsal's root is not Apple's.
        'code-designated-requirement',
        'form-code',
      ]);
      const secrets = [
        PASSWORD,
        ...keyTexts(authority.members.application.privateKey),
        ...keyTexts(authority.members.installer.privateKey),
      ];
      for (const file of [...filesBelow(plan.outFolder), ...filesBelow(temporary)])
        expectNone(readFileSync(file), secrets, file);
      expectNone(Buffer.from(told.join('')), secrets, 'the terminal');
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
      await server.close();
    }
  });

  it('leaves no key of the rehearsal in the results either', async () => {
    const keys = readdirSync('.rehearsal/authority').filter((name) => name.endsWith('.key.pem'));
    const secrets = keys.flatMap((name) => pemLines(readFileSync(join('.rehearsal/authority', name), 'utf8')));
    expect(secrets.length).toBeGreaterThan(50);
    for (const file of filesBelow(inject('releaseFolder'))) expectNone(readFileSync(file), secrets, file);
    expect(statSync('.rehearsal').mode & 0o077).toBe(0);
  });
});

async function releaseWith(own: Plan, tell: (text: string) => void): Promise<Manifest> {
  const signing = await resolveSigning({ env: complete(), plan: own, trust });
  const manifest = MANIFEST_SCHEMA.parse({
    ...JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8')),
    mode: signing.mode,
    stages: [],
  });
  const progress = createProgress({ stream: { write: tell }, verbose: true, color: false });
  const signal = new AbortController().signal;
  const run = new Run({ plan: own, progress, signal, manifest, until: 'sign-package', again: '' });
  return runRelease(
    run,
    { kind: 'build', toolchain: selectToolchain('portable', signing.timestamp), signing, cache: null },
    null,
  );
}

async function failedChecks(path: string): Promise<string[]> {
  const ours = await ourForm(plan, 'product', {
    madeBy: 'portable',
    teamIdentifier: REHEARSAL_TEAM,
    version: plan.version,
  });
  const { checks } = await verifyPackage(accessBuffer(readFileSync(path)), { trust, now: new Date(), ours });
  return [...new Set(checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}

/** Lines of the key in PEM, and its private exponent as bytes. */
function keyTexts(key: KeyObject): (string | Buffer)[] {
  const { d } = key.export({ format: 'jwk' });
  return [...pemLines(pemKey(key)), Buffer.from(d as string, 'base64url')];
}

/** The first line is the same in every RSA key. */
const pemLines = (pem: string) =>
  pem.split('\n').filter((line) => line.length === 64 && !line.startsWith('MII') && !line.startsWith('MIG'));

function expectNone(data: Buffer, secrets: readonly (string | Buffer)[], where: string): void {
  expect(secrets.filter((secret) => data.includes(secret)).length, where).toBe(0);
}
