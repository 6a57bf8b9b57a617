import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import {
  encodeTimestampRequest,
  parseTimestampResponse,
  verifyTimestampToken,
} from '../../../src/pki/timestamp/timestamp-token.ts';
import { type Finding, failure } from '../../../src/pki/x509/finding.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority, type TimestampAuthority } from '../../../src/rehearsal/timestamp-authority.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { OpensslFolder, openssl, run } from '../../support/openssl.ts';

const SIGNATURE = Buffer.from('a signature value');
const NONCE = Buffer.from('0102030405060708', 'hex');
let authority: RehearsalAuthority;
let tsa: TimestampAuthority;
let response: Buffer;
let token: Buffer;

beforeAll(async () => {
  authority = await sharedAuthority();
  tsa = rehearsalTimestampAuthority(authority);
  response = tsa.issueToken(encodeTimestampRequest(SIGNATURE, NONCE));
  token = parseTimestampResponse(response).token!;
});

describe('encodeTimestampRequest', () => {
  it('gives the bytes of RFC 3161', () => {
    const imprint = createHash('sha256').update(SIGNATURE).digest('hex');
    // version 1; MessageImprint with SHA-256 and NULL; nonce; certReq TRUE
    const expected = `3041020101${'3031300d060960864801650304020105000420'}${imprint}${'02080102030405060708'}${'0101ff'}`;
    // The length octet: 3 + 51 + 10 + 3 bytes.
    expect(encodeTimestampRequest(SIGNATURE, NONCE).toString('hex')).toBe(expected.replace(/^3041/, '3043'));
  });

  it('keeps a nonce positive whose first bit is set', () => {
    expect(encodeTimestampRequest(SIGNATURE, Buffer.alloc(8, 0xff)).toString('hex')).toContain(
      '020900ffffffffffffffff',
    );
  });

  it.skipIf(openssl.missing)(`is read by openssl ts${openssl.note}`, () => {
    const request = new OpensslFolder().put('request.tsq', encodeTimestampRequest(SIGNATURE, NONCE));
    const { output } = run(['ts', '-query', '-in', request, '-text']);
    expect(output).toMatch(/Hash Algorithm: sha256[\s\S]*Nonce: 0x0102030405060708[\s\S]*Certificate required: yes/);
  });
});

describe('verifyTimestampToken', () => {
  it('says when, by whom and over what', () => {
    const report = verifyTimestampToken(token, SIGNATURE, authority.trust);
    expect(report.findings).toEqual([]);
    expect(report.info.nonce).toEqual(NONCE);
    expect(report.signerCertificate?.commonName).toContain('REHEARSAL Timestamp Signer');
    expect(report.chain).toHaveLength(3);
  });

  it('refuses another signature and bytes after the token', () => {
    const other = verifyTimestampToken(token, Buffer.from('another'), authority.trust);
    expect(other.findings.map(({ code }) => code)).toEqual(['TIMESTAMP_IMPRINT']);
    const longer = verifyTimestampToken(Buffer.concat([token, Buffer.alloc(1)]), SIGNATURE, authority.trust);
    expect(longer.findings.map(({ code }) => code)).toEqual(['TIMESTAMP_TRAILING']);
  });

  it('reports each changed bit, and refuses it unless it lies in a certificate that the chain does not need', () => {
    const root = authority.members.root.certificate;
    const unsigned = token.indexOf(root.der);
    for (let round = 0; round < 200; round++) {
      const place = (round * 7919) % token.length;
      const changed = Buffer.from(token);
      changed[place]! ^= 1 << (round % 8);
      const findings = findingsOf(changed);
      const inRoot = place >= unsigned && place < unsigned + root.der.length;
      expect(findings.length, `byte ${place}`).toBeGreaterThan(0);
      if (!inRoot)
        expect(
          findings.map(({ severity }) => severity),
          `byte ${place}`,
        ).toContain('error');
    }
  });

  it('answers random bytes with FormatError', () => {
    for (let size = 0; size < 60; size++) {
      const bytes = Buffer.concat([Buffer.from('30', 'hex'), randomBytes(size)]);
      expect(() => verifyTimestampToken(bytes, SIGNATURE, authority.trust)).toThrow(FormatError);
      expect(() => parseTimestampResponse(bytes)).toThrow(FormatError);
    }
  });

  it.skipIf(openssl.missing)(`agrees with openssl ts -verify${openssl.note}`, () => {
    const folder = new OpensslFolder();
    const { root, timestampAuthority } = authority.members;
    const verify = (data: Buffer) =>
      run([
        ...['ts', '-verify', '-data', folder.put('data', data), '-in', folder.put('response.tsr', response)],
        ...['-CAfile', folder.putPem('root.pem', root.certificate)],
        ...['-untrusted', folder.putPem('intermediate.pem', timestampAuthority.certificate)],
      ]).output;
    expect(verify(SIGNATURE)).toContain('Verification: OK');
    expect(verify(Buffer.from('another'))).toContain('Verification: FAILED');
  });
});

/** Returns what is wrong with a token; being no token at all is one thing that can be wrong. */
function findingsOf(changed: Buffer): readonly Finding[] {
  try {
    return verifyTimestampToken(changed, SIGNATURE, authority.trust).findings;
  } catch (error) {
    if (error instanceof FormatError) return [failure(error.code, error.message)];
    throw error;
  }
}

describe('parseTimestampResponse', () => {
  it('reads status, words and failure bits of a refusal', () => {
    const rejected = tsa.issueToken(Buffer.alloc(0), { kind: 'rejected', failureBit: 14, text: 'no clock' });
    expect(parseTimestampResponse(rejected)).toEqual({ status: 2, text: 'no clock', failures: [14], token: undefined });
  });
});
