import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fileAt } from '../../src/code-signature/bundle-entry.ts';
import { cdHashesPropertyList, encodeCdHashAttributes } from '../../src/code-signature/sign/cdhash-attributes.ts';
import { signBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import { MAGIC_EMBEDDED_SIGNATURE, parseSuperBlob } from '../../src/code-signature/super-blob.ts';
import { parseFat } from '../../src/macho/fat.ts';
import { parseMacho } from '../../src/macho/macho.ts';
import { check, needs } from '../support/needs.ts';
import { SAMPLE_EXECUTABLE, sampleBundle } from './sample.ts';
import { rehearsalSigner } from './signers.ts';

const openssl = needs('openssl');
const folder = mkdtempSync(join(tmpdir(), 'openssl-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('encodeCdHashAttributes', () => {
  const digest = Buffer.from('00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', 'hex');
  const [propertyList, records] = encodeCdHashAttributes([digest]);

  it('begins the attribute of hashes as signatures of 2020 do', () => {
    const start = '303c06092a864886f763640902312f302d06096086480165030402010420';
    expect(records?.toString('hex')).toBe(start + digest.toString('hex'));
  });

  it('has a property list of 278 bytes for one hash', () => {
    expect(cdHashesPropertyList([digest])).toHaveLength(278);
    expect(propertyList?.includes('<data>\n\t\tABEiM0RVZneImaq7zN3u/wARIjM=\n\t\t</data>')).toBe(true);
  });
});

describe('a CMS of signBundle', () => {
  it.skipIf(openssl.missing)(`is verified by openssl over each slice's code directory${openssl.note}`, async () => {
    const { signer, authority } = await rehearsalSigner();
    const { entries } = await signBundle(sampleBundle(), signer);
    const root = authority.members.root.certificate.der.toString('base64');
    writeFileSync(join(folder, 'root.pem'), `-----BEGIN CERTIFICATE-----\n${root}\n-----END CERTIFICATE-----\n`);
    for (const { data } of parseFat(fileAt(entries, SAMPLE_EXECUTABLE) as Buffer)) {
      const signature = data.subarray(parseMacho(data).codeSignature?.dataOffset);
      const { blobs } = parseSuperBlob(signature, MAGIC_EMBEDDED_SIGNATURE);
      writeFileSync(join(folder, 'directory'), blobs[0]!.data);
      writeFileSync(join(folder, 'cms'), blobs[2]!.data.subarray(8));
      // -ignore_critical: Apple's mark in the leaf is critical and means nothing to openssl. The fixed time is in the past.
      const files = [
        '-in',
        join(folder, 'cms'),
        '-content',
        join(folder, 'directory'),
        '-CAfile',
        join(folder, 'root.pem'),
      ];
      const flags = ['-inform', 'DER', '-binary', '-purpose', 'any', '-ignore_critical', '-attime', '1700000000'];
      expect(check('openssl', ['cms', '-verify', ...flags, ...files]).equals(blobs[0]!.data)).toBe(true);
    }
  });
});
