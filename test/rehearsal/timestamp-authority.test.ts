import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { request } from '../../src/base/http.ts';
import { parseAsn1 } from '../../src/pki/asn1/asn1.ts';
import { oid, sequence } from '../../src/pki/asn1/der.ts';
import {
  encodeTimestampRequest,
  parseTimestampResponse,
  verifyTimestampToken,
} from '../../src/pki/timestamp/timestamp-token.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority, type TimestampFault } from '../../src/rehearsal/timestamp-authority.ts';
import { OpensslFolder, openssl, run } from '../support/openssl.ts';
import { standingClock } from '../support/standing-clock.ts';
import { sharedAuthority } from './shared-authority.ts';
import { startTimestampServer, type TimestampServer } from './timestamp-server.ts';

const SIGNATURE = Buffer.from('signature');
const QUERY = encodeTimestampRequest(SIGNATURE, Buffer.alloc(8, 1));
let authority: RehearsalAuthority;
let server: TimestampServer | undefined;

beforeAll(async () => {
  authority = await sharedAuthority();
});
afterEach(async () => {
  await server?.close();
  server = undefined;
});

describe('rehearsalTimestampAuthority', () => {
  it('stamps with the time of its clock', () => {
    const start = new Date('2027-01-02T03:04:05Z');
    const response = rehearsalTimestampAuthority(authority, standingClock(start)).issueToken(QUERY);
    const report = verifyTimestampToken(parseTimestampResponse(response).token!, SIGNATURE, authority.trust);
    expect([report.trusted, report.genTime]).toEqual([true, start]);
  });

  it('refuses what is not a request', () => {
    expect(() => rehearsalTimestampAuthority(authority).issueToken(Buffer.from('GET /'))).toThrow(FormatError);
  });

  // DER of a named bit list, by RFC 3161's numbers: badAlg 0, badRequest 2, badDataFormat 5, timeNotAvailable 14 and so on.
  it.each([
    [0, '03020780'],
    [2, '03020520'],
    [5, '03020204'],
    [7, '03020001'],
    [8, '0303070080'],
    [14, '0303010002'],
    [15, '0303000001'],
    [16, '030407000080'],
    [17, '030406000040'],
    [25, '03050600000040'],
  ])('refuses with failure %i as %s, and a token', (failureBit, bits) => {
    const answer = rehearsalTimestampAuthority(authority).issueToken(QUERY, {
      kind: 'rejected',
      failureBit,
      text: 'no',
    });
    // PKIStatus 2 is rejection; words are a sequence of UTF8String.
    const status = `02010230040c026e6f${bits}`;
    const size = (text: string) => (text.length / 2).toString(16).padStart(2, '0');
    const info = `30${size(status)}${status}`;
    expect(answer.toString('hex')).toBe(`30${size(info)}${info}`);
  });

  it('says that it rehearses when it is not told what to say', () => {
    const answer = rehearsalTimestampAuthority(authority).issueToken(QUERY, { kind: 'rejected', failureBit: 2 });
    expect(parseTimestampResponse(answer)).toMatchObject({ status: 2, text: 'REHEARSAL rejection' });
  });

  const judged = (fault?: TimestampFault, query = QUERY) => {
    const clock = standingClock(new Date());
    const response = rehearsalTimestampAuthority(authority, clock).issueToken(query, fault);
    return verifyTimestampToken(parseTimestampResponse(response).token!, SIGNATURE, authority.trust);
  };
  const codes = ({ findings }: ReturnType<typeof judged>) => findings.map(({ code }) => code);

  it('does one thing wrong when it is told to, and only that', () => {
    const good = judged();
    expect([codes(good), good.info.policy, good.info.nonce]).toEqual([[], '1.3.6.1.4.1.32473.1', Buffer.alloc(8, 1)]);
    const otherNonce = judged({ kind: 'wrong-nonce' });
    expect([codes(otherNonce), otherNonce.info.nonce?.equals(Buffer.alloc(8, 1))]).toEqual([[], false]);
    expect(codes(judged({ kind: 'wrong-imprint' }))).toEqual(['TIMESTAMP_IMPRINT']);
    expect(codes(judged({ kind: 'wrong-signature' }))).toEqual(['CMS_SIGNATURE']);
    expect(codes(judged({ kind: 'wrong-certificate' }))).toEqual(['TIMESTAMP_SIGNING_CERTIFICATE']);
    const time = new Date('2031-02-03T04:05:06Z');
    expect([codes(judged({ kind: 'time', time })), judged({ kind: 'time', time }).genTime]).toEqual([[], time]);
    const installer = { signer: authority.members.installer, chain: authority.chainOf('installer') };
    expect(judged({ kind: 'signer', ...installer }).signerCertificate).toEqual(installer.signer.certificate);
    expect(codes(judged({ kind: 'signer', ...installer }))).not.toEqual([]);
  });

  it('answers a request without a nonce without one, and one that names a policy', () => {
    const [version, imprint, nonce] = [QUERY.subarray(2, 5), QUERY.subarray(5, 56), QUERY.subarray(56, 66)];
    const asked = (...fields: Uint8Array[]) => judged(undefined, sequence(...fields));
    expect(asked(version, imprint).info.nonce).toBeUndefined();
    expect(asked(version, imprint, oid('1.2.3'), nonce).info.nonce).toEqual(Buffer.alloc(8, 1));
    expect(asked(version, imprint, oid('1.2.3'), nonce).info.serialNumber).not.toBe(
      asked(version, imprint).info.serialNumber,
    );
  });

  it('writes the forms of RFC 3161 and RFC 5652: TSTInfo of version 1, SignedData of version 3, SignerInfo of version 1', () => {
    const response = rehearsalTimestampAuthority(authority).issueToken(QUERY);
    const [status, token] = parseAsn1(response, 'response').children;
    expect(status?.raw.toString('hex')).toBe('3003020100');
    const signedData = token!.children[1]!.children[0]!;
    const [version, digests, content, certificates, signers] = signedData.children.map(({ raw }) =>
      raw.toString('hex'),
    );
    expect([version, digests]).toEqual(['020103', '310f300d06096086480165030402010500']);
    // id-ct-TSTInfo, then [0] with an OCTET STRING that begins with a SEQUENCE of version 1.
    expect(content).toMatch(/^30..060b2a864886f70d0109100104a0..04..30..02010106/);
    expect(certificates).toContain(authority.members.timestamp.certificate.der.toString('hex'));
    expect(signers).toMatch(/^31820...30820...020101/);
  });

  it.skipIf(openssl.missing)(`answers a request that openssl made, without a nonce too${openssl.note}`, () => {
    const folder = new OpensslFolder();
    const data = folder.put('data', SIGNATURE);
    for (const flags of [['-cert'], ['-cert', '-no_nonce']]) {
      const query = Buffer.from(
        run(['ts', '-query', '-data', data, '-sha256', ...flags]).output.replace(/^Using.*\n/, ''),
        'latin1',
      );
      const response = folder.put('response.tsr', rehearsalTimestampAuthority(authority).issueToken(query));
      const root = folder.putPem('root.pem', authority.members.root.certificate);
      const argv = ['ts', '-verify', '-queryfile', folder.put('query.tsq', query), '-in', response, '-CAfile', root];
      expect(
        run([...argv, '-untrusted', folder.putPem('ca.pem', authority.members.timestampAuthority.certificate)]).output,
      ).toContain('Verification: OK');
    }
  });
});

describe('startTimestampServer', () => {
  it('answers on 127.0.0.1 as Apple’s does, after the faults it was given', async () => {
    server = await startTimestampServer(rehearsalTimestampAuthority(authority), [
      { kind: 'http', status: 503 },
      undefined,
    ]);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/ts01$/);
    const call = { purpose: 'ask', method: 'POST', url: server.url, body: QUERY, timeoutMs: 60_000 } as const;
    expect((await request(call)).status).toBe(503);
    const answer = await request(call);
    expect(answer.headers.get('content-type')).toBe('application/timestamp-reply');
    expect(parseTimestampResponse(answer.body).status).toBe(0);
    expect(server.requests).toBe(2);
  });
});
