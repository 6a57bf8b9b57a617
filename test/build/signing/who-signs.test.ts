import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Config, readConfig } from '../../../build/plan/config.ts';
import {
  checkTeam,
  describeSigning,
  resolveSigning,
  type SigningInput,
  timestamping,
  variable,
} from '../../../build/signing/identities.ts';
import { askingIdentity, replayTimestamps, signingOf } from '../../../build/signing/replay.ts';
import { type Identity, loadIdentity } from '../../../src/pki/identity/identity.ts';
import type { SignRequest } from '../../../src/pki/identity/signer.ts';
import { verifyTimestampToken } from '../../../src/pki/timestamp/timestamp-token.ts';
import { REHEARSAL_TEAM, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { tokenMaker } from '../../mutation/signing.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { placeCertificates } from '../../support/stored-keys.ts';

const root = mkdtempSync(join(tmpdir(), 'who-signs-'));
afterAll(() => rmSync(root, { recursive: true }));
let config: Config;
let authority: RehearsalAuthority;
let application: Identity;
let installer: Identity;
beforeAll(async () => {
  config = await readConfig('.');
  authority = await sharedAuthority();
  const { trust } = authority;
  application = await loadIdentity('application', authority.identitySource('application'), { trust });
  installer = await loadIdentity('installer', authority.identitySource('installer'), { trust });
});

const withTeam = (teamIdentifier: string | null): Config => ({
  ...config,
  signing: { ...config.signing, teamIdentifier },
});
const input = (env: NodeJS.ProcessEnv, team: string | null, change: Partial<SigningInput> = {}): SigningInput => ({
  env,
  plan: { root, config: withTeam(team) },
  ...change,
});
const outcome = (given: SigningInput) =>
  describeSigning(given).then(
    ({ mode }) => mode,
    ({ code, message }) => `${code}: ${message.split(',')[0]}`,
  );
const SLIP = { NOTARY_KEYID: 'x' };

describe('a run without any identity', () => {
  it.each<[string, NodeJS.ProcessEnv, string | null, SigningInput['demand'], string]>([
    ['nothing asks for a release', {}, null, undefined, 'rehearsal'],
    ['a rehearsal is asked for', {}, 'ABCDE12345', 'rehearsal', 'rehearsal'],
    ['a rehearsal is asked for, in spite of a slip', SLIP, null, 'rehearsal', 'rehearsal'],
    ['the project is that of a rehearsal', SLIP, REHEARSAL_TEAM, undefined, 'rehearsal'],
    ['the project is that of a rehearsal', {}, REHEARSAL_TEAM, 'release', 'rehearsal'],
    ['a release is asked for', {}, null, 'release', 'IDENTITY_MISSING: a release was asked for (--release)'],
    ['a team is named', {}, 'ABCDE12345', undefined, 'IDENTITY_MISSING: release.config.json names team ABCDE12345'],
    [
      'a name has a slip',
      SLIP,
      null,
      undefined,
      'IDENTITY_MISSING: a variable has nearly the name of one that a release needs',
    ],
  ])('%s', async (_, env, team, demand, expected) => {
    const given = input(env, team, { demand });
    expect(await outcome(given)).toBe(expected);
    const resolved = resolveSigning(given).then(
      ({ mode }) => mode,
      ({ code }) => code,
    );
    expect(await resolved).toBe(expected.split(':')[0]);
  });

  it('names all that is missing at once, with what the run needs beside', async () => {
    const names = 'APPLICATION_P12_BASE64, APPLICATION_P12_PASSWORD, INSTALLER_P12_BASE64, INSTALLER_P12_PASSWORD';
    const missing = (given: SigningInput) => resolveSigning(given).catch(({ message }) => message);
    expect(await missing(input({}, null, { demand: 'release', alsoMissing: ['NOTARY_KEY'] }))).toBe(
      `a release was asked for (--release), and no signing identity is set; missing: ${names}, NOTARY_KEY`,
    );
    const begun = { APPLICATION_KEY_PEM: 'x' };
    const rest = 'APPLICATION_CERTIFICATE_PEM, INSTALLER_P12_BASE64, INSTALLER_P12_PASSWORD';
    const words = 'for a signed release these variables are missing: ';
    expect(await missing(input(begun, null, { alsoMissing: ['NOTARY_KEY'] }))).toBe(`${words}${rest}`);
    expect(await missing(input(begun, null, { demand: 'release', alsoMissing: ['NOTARY_KEY'] }))).toBe(
      `${words}${rest}, NOTARY_KEY`,
    );
  });

  it('signs with the throw-away one, and warns of it', async () => {
    const signing = await resolveSigning(input({}, null));
    expect([signing.mode, signing.teamIdentifier, signing.signingTime]).toEqual([
      'rehearsal',
      REHEARSAL_TEAM,
      undefined,
    ]);
    expect(signing.warnings).toEqual([expect.stringMatching(/^This is a rehearsal/)]);
    const roles = Object.entries(signing.identities).map(([role, { kind, identity }]) => [role, kind, identity.role]);
    expect(roles).toEqual([
      ['application', 'identity', 'application'],
      ['installer', 'identity', 'installer'],
    ]);
    const signature = Buffer.from('signature');
    for (const timestamp of [signing.timestamp, (await timestamping('rehearsal', input({}, null))).timestamp]) {
      const token = (await timestamp(signature, undefined)) as Buffer;
      expect(verifyTimestampToken(token, signature, signing.trust).trusted).toBe(true);
    }
  });
});

describe('a variable', () => {
  const file = join(root, 'a secret');
  writeFileSync(file, 'from the file\n');

  it.each<[NodeJS.ProcessEnv, string | undefined]>([
    [{}, undefined],
    [{ A: '' }, undefined],
    [{ A: '', A_FILE: '' }, undefined],
    [{ A: 'ä' }, 'ä'],
    [{ A: 'ä', A_FILE: '' }, 'ä'],
    [{ A: '', A_FILE: file }, 'from the file\n'],
  ])('%j gives %j', async (env, expected) => {
    expect((await variable('A', env))?.reveal().toString('utf8')).toBe(expected);
  });

  it('is not given twice, nor by a file that cannot be read', async () => {
    await expect(variable('A', { A: 'x', A_FILE: file })).rejects.toMatchObject({ code: 'IDENTITY_TWICE' });
    for (const path of [join(root, 'gone'), root]) {
      await expect(variable('A', { A_FILE: path })).rejects.toMatchObject({
        code: 'IDENTITY_FILE',
        message: expect.stringMatching(/^A_FILE: ./),
        hint: expect.stringMatching(/./),
      });
    }
  });
});

describe('the team', () => {
  it('is any where none is named, and else that one', () => {
    expect(() => checkTeam(application, withTeam(null))).not.toThrow();
    expect(() => checkTeam(application, withTeam(REHEARSAL_TEAM))).not.toThrow();
    expect(() => checkTeam(application, withTeam('ABCDE12345'))).toThrow(
      expect.objectContaining({ code: 'IDENTITY_WRONG_TEAM' }),
    );
  });
});

describe('recorded timestamps', () => {
  const [one, two, three] = ['one', 'two', 'three'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer];

  it('are given out in their order, each over its signature; behind them nothing', async () => {
    const make = tokenMaker(authority);
    const tokens = [await make(one), await make(two)];
    const replay = replayTimestamps(tokens, authority.trust);
    expect([await replay(one, undefined), await replay(two, undefined)]).toEqual(tokens);
    expect(await replay(three, undefined)).toBeUndefined();
    const swapped = replayTimestamps(tokens, authority.trust);
    await expect(swapped(two, undefined)).rejects.toMatchObject({ code: 'TIMESTAMP_WRONG' });
  });

  it('are gone on with where there are none yet, and what comes is kept', async () => {
    const make = tokenMaker(authority);
    const [first, next] = [await make(one), await make(two)];
    const asked: Buffer[] = [];
    const added: Buffer[] = [];
    const source = async (signature: Buffer) => {
      asked.push(signature);
      return signature === two ? next : undefined;
    };
    const replay = replayTimestamps([first], authority.trust, { source, added });
    expect([await replay(one, undefined), await replay(two, undefined), await replay(three, undefined)]).toEqual([
      first,
      next,
      undefined,
    ]);
    expect([asked, added]).toEqual([[two, three], [next]]);
  });
});

describe('who signs in the step of one role', () => {
  const begun = { mode: 'release', signingTime: 1_700_000_000 } as const;

  it('states the time of the record, in seconds', () => {
    const { trust } = authority;
    const timestamp = tokenMaker(authority);
    const signing = signingOf(begun, application, installer, { trust, timestamp });
    expect(signing).toMatchObject({ mode: 'release', teamIdentifier: REHEARSAL_TEAM, warnings: [], trust });
    expect(signing.signingTime?.()).toEqual(new Date('2023-11-14T22:13:20Z'));
    expect(signing.identities.installer.identity).toBe(installer);
    expect(signing.identities.application.identity).toBe(application);
  });

  it('is one that never signs in the place of a role that is not reached', async () => {
    const signing = signingOf(begun, application, undefined, {
      trust: authority.trust,
      timestamp: tokenMaker(authority),
    });
    const { signer } = signing.identities.installer.identity;
    expect([...signer.hashes]).toEqual(['sha1', 'sha256']);
    await expect(signer.sign({ hash: 'sha1', digest: Buffer.alloc(20) })).rejects.toThrow(TypeError);
    expect(signing.warnings).toEqual([]);
  });
});

describe('an identity that is not asked', () => {
  it('keeps what it would sign, with the digests that its key signs', async () => {
    placeCertificates(root, authority);
    const asked: SignRequest[] = [];
    const request = { hash: 'sha256' as const, digest: Buffer.alloc(32, 7) };
    const external = { command: ['x'], environment: [], hashes: ['sha256' as const] };
    const outside = {
      application: { ...external, certificates: 'certificates/installer.pem' },
      installer: { ...external, certificates: 'certificates/installer.pem' },
    };
    const { trust } = authority;
    const plain = await askingIdentity('installer', { root, config }, { trust, asked });
    await plain.signer.sign(request);
    expect([[...plain.signer.hashes], asked]).toEqual([['sha1', 'sha256'], [request]]);
    const project = { root, config: { ...config, signing: { ...config.signing, externalSigner: outside } } };
    const behind = await askingIdentity('installer', project, { trust, asked });
    expect([...behind.signer.hashes]).toEqual(['sha256']);
    await expect(askingIdentity('application', project, { trust, asked })).rejects.toMatchObject({
      code: 'IDENTITY_ROLE_SWAPPED',
    });
    const other = { root, config: withTeam('ABCDE12345') };
    await expect(askingIdentity('installer', other, { trust, asked })).rejects.toMatchObject({
      code: 'IDENTITY_WRONG_TEAM',
    });
  });
});
