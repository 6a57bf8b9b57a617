import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { request } from '../../src/base/http.ts';
import {
  encodeTimestampRequest,
  parseTimestampResponse,
  verifyTimestampToken,
} from '../../src/pki/timestamp/timestamp-token.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { rehearsalTimestampAuthority } from '../../src/rehearsal/timestamp-authority.ts';
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
