import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CODE_RESOURCES_PATH, fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { codeDirectoryDigest, parseCodeDirectory } from '../../../src/code-signature/code-directory.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { MAGIC_EMBEDDED_SIGNATURE, parseSuperBlob } from '../../../src/code-signature/super-blob.ts';
import { parseFat } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { SAMPLE_EXECUTABLE, SAMPLE_INFO_PLIST, sampleBundle, sampleSlice } from '../sample.ts';

const sha256 = (data: Buffer | undefined) =>
  createHash('sha256')
    .update(data ?? '')
    .digest('hex');

/** rcodesign sets this much aside for an ad-hoc signature of so small a file. */
const RCODESIGN_RESERVE = 0x1800;

describe('signBundle, ad-hoc', async () => {
  const signed = await signBundle(sampleBundle(), { kind: 'ad-hoc', signatureSize: RCODESIGN_RESERVE });
  const program = fileAt(signed.entries, SAMPLE_EXECUTABLE) as Buffer;

  it('begins with the inputs that rcodesign 0.29 was given', () => {
    expect(sha256(sampleSlice('x86_64'))).toBe('6fa4d991b632d221d7e260911d59b6c5b201a205f4fd8ab0c57af8029c80015b');
    expect(sha256(sampleSlice('arm64'))).toBe('8b116a8878d115717142ec4f5b541bd824dce133e1736dc7461b01ff723b4452');
    expect(sha256(SAMPLE_INFO_PLIST)).toBe('244cfe605ddda83deb67dc4632d08eb237ae5558b9d47a717bdfce077b1d1e25');
  });

  it('seals resources byte for byte as rcodesign does', () => {
    const resources = fileAt(signed.entries, CODE_RESOURCES_PATH);
    expect(sha256(resources)).toBe('7b2caa236b79c44c78faab62be4e6eec529bdff4738da1e12ef1b58367c8ebad');
  });

  it('makes the code directories that rcodesign makes', () => {
    const digests = parseFat(program).map(({ data }) => {
      const { blobs } = parseSuperBlob(
        data.subarray(parseMacho(data).codeSignature?.dataOffset),
        MAGIC_EMBEDDED_SIGNATURE,
      );
      return codeDirectoryDigest(parseCodeDirectory(blobs[0]?.data as Buffer)).toString('hex');
    });
    expect(digests).toEqual([
      'ffb0dddbcde2088d5356d119cabdc78706d98f8fa0ea98328fff6676de62480c',
      '92e3b19c4e2021657b57f730945d6717b31c006814842eaaf2c45c808303ec01',
    ]);
    expect(signed.slices.map(({ cdHash }) => cdHash.toString('hex'))).toEqual(digests.map((text) => text.slice(0, 40)));
  });

  it('gives its seal and its program the modes that codesign gives them', () => {
    const modes = Object.fromEntries(signed.entries.map(({ path, mode }) => [path, mode.toString(8)]));
    expect([modes[CODE_RESOURCES_PATH], modes[SAMPLE_EXECUTABLE]]).toEqual(['644', '755']);
    expect(signed.entries.map(({ path }) => path)).toEqual(Object.keys(modes).sort());
  });

  it('lays the universal file out byte for byte as rcodesign does', () => {
    expect(sha256(program)).toBe('1a51231dca7a41c2744702deec19ac34cdd91836d5d96a4e14bfbf06c672568c');
  });
});

describe('a bundle that cannot be signed', () => {
  const refusal = async (change: (text: string) => string) => {
    const entries = sampleBundle().map((entry) =>
      entry.path === 'Contents/Info.plist'
        ? { ...entry, data: Buffer.from(change(SAMPLE_INFO_PLIST.toString())) }
        : entry,
    );
    return signBundle(entries, { kind: 'ad-hoc' }).then(
      () => 'signed',
      (error: Error) => error.message,
    );
  };
  const withKey = (key: string) => (text: string) =>
    text.replace('<dict>', `<dict><key>${key}</key><string>x</string>`);

  it.each(['CSFlags', 'CFBundleResourceSpecification'])('has the key %s', async (key) => {
    expect(await refusal(withKey(key))).toBe(`The bundle cannot be signed: Info.plist has the key ${key}.`);
    expect(await refusal(withKey(`x${key}`))).toBe('signed');
  });

  it.each(['CFBundleIdentifier', 'CFBundleExecutable'])('has no text for %s, or one that is a path', async (key) => {
    const other = (value: string) => (text: string) =>
      text.replace(new RegExp(`(<key>${key}</key>\\s*)<string>[^<]*</string>`), `$1${value}`);
    const words = `Info.plist, offset 0: expected text for the key ${key}`;
    for (const value of [
      '<string></string>',
      '<string>a/b</string>',
      '<string>/</string>',
      '<true/>',
      '<integer>7</integer>',
    ])
      expect(await refusal(other(value)), value).toBe(words);
    expect(await refusal((text) => text.replace(`<key>${key}</key>`, '<key>other</key>'))).toBe(words);
  });

  it('has no Info.plist, or not the program that it names', async () => {
    const without = async (gone: string) =>
      signBundle(
        sampleBundle().filter(({ path }) => path !== gone),
        { kind: 'ad-hoc' },
      ).catch((error: Error) => error.message);
    expect(await without('Contents/Info.plist')).toBe('The bundle cannot be signed: it has no Contents/Info.plist.');
    expect(await without(SAMPLE_EXECUTABLE)).toBe(`The bundle cannot be signed: it has no file ${SAMPLE_EXECUTABLE}.`);
  });
});
