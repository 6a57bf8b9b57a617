import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../../../src/base/errors.ts';
import { withFile } from '../../../src/base/with-file.ts';
import {
  blobContent,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
} from '../../../src/code-signature/super-blob.ts';
import { parseFat } from '../../../src/macho/fat.ts';
import { isUniversal } from '../../../src/macho/first-bytes.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { expandPackage } from '../../../src/package/expand.ts';
import { openPackage } from '../../../src/package/open-package.ts';
import { parseCms } from '../../../src/pki/cms/parse.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/x509/certificate.ts';

/**
 * Returns every certificate that a signed package carries, each once: those of the package's signature and those of the code in it.
 *
 * @param scratch folder that exists; the package is unpacked below it
 * @throws UsageError `PACKAGE_UNSIGNED`; FormatError for a package or code that cannot be read
 */
export async function packageCertificates(
  path: string,
  scratch: string,
  signal: AbortSignal,
): Promise<readonly Certificate[]> {
  return withFile(path, async (access) => {
    const opened = await openPackage(access);
    const own = (opened.archive.signatures[0]?.certificates ?? []).map(parseCertificate);
    if (own.length === 0) throw new UsageError('PACKAGE_UNSIGNED', `${path} carries no certificate`);
    const expanded = join(scratch, 'expanded');
    await mkdir(expanded);
    await expandPackage(opened, expanded, signal);
    const all = [...own, ...(await codeCertificates(expanded))];
    return [...new Map(all.map((certificate) => [certificate.sha256, certificate])).values()];
  });
}

/** Certificates of all universal programs in a folder; ours has no other code. */
async function codeCertificates(folder: string): Promise<Certificate[]> {
  const found: Certificate[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const data = await readFile(join(entry.parentPath, entry.name));
    if (isUniversal(data)) found.push(...parseFat(data).flatMap((slice) => sliceCertificates(slice.data)));
  }
  return found;
}

function sliceCertificates(slice: Buffer): readonly Certificate[] {
  const place = parseMacho(slice).codeSignature;
  if (!place) return [];
  const region = slice.subarray(place.dataOffset, place.dataOffset + place.dataSize);
  const cms = parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE).blobs.find(({ type }) => type === SLOT_CMS);
  const content = cms && blobContent(cms.data, MAGIC_BLOB_WRAPPER);
  return content && content.length > 0 ? parseCms(content).certificates : [];
}
