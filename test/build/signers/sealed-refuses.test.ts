import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../support/needs.ts';
import { p12Of } from '../../support/stored-keys.ts';
import { both, given, PASSWORD, sealedWorld } from './sealed-world.ts';

const world = sealedWorld();
const { own, use } = world;

describe.skipIf(both.missing)(`the sealed step${both.note}`, () => {
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
      () => given(p12Of(world.authority, 'installer', { password: PASSWORD })),
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
    const [key, certificate, p12] = ['ec.key', 'ec.pem', 'ec.p12'].map((name) => join(world.scratch, name)) as string[];
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
