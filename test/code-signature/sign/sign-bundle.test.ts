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

  it('lays the universal file out byte for byte as rcodesign does', () => {
    expect(sha256(program)).toBe('1a51231dca7a41c2744702deec19ac34cdd91836d5d96a4e14bfbf06c672568c');
  });
});
