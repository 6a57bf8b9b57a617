import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  blobContent,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
} from '../../../src/code-signature/super-blob.ts';
import { slicesOf } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { parseCms } from '../../../src/pki/cms/parse.ts';

/** Apple Root CA, where every real Developer ID ends; the simulated Mac knows it by itself. */
const APPLE_ROOT = '611e5b662c593a08ff58d14ae22452d198df6c60';

/**
 * Returns who signed a bundle when its chain ends at another root than Apple's, as a rehearsal's does; else undefined.
 *
 * @param bundle its folder on the host
 */
export function otherAuthority(bundle: string): { team: string; root: string } | undefined {
  const file = readFileSync(join(bundle, 'Contents/MacOS/Escrow Buddy'));
  const slice = slicesOf(file)[0]!;
  const place = parseMacho(slice).codeSignature;
  if (!place) return undefined;
  const signature = slice.subarray(place.dataOffset, place.dataOffset + place.dataSize);
  const cms = parseSuperBlob(signature, MAGIC_EMBEDDED_SIGNATURE).blobs.find(({ type }) => type === SLOT_CMS);
  if (!cms || cms.data.length <= 8) return undefined;
  const { certificates, signerCertificate } = parseCms(blobContent(cms.data, MAGIC_BLOB_WRAPPER));
  const root = certificates.find(({ subject, issuer }) => subject.der.equals(issuer.der))?.sha1.toLowerCase();
  const team = signerCertificate?.organizationalUnit;
  return root && team && root !== APPLE_ROOT ? { team, root } : undefined;
}
