import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { octetString } from '../../../src/pki/asn1/der.ts';
import { cmsAttribute, signCms } from '../../../src/pki/cms/cms.ts';
import { type ParsedCms, parseCms } from '../../../src/pki/cms/parse.ts';
import { verifyCms } from '../../../src/pki/cms/verify.ts';
import { type Identity, loadIdentity } from '../../../src/pki/identity/identity.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../../src/pki/timestamp/timestamp-token.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { OpensslFolder, openssl, run } from '../../support/openssl.ts';

const CONTENT = createHash('sha1').update('a table of contents').digest();
const SIGNING_TIME = new Date('2026-02-03T04:05:06Z');
const CDHASHES = '1.2.840.113635.100.9.1';

let authority: RehearsalAuthority;
let identity: Identity;
let signature: Buffer;
let parsed: ParsedCms;

beforeAll(async () => {
  authority = await sharedAuthority();
  identity = await loadIdentity('installer', authority.identitySource('installer'), { trust: authority.trust });
  const tsa = rehearsalTimestampAuthority(authority);
  const timestamp = async (value: Buffer) =>
    parseTimestampResponse(tsa.issueToken(encodeTimestampRequest(value, randomBytes(8)))).token!;
  signature = await signCms({ content: CONTENT, identity, signingTime: SIGNING_TIME, timestamp });
  parsed = parseCms(signature);
});

const codes = (cms: ParsedCms, content = CONTENT) => verifyCms(cms, content).findings.map(({ code }) => code);

describe('signCms', () => {
  it('makes a detached signature that verifies, with signing time and token', () => {
    const report = verifyCms(parsed, CONTENT);
    expect(report.findings).toEqual([]);
    expect(report.signingTime).toEqual(SIGNING_TIME);
    expect(report.hash).toBe('sha256');
    expect(parsed.content).toBeUndefined();
    expect(parsed.timestampToken?.length).toBeGreaterThan(1000);
    expect(parsed.encodedSize).toBe(signature.length);
  });

  it('embeds leaf, intermediate and root in this order', () => {
    expect(parsed.certificates.map(({ sha256 }) => sha256)).toEqual(
      ['installer', 'developerIdAuthority', 'root'].map((name) => authority.members[name as 'root'].certificate.sha256),
    );
  });

  it('has the fields of those of codesign: versions 1, SHA-256, sha256WithRSAEncryption', () => {
    const { version, signerVersion, contentType, digestAlgorithm, signatureAlgorithm } = parsed;
    expect([version, signerVersion, contentType]).toEqual([1, 1, '1.2.840.113549.1.7.1']);
    expect(digestAlgorithm).toEqual({ oid: '2.16.840.1.101.3.4.2.1', parameters: Buffer.from('0500', 'hex') });
    expect(signatureAlgorithm).toEqual({ oid: '1.2.840.113549.1.1.11', parameters: Buffer.from('0500', 'hex') });
  });

  it('sorts further attributes among its own, as DER wants', async () => {
    const attributes = [
      cmsAttribute(CDHASHES, octetString(Buffer.alloc(4))),
      cmsAttribute(CDHASHES.replace(/1$/, '2')),
    ];
    const cms = parseCms(await signCms({ content: CONTENT, identity, signingTime: SIGNING_TIME, attributes }));
    expect(codes(cms)).toEqual([]);
    expect(cms.timestampToken).toBeUndefined();
    const encoded = cms.signedAttributes!.map(({ type }) => type.split('.').slice(-2).join('.'));
    // Shorter encodings first: their length octet is smaller.
    expect(encoded).toEqual(['9.2', '9.1', '9.3', '9.5', '9.4']);
  });

  it('passes on what goes wrong with key or timestamp', async () => {
    const broken = {
      ...identity,
      signer: { hashes: new Set<never>(), sign: () => Promise.reject(new Error('no key')) },
    };
    await expect(signCms({ content: CONTENT, identity: broken, signingTime: SIGNING_TIME })).rejects.toThrow('no key');
    const timestamp = () => Promise.reject(new Error('no time'));
    await expect(signCms({ content: CONTENT, identity, signingTime: SIGNING_TIME, timestamp })).rejects.toThrow(
      'no time',
    );
  });

  it.skipIf(openssl.missing)(`is accepted by openssl, and not over other content${openssl.note}`, () => {
    const folder = new OpensslFolder();
    const root = folder.putPem('root.pem', authority.members.root.certificate);
    const cms = folder.put('cms.der', signature);
    const verify = (content: Buffer) =>
      run([
        ...['cms', '-verify', '-binary', '-inform', 'DER', '-in', cms, '-content', folder.put('content', content)],
        ...['-CAfile', root, '-purpose', 'any', '-ignore_critical', '-out', join(folder.path, 'out')],
      ]);
    expect(verify(CONTENT).output).toMatch(/Verification successful/);
    expect(readFileSync(join(folder.path, 'out'))).toEqual(CONTENT);
    expect(verify(Buffer.alloc(20)).status).not.toBe(0);
  });
});

describe('verifyCms', () => {
  it('names other content by its digest', () => {
    expect(codes(parsed, Buffer.alloc(20))).toEqual(['CMS_DIGEST']);
  });

  it('refuses a signature whose parts disagree', () => {
    const sha1 = { oid: '1.3.14.3.2.26', parameters: undefined };
    expect(codes({ ...parsed, digestAlgorithm: sha1, digestAlgorithms: [sha1] })).toEqual([
      'CMS_DIGEST',
      'CMS_SIGNATURE',
    ]);
    expect(codes({ ...parsed, digestAlgorithms: [] })).toEqual(['CMS_ALGORITHM']);
    expect(codes({ ...parsed, digestAlgorithm: { oid: '1.2.840.113549.2.5', parameters: undefined } })).toEqual([
      'CMS_ALGORITHM',
      'CMS_ALGORITHM',
    ]);
    const odd = { ...parsed.signatureAlgorithm, parameters: Buffer.from('0400', 'hex') };
    expect(codes({ ...parsed, signatureAlgorithm: odd })).toEqual(['CMS_ALGORITHM']);
    expect(codes({ ...parsed, version: 3 })).toEqual(['CMS_VERSION']);
    expect(codes({ ...parsed, signerVersion: 3 })).toEqual(['CMS_VERSION']);
    expect(codes({ ...parsed, version: 3, contentType: '1.2.3' })).toEqual(['CMS_ATTRIBUTE']);
    expect(codes({ ...parsed, content: Buffer.from('other') })).toEqual(['CMS_CONTENT']);
    expect(codes({ ...parsed, signerCertificate: undefined })).toEqual(['CMS_SIGNER']);
    const twice = [...parsed.signedAttributes!, parsed.signedAttributes![0]!];
    expect(codes({ ...parsed, signedAttributes: twice })).toContain('CMS_ATTRIBUTE');
    expect(codes({ ...parsed, signedAttributes: [] })).toEqual(['CMS_ATTRIBUTE', 'CMS_DIGEST']);
  });

  it('refuses the certificate of somebody else', () => {
    const other = authority.members.application.certificate;
    expect(codes({ ...parsed, signerCertificate: other })).toEqual(['CMS_SIGNATURE']);
    const ec = authority.members.ticket.certificate;
    expect(verifyCms({ ...parsed, signerCertificate: ec }, CONTENT).findings[0]?.message).toContain('type rsa');
    const noKey = { ...other, publicKeyInfo: Buffer.alloc(3) };
    expect(verifyCms({ ...parsed, signerCertificate: noKey }, CONTENT).findings[0]?.message).toContain(
      'cannot be read',
    );
  });

  it.skipIf(openssl.missing)(`accepts what openssl signs, attached and detached, BER and DER${openssl.note}`, () => {
    const folder = new OpensslFolder();
    const { certificate, privateKey } = authority.members.installer;
    const signer = folder.putPem('leaf.pem', certificate);
    const key = folder.put('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const content = folder.put('content', CONTENT);
    for (const [number, flags] of [
      [],
      ['-nodetach'],
      ['-stream', '-indef'],
      ['-noattr'],
      ['-md', 'sha1'],
      ['-keyid'],
    ].entries()) {
      const out = join(folder.path, `${number}.der`);
      const argv = ['cms', '-sign', '-binary', '-in', content, '-signer', signer, '-inkey', key, '-outform', 'DER'];
      expect(run([...argv, '-out', out, ...flags]).output, flags.join(' ')).toBe('');
      const cms = parseCms(readFileSync(out));
      expect(codes(cms), flags.join(' ')).toEqual([]);
      expect(codes(cms, Buffer.alloc(20)).length, flags.join(' ')).toBeGreaterThan(0);
    }
  });
});

describe('a signature with one changed bit', () => {
  it('is refused wherever that bit lies, certificates left aside, also in what no signature covers', () => {
    const start = signature.indexOf(parsed.certificates[0]!.der);
    const end = signature.indexOf(parsed.certificates[2]!.der) + parsed.certificates[2]!.der.length;
    // All of the frame around the certificates; of the long signature every third byte, up to the token.
    const token = signature.indexOf(parsed.timestampToken!);
    for (let place = 0; place < token; place += place > end + 200 ? 3 : 1) {
      if (place === start) place = end;
      const changed = Buffer.from(signature);
      changed[place]! ^= 1 << (place % 8);
      expect(stillGood(changed), `byte ${place}`).toBe(false);
    }
  });
});

function stillGood(changed: Buffer): boolean {
  try {
    const cms = parseCms(changed);
    return cms.encodedSize === changed.length && verifyCms(cms, CONTENT).valid && cms.timestampToken !== undefined;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

describe('parseCms', () => {
  it('stops where the signature ends: the slot of a package ends in zeros', () => {
    expect(parseCms(Buffer.concat([signature, Buffer.alloc(700)])).encodedSize).toBe(signature.length);
  });

  it('refuses every cut, quickly', () => {
    for (let size = 0; size < signature.length; size += 97) {
      expect(() => parseCms(signature.subarray(0, size)), `${size} bytes`).toThrow(FormatError);
    }
  });

  it('answers random bytes and random changes with FormatError or a report, never with another error', () => {
    let refused = 0;
    for (let round = 0; round < 200; round++) {
      const changed = round % 4 === 0 ? randomBytes(1 + (round % 300)) : mutated(signature);
      try {
        verifyCms(parseCms(changed), CONTENT);
      } catch (error) {
        expect(error, changed.toString('hex')).toBeInstanceOf(FormatError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(50);
  });
});

/** Returns a copy with one to four bytes changed, or a piece cut out or doubled. */
function mutated(bytes: Buffer): Buffer {
  const [kind, count] = randomBytes(2);
  const place = () => randomBytes(4).readUInt32BE() % bytes.length;
  const copy = Buffer.from(bytes);
  if (kind! < 200) for (let left = 1 + (count! % 4); left > 0; left--) copy[place()] = randomBytes(1)[0]!;
  const [start, end] = [place(), place()].sort((a, b) => a - b) as [number, number];
  if (kind! >= 228) return Buffer.concat([copy.subarray(0, end), copy.subarray(start)]);
  return kind! >= 200 ? Buffer.concat([copy.subarray(0, start), copy.subarray(end)]) : copy;
}
