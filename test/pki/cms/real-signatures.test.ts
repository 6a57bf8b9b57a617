import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { parseCms } from '../../../src/pki/cms/parse.ts';
import { verifyCms } from '../../../src/pki/cms/verify.ts';
import { verifyTimestampToken } from '../../../src/pki/timestamp/timestamp-token.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/x509/certificate.ts';
import { verifyChain } from '../../../src/pki/x509/chain.ts';
import { signatureProblem } from '../../../src/pki/x509/signature-algorithms.ts';
import { realPackages } from '../../support/needs.ts';
import { type RealSignature, realSignatures } from './real-signatures.ts';

const found = realPackages.folder ? realSignatures(realPackages.folder) : [];

/** Returns whether everything about a signature is right: CMS, time stamp, chain at the stamped time. */
function accepted(real: RealSignature): boolean {
  const cms = parseCms(real.cms);
  const { valid, signerCertificate } = verifyCms(cms, real.content);
  if (!valid || !cms.timestampToken || !signerCertificate) return false;
  const stamp = verifyTimestampToken(cms.timestampToken, cms.signature, appleTrust());
  if (!stamp.trusted) return false;
  const options = { trust: appleTrust(), at: stamp.genTime, purpose: real.purpose };
  return verifyChain(signerCertificate, cms.certificates, options).trusted;
}

describe.skipIf(realPackages.missing)(`signatures of real files${realPackages.note}`, () => {
  it('finds those of five packages and of two pieces of code', () => {
    expect(found).toHaveLength(7);
  });

  it.each(found)('accepts $name', (real) => {
    expect(accepted(real)).toBe(true);
  });

  it.each(found)('refuses $name over other content', (real) => {
    const content = Buffer.from(real.content);
    content[content.length - 1]! ^= 1;
    const report = verifyCms(parseCms(real.cms), content);
    expect(report.findings.map(({ code }) => code)).toContain(
      parseCms(real.cms).signedAttributes ? 'CMS_DIGEST' : 'CMS_SIGNATURE',
    );
  });

  it.each(found)('refuses $name with one changed bit in each signed region', (real) => {
    const cms = parseCms(real.cms);
    const leaf = verifyChain(cms.signerCertificate!, cms.certificates, {
      trust: appleTrust(),
      at: cms.signerCertificate!.notBefore,
      purpose: real.purpose,
    }).chain.slice(0, 2);
    const token = parseCms(cms.timestampToken!);
    const regions: Buffer[] = [
      cms.signature,
      ...(cms.signedAttributesDer ? [cms.signedAttributesDer.subarray(4)] : []),
      ...leaf.flatMap((certificate: Certificate) => [certificate.tbs, certificate.signature]),
      token.signature,
      token.content!,
      token.signedAttributesDer!.subarray(4),
      token.signerCertificate!.tbs,
    ];
    for (const region of regions) {
      const start = real.cms.indexOf(region);
      expect(start).toBeGreaterThan(0);
      for (const offset of [0, region.length >> 1, region.length - 1]) {
        const changed = Buffer.from(real.cms);
        changed[start + offset]! ^= 1 << (offset % 8);
        expect(checked({ ...real, cms: changed }), `byte ${start + offset}`).toBe(false);
      }
    }
  });
});

function checked(real: RealSignature): boolean {
  try {
    return accepted(real);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

describe.skipIf(realPackages.missing)(`stapled tickets of real packages${realPackages.note}`, () => {
  it.each(['installomator-0.5-2021.pkg', 'xcreds-launch-agent-2024.pkg'])('trusts the signer of that of %s', (name) => {
    const file = readFileSync(join(realPackages.folder!, 'pkg', name));
    const size = file.readUInt32LE(file.length - 8);
    const ticket = file.subarray(file.length - 16 - size, file.length - 16);
    // Ticket header: "s8ch", version, size of the certificates, size of the body (little-endian).
    const [certificateBytes, bodyBytes] = [ticket.readUInt32LE(8), ticket.readUInt32LE(12)];
    const certificates = splitSequence(ticket.subarray(16, 16 + certificateBytes));
    const signed = ticket.subarray(0, 16 + certificateBytes + bodyBytes);
    const tail = ticket.subarray(signed.length);
    const signature = tail.subarray(0, 2 + tail[1]!);
    const at = new Date(Number(ticket.readBigUInt64LE(16 + certificateBytes + 16)) * 1000);
    const [leaf] = certificates as [Certificate];
    expect(verifyChain(leaf, certificates, { trust: appleTrust(), at, purpose: 'ticket' }).findings).toEqual([]);
    const algorithm = { oid: '1.2.840.10045.4.3.2', parameters: undefined };
    const check = { publicKeyInfo: leaf.publicKeyInfo, algorithm, data: signed, signature };
    expect(signatureProblem(check)).toBeUndefined();
    expect(signatureProblem({ ...check, data: signed.subarray(1) })).toBe('it does not match what was signed');
  });
});

function splitSequence(sequence: Buffer): Certificate[] {
  const certificates: Certificate[] = [];
  for (let at = 4; at < sequence.length; ) {
    const size = 4 + sequence.readUInt16BE(at + 2);
    certificates.push(parseCertificate(sequence.subarray(at, at + size)));
    at += size;
  }
  return certificates;
}
