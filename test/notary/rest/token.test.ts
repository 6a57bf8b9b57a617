import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { tokenMaker } from '../../../src/notary/rest/token.ts';
import { standingClock } from '../../support/standing-clock.ts';

const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
const START = new Date('2026-01-01T00:00:00Z');
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());

describe('a token', () => {
  it('has the claims Apple asks for and the 64-byte signature of JOSE', async () => {
    const maker = tokenMaker({ key, keyId: 'ABC1234567', issuerId: 'issuer' }, standingClock(START));
    const [header, payload, signature] = (await maker.token()).reveal().split('.') as [string, string, string];
    expect(decode(header)).toEqual({ alg: 'ES256', kid: 'ABC1234567', typ: 'JWT' });
    const now = START.getTime() / 1000;
    expect(decode(payload)).toEqual({ iss: 'issuer', iat: now - 30, exp: now - 30 + 900, aud: 'appstoreconnect-v1' });
    const raw = Buffer.from(signature, 'base64url');
    expect(raw).toHaveLength(64);
    const checked = { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', Buffer.from(`${header}.${payload}`), checked, raw)).toBe(true);
  });

  it('is used again until its last minutes, and renewed when it was not accepted', async () => {
    const clock = standingClock(START);
    const maker = tokenMaker({ key, keyId: 'ABC1234567', issuerId: 'issuer' }, clock);
    const first = (await maker.token()).reveal();
    await clock.sleep(10 * 60_000);
    expect((await maker.token()).reveal()).toBe(first);
    await clock.sleep(5 * 60_000);
    const second = (await maker.token()).reveal();
    // It lives 15 minutes from half a minute ago, and its last three are kept back: 690 s.
    await clock.sleep(689_000);
    expect((await maker.token()).reveal()).toBe(second);
    await clock.sleep(1000);
    expect((await maker.token()).reveal()).not.toBe(second);
    expect(second).not.toBe(first);
    const third = (await maker.token()).reveal();
    maker.renew();
    expect((await maker.token()).reveal()).not.toBe(third);
  });
});
