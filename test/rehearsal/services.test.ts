import { createHash, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsV4Signer } from 'aws4fetch';
import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { type RehearsalOptions, type RehearsalServices, startRehearsalServices } from '../../src/rehearsal/services.ts';
import type { StoredSubmission } from '../../src/rehearsal/submission-store.ts';
import { builtPackage } from '../support/built-package.ts';
import { standingClock } from '../support/standing-clock.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const folder = join(mkdtempSync(join(tmpdir(), 'services-')), 'notary');
let authority: RehearsalAuthority;
const running: RehearsalServices[] = [];
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.close();
});
afterAll(() => rmSync(join(folder, '..'), { recursive: true }));

async function started(options: Partial<RehearsalOptions> = {}): Promise<RehearsalServices> {
  const services = await startRehearsalServices({ authority, ...options });
  running.push(services);
  return services;
}

/** Submits and uploads the release as a client does, with tokens and signatures that others made. */
async function submitted({
  notaryUrl,
  uploadPlace,
  key,
  store,
}: RehearsalServices): Promise<readonly StoredSubmission[]> {
  const iat = NOW.getTime() / 1000;
  const token = await new SignJWT({ iss: key.issuerId, aud: 'appstoreconnect-v1', iat, exp: iat + 60 })
    .setProtectedHeader({ alg: 'ES256', kid: key.keyId })
    .sign(key.key);
  const data = readFileSync(builtPackage());
  const sha256 = createHash('sha256').update(data).digest('hex');
  const answer = await fetch(`${notaryUrl}/submissions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ submissionName: 'a.pkg', sha256 }),
  });
  const { attributes } = ((await answer.json()) as { data: { attributes: Record<string, string> } }).data;
  const signed = await new AwsV4Signer({
    method: 'PUT',
    url: `${uploadPlace(attributes.bucket!, 1)}/${encodeURIComponent(attributes.object!).replaceAll('%2F', '/')}`,
    headers: { 'X-Amz-Content-Sha256': sha256 },
    accessKeyId: attributes.awsAccessKeyId!,
    secretAccessKey: attributes.awsSecretAccessKey!,
    sessionToken: attributes.awsSessionToken!,
    ...{ service: 's3', region: 'us-west-2', datetime: '20260101T000000Z' },
  }).sign();
  expect((await fetch(signed.url, { method: 'PUT', headers: signed.headers, body: data })).status).toBe(200);
  return store.newestFirst();
}
const publicOf = ({ key }: RehearsalServices) => createPublicKey(key.key).export({ type: 'spki', format: 'pem' });
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('the services of a rehearsal', () => {
  it('have their addresses on this machine, and a key of the form of App Store Connect’s', async () => {
    const { notaryUrl, ticketUrl, uploadPlace, key, faults } = await started({ faults: [{ at: 'log', kind: 'cut' }] });
    const origin = /^http:\/\/127\.0\.0\.1:\d+(?=\/notary\/v2$)/.exec(notaryUrl)?.[0];
    expect(ticketUrl).toBe(`${origin}/database/1/com.apple.gk.ticket-delivery/production/public/records/lookup`);
    expect([uploadPlace('bucket', 1), faults.unused]).toEqual([`${origin}/bucket`, 1]);
    expect([key.keyId, key.issuerId]).toEqual(['REHEARSAL1', '00000000-0000-4000-8000-000000000000']);
    expect(key.key.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  });

  it('take uploads, answer for notary and tickets, and count', async () => {
    const { notaryUrl, ticketUrl, uploadPlace, calls } = await started();
    const asked = [
      fetch(`${notaryUrl}/submissions`),
      fetch(ticketUrl, { method: 'POST', body: '{"records":[]}' }),
      fetch(`${uploadPlace('rehearsal-submissions', 1)}/a`, { method: 'PUT' }),
      fetch(`${notaryUrl}/else`),
    ];
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([401, 200, 403, 404]);
    expect([...calls].sort()).toEqual([
      ['history', 1],
      ['ticket', 1],
      ['upload', 1],
    ]);
  });

  it('keep their key in a folder for the next process, for nobody else to read; without one they have a new one', async () => {
    const first = publicOf(await started({ folder }));
    expect(publicOf(await started({ folder }))).toBe(first);
    const path = join(folder, 'AuthKey.p8');
    expect([mode(folder), mode(path)]).toEqual(['700', '600']);
    expect(readFileSync(path, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    writeFileSync(path, 'damaged');
    const second = publicOf(await started({ folder }));
    expect([second === first, publicOf(await started({ folder })) === second]).toEqual([false, true]);
    expect(publicOf(await started())).not.toBe(publicOf(await started()));
  });

  it.each<[string, Partial<RehearsalOptions>, number, number, string]>([
    ['at once', {}, 0, 0, 'Accepted'],
    ['when they are told to', { verdictAfterMs: 5, ticketAfterMs: 7 }, 5, 12, 'Accepted'],
    ['as they are told to', { verdict: 'Rejected' }, 0, Number.NaN, 'Rejected'],
  ])('judge a release %s', async (_, options, verdict, tickets, status) => {
    const services = await started({ clock: standingClock(NOW), ...options });
    const [submission] = await submitted(services);
    expect([submission?.verdict?.status, submission?.verdict?.from]).toEqual([status, NOW.getTime() + verdict]);
    const times = new Set(submission?.verdict?.tickets.map(({ from }) => from - NOW.getTime()));
    expect([...times]).toEqual(Number.isNaN(tickets) ? [] : [tickets]);
  });
});
