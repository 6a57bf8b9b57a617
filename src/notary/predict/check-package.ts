import { PipelineError } from '../../base/errors.ts';
import { parseCms } from '../../pki/cms/parse.ts';
import { verifyCms } from '../../pki/cms/verify.ts';
import { verifyTimestampToken } from '../../pki/timestamp/timestamp-token.ts';
import { verifyChain } from '../../pki/x509/chain.ts';
import { readHeap, type XarArchive } from '../../xar/read.ts';
import type { NotaryIssue } from '../log.ts';
import { issue, MESSAGES } from './messages.ts';
import type { PredictOptions } from './options.ts';

/** Returns what the notary would say of a package's own signature, with the archive's name as path. */
export async function checkPackageSignature(archive: XarArchive, options: PredictOptions): Promise<NotaryIssue[]> {
  const say = (message: string) => issue(options.archiveName, message, null);
  // UNCERTAIN: logs of unsigned packages are rare; the wording is that for code.
  if (archive.signatures.length === 0) return [say(MESSAGES.notSigned)];
  const place = archive.signatures.find(({ style }) => style === 'CMS');
  if (!place) return [say(MESSAGES.notDeveloperId)];
  const encoded = await readHeap(archive, place.range);
  try {
    return checkCms(encoded, archive.checksum.value, options).map(say);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return [say(MESSAGES.invalid)];
  }
}

function checkCms(encoded: Buffer, content: Buffer, { trust, now }: PredictOptions): string[] {
  const cms = parseCms(encoded);
  const report = verifyCms(cms, content);
  if (!report.valid || !report.signerCertificate) return [MESSAGES.invalid];
  const token = cms.timestampToken && verifyTimestampToken(cms.timestampToken, cms.signature, trust);
  const at = token?.trusted ? token.genTime : now;
  const chain = verifyChain(report.signerCertificate, cms.certificates, { trust, at, purpose: 'installer' });
  return [...(chain.trusted ? [] : [MESSAGES.notDeveloperId]), ...(token?.trusted ? [] : [MESSAGES.noTimestamp])];
}
