import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type ConnectionInput,
  connectToNotary,
  type NotaryConnection,
  namesNotaryKey,
  readKey,
  refuseHalfSetUp,
} from '../../../build/notary/connection.ts';
import { type Config, readConfig } from '../../../build/plan/config.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const KEY = {
  NOTARY_KEY: PEM,
  NOTARY_KEY_ID: 'ABC1234567',
  NOTARY_ISSUER_ID: '69a6de70-03db-47e3-e053-5b8c7c11a4d1',
};
let folder: string;
let config: Config;
const open: NotaryConnection[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'connection-'));
  config = await readConfig('.');
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function connected(change: Partial<ConnectionInput> = {}): Promise<NotaryConnection> {
  const connection = await connectToNotary({ env: KEY, plan: { root: folder, config }, mode: 'release', ...change });
  open.push(connection);
  return connection;
}
const NAMES = Object.keys(KEY) as (keyof typeof KEY)[];

describe('the notary key', () => {
  it('is read from three variables, or from files that they name', async () => {
    const path = join(folder, 'key');
    writeFileSync(path, PEM);
    const { NOTARY_KEY: _, ...others } = KEY;
    for (const env of [KEY, { ...others, NOTARY_KEY_FILE: path }]) {
      const { key, keyId, issuerId } = await readKey(env);
      expect([keyId, issuerId]).toEqual([KEY.NOTARY_KEY_ID, KEY.NOTARY_ISSUER_ID]);
      expect(key.export({ type: 'pkcs8', format: 'pem' })).toBe(PEM);
    }
  });

  it.each(NAMES)('is not whole without %s, which is named and no other', async (name) => {
    for (const env of [
      { ...KEY, [name]: undefined },
      { ...KEY, [name]: '' },
    ]) {
      const error = await readKey(env).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'NOTARY_KEY_INCOMPLETE' });
      expect((error as Error).message).toMatch(new RegExp(`are missing: ${name}$`));
    }
  });

  it('that nobody set is missing as a whole', async () => {
    await expect(readKey({})).rejects.toThrow(new RegExp(`are missing: ${NAMES.join(', ')}$`));
  });

  it.each(NAMES)('is named by %s alone, or by its file', (name) => {
    expect([{ [name]: 'x' }, { [`${name}_FILE`]: 'x' }].map(namesNotaryKey)).toEqual([true, true]);
    expect([{ [name]: '' }, { [`${name}_FILE`]: '' }, { OTHER: 'x' }, {}].map(namesNotaryKey)).toEqual([
      ...[false, false, false, false],
    ]);
  });

  it('is refused in a rehearsal: somebody forgot the identities', () => {
    expect(() => refuseHalfSetUp('rehearsal', { NOTARY_KEY_ID: 'x' })).toThrow(/no signing identity/);
    expect(() => refuseHalfSetUp('rehearsal', {})).not.toThrow();
    expect(() => refuseHalfSetUp('release', KEY)).not.toThrow();
  });
});

describe('a connection of a release', () => {
  it('has the services of the configuration, Apple’s trust and the key', async () => {
    const { mode, access, waiting } = await connected();
    expect(mode).toBe('release');
    const { notary, tickets } = config.services;
    expect([access.notaryUrl, access.ticketUrl, access.upload]).toEqual([notary, tickets, undefined]);
    expect([access.trust, access.key.keyId]).toEqual([appleTrust(), KEY.NOTARY_KEY_ID]);
    expect(waiting).toEqual({});
    const trust = { name: 'rehearsal', roots: [], intermediates: [] } as never;
    const other = await connected({ trust, maxWaitMs: 0 });
    expect([other.access.trust, other.waiting]).toEqual([trust, { maxWaitMs: 0 }]);
    expect(readdirSync(folder)).toEqual(['key']);
  });

  it('needs a key', async () => {
    await expect(connected({ env: {} })).rejects.toMatchObject({ code: 'NOTARY_KEY_INCOMPLETE' });
  });
});

describe('a connection of a rehearsal', () => {
  it('has services in this process, their key, and the trust of its own authority', async () => {
    const { mode, access, waiting } = await connected({ mode: 'rehearsal', env: {} });
    expect([mode, access.trust.name, access.key.keyId]).toEqual(['rehearsal', 'rehearsal', 'REHEARSAL1']);
    for (const url of [access.notaryUrl, access.ticketUrl, access.upload?.place?.('b', 1)])
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\//);
    expect(waiting).toEqual({ pollMs: expect.any(Function), lostUploadMs: 1500 });
    expect(waiting.pollMs?.(7)).toBe(100);
    expect((await connected({ mode: 'rehearsal', maxWaitMs: 0 })).waiting.maxWaitMs).toBe(0);
    expect(readdirSync(join(folder, '.rehearsal')).sort()).toEqual(['authority', 'notary']);
    expect((await fetch(`${access.notaryUrl}/submissions`)).status).toBe(401);
  });
});

describe.each(['release', 'rehearsal'] as const)('the summary of a job, in a %s', (mode) => {
  it('is the file that GitHub names, if it names one', async () => {
    const summaryOf = async (more: object) => (await connected({ mode, env: { ...KEY, ...more } })).jobSummary;
    expect(await summaryOf({ GITHUB_STEP_SUMMARY: '/a' })).toBe('/a');
    expect([await summaryOf({ GITHUB_STEP_SUMMARY: '' }), await summaryOf({})]).toEqual([undefined, undefined]);
  });
});
