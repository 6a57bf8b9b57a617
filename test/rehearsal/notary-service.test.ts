import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import type { NotaryKey } from '../../src/notary/rest/credentials.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { LocalRequest } from '../../src/rehearsal/local-server.ts';
import { notaryService } from '../../src/rehearsal/notary-service.ts';
import { SubmissionStore } from '../../src/rehearsal/submission-store.ts';
import { TICKET_PATH, ticketService } from '../../src/rehearsal/ticket-service.ts';
import { builtPackage } from '../support/built-package.ts';
import { standingClock } from '../support/standing-clock.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z') / 1000;
const key: NotaryKey = {
  key: generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
  keyId: 'ABC1234567',
  issuerId: '69a6de70-03db-47e3-e053-5b8c7c11a4d1',
};
let authority: RehearsalAuthority;
let store: SubmissionStore;
let clock: Clock & { readonly slept: number[] };
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
});
beforeEach(async () => {
  store = await SubmissionStore.open(undefined);
  clock = standingClock(new Date(NOW * 1000));
});

type Change = Partial<Parameters<typeof notaryService>[0]>;
const service = (change: Change = {}) =>
  notaryService({
    ...{ store, clock, authority, key, origin: () => 'http://here', verdictAfterMs: 0, ticketAfterMs: 0 },
    ...change,
  });

/** A token as App Store Connect wants it, or one that differs. */
const token = (change: { payload?: object; kid?: string; by?: NotaryKey['key'] } = {}) =>
  new SignJWT({ iss: key.issuerId, aud: 'appstoreconnect-v1', iat: NOW, exp: NOW + 1200, ...change.payload })
    .setProtectedHeader({ alg: 'ES256', kid: change.kid ?? key.keyId, typ: 'JWT' })
    .sign(change.by ?? key.key);

async function call(
  method: string,
  address: string,
  given: { body?: object | string; headers?: LocalRequest['headers'] } = {},
  change?: Change,
) {
  const [path = '', query = ''] = address.split('?');
  const { handlers } = service(change);
  const handler = [...handlers, ticketService({ store, clock })].find((one) => one.matches(method, path));
  if (!handler) return { status: 'no handler', json: undefined };
  const headers = given.headers ?? { authorization: `Bearer ${await token()}` };
  const body = Buffer.from(typeof given.body === 'string' ? given.body : JSON.stringify(given.body ?? ''));
  const { status, body: text } = await handler.answer({ method, path, query, headers, body }, undefined);
  return { status, json: text.toString().startsWith('{') ? JSON.parse(text.toString()) : text.toString() };
}
const SUBMISSIONS = '/notary/v2/submissions';
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** Submits the release, or other bytes, and uploads `data`; returns the id. */
async function submitted({
  data = readFileSync(builtPackage()),
  announced = sha256(data),
  ...change
}: Change & { data?: Buffer; announced?: string } = {}) {
  const body = { submissionName: 'a.pkg', sha256: announced };
  const { json } = await call('POST', SUBMISSIONS, { body }, change);
  await service(change).examine(store.get(json.data.id)!, data);
  return json.data.id as string;
}
const statusOf = async (id: string) => (await call('GET', `${SUBMISSIONS}/${id}`)).json.data.attributes.status;

describe('a token', () => {
  const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;

  it.each<[string, Parameters<typeof token>[0], number]>([
    ['as it is to be', {}, 200],
    ['of 20 minutes and a second', { payload: { exp: NOW + 1201 } }, 401],
    ['that ended 59 seconds ago', { payload: { iat: NOW - 1000, exp: NOW - 59 } }, 200],
    ['that ended a minute ago', { payload: { iat: NOW - 1000, exp: NOW - 60 } }, 401],
    ['without an end', { payload: { exp: undefined } }, 401],
    ['without a beginning', { payload: { iat: undefined } }, 401],
    ['for another audience', { payload: { aud: 'other' } }, 401],
    ['of another issuer', { payload: { iss: 'other' } }, 401],
    ['of another key id', { kid: 'XYZ1234567' }, 401],
    ['of another key', { by: other }, 401],
  ])('%s', async (_, change, status) => {
    const authorization = `Bearer ${await token(change)}`;
    expect((await call('GET', SUBMISSIONS, { headers: { authorization } })).status).toBe(status);
  });

  it('is demanded of every call but that of a log file', async () => {
    const headers = { authorization: (await token()).replace('Bearer ', '') };
    for (const given of [{}, headers, { authorization: 'Bearer ' }])
      for (const [method, path] of [
        ['POST', SUBMISSIONS],
        ['GET', SUBMISSIONS],
        ['GET', `${SUBMISSIONS}/x`],
        ['GET', `${SUBMISSIONS}/x/logs`],
      ] as const)
        expect([path, (await call(method, path, { headers: given })).status]).toEqual([path, 401]);
  });
});

describe('a submission', () => {
  it.each<[object | string]>([
    ['{'],
    [{}],
    [{ submissionName: 'a.pkg' }],
    [{ submissionName: '', sha256: '0'.repeat(64) }],
    [{ submissionName: 'a.pkg', sha256: '0'.repeat(63) }],
    [{ submissionName: 'a.pkg', sha256: 'A'.repeat(64) }],
  ])('is not announced by %j', async (body) => {
    const { status, json } = await call('POST', SUBMISSIONS, { body });
    expect([status, json.errors[0].code, store.newestFirst()]).toEqual([400, 'PARAMETER_ERROR.INVALID', []]);
  });

  it('gets keys for twelve hours, of its own', async () => {
    const body = { submissionName: 'a.pkg', sha256: '0'.repeat(64) };
    const answers = [await call('POST', SUBMISSIONS, { body }), await call('POST', SUBMISSIONS, { body })];
    const [one, other] = answers.map(({ json }) => json.data);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(one).toMatchObject({ type: 'submissionsPostResponse', attributes: { bucket: 'rehearsal-submissions' } });
    expect(one.attributes.awsAccessKeyId).toMatch(/^ASIA[0-9A-F]{16}$/);
    expect(one.attributes.awsSecretAccessKey).not.toBe(other.attributes.awsSecretAccessKey);
    expect(store.get(one.id)).toMatchObject({
      name: 'a.pkg',
      keys: { expires: (NOW + 12 * 3600) * 1000 },
      verdict: null,
    });
  });

  it('is under way until its verdict, which comes when it is due', async () => {
    const id = await submitted({ verdictAfterMs: 5000 });
    expect(await statusOf(id)).toBe('In Progress');
    expect((await call('GET', `${SUBMISSIONS}/${id}/logs`)).status).toBe(404);
    await clock.sleep(4999);
    expect(await statusOf(id)).toBe('In Progress');
    await clock.sleep(1);
    expect(await statusOf(id)).toBe('Accepted');
    expect((await call('GET', `${SUBMISSIONS}/${id}/logs`)).status).toBe(200);
  });

  it('that nobody uploaded has no end, and one that nobody made is none', async () => {
    const { json } = await call('POST', SUBMISSIONS, { body: { submissionName: 'a.pkg', sha256: '0'.repeat(64) } });
    expect(await statusOf(json.data.id)).toBe('In Progress');
    for (const path of [`${SUBMISSIONS}/x`, `${SUBMISSIONS}/x/logs`, `${SUBMISSIONS}/${json.data.id}/logs`])
      expect((await call('GET', path)).json.errors[0]).toMatchObject({ status: '404', code: 'NOT_FOUND' });
    expect((await call('GET', `${SUBMISSIONS}/x/y`)).status).toBe('no handler');
  });

  it.each<[string, Parameters<typeof submitted>[0], string, number]>([
    ['a release', {}, 'Accepted', 0],
    ['other bytes than announced', { announced: '0'.repeat(64) }, 'Invalid', 4000],
    ['no package', { data: Buffer.from('text') }, 'Invalid', 4000],
    ['a release of a team that may not', { verdict: 'Rejected' }, 'Rejected', 7000],
    ['a release, all the same', { verdict: 'Invalid' }, 'Invalid', 4000],
  ])('of %s is judged, and its log says so', async (_, given, status, statusCode) => {
    const id = await submitted(given);
    const { log, tickets } = store.get(id)!.verdict!;
    expect([await statusOf(id), log.status, log.statusCode]).toEqual([status, status, statusCode]);
    expect(log).toMatchObject({ jobId: id, archiveFilename: 'a.pkg', uploadDate: '2026-01-01T00:00:00.000Z' });
    const accepted = status === 'Accepted';
    expect([tickets.length > 0, log.ticketContents !== null]).toEqual([accepted, accepted]);
    expect(log.issues === null).toBe(accepted || given?.verdict !== undefined);
  });

  it('has a ticket for the package and for each slice', async () => {
    const { log, tickets } = store.get(await submitted())!.verdict! as any;
    const shown = log.ticketContents.map(({ digestAlgorithm, arch }: any) => [digestAlgorithm, arch]);
    expect(shown).toEqual([
      ['SHA-1', undefined],
      ['SHA-256', 'x86_64'],
      ['SHA-256', 'arm64'],
    ]);
    expect(log.ticketContents.every(({ cdhash }: any) => /^[0-9a-f]{40}$/.test(cdhash))).toBe(true);
    expect(tickets.map(({ recordName }: any) => recordName)).toEqual([
      `2/1/${log.ticketContents[0].cdhash}`,
      ...log.ticketContents.slice(1).map(({ cdhash }: any) => `2/2/${cdhash}`),
    ]);
  });

  it('that comes a second time changes nothing', async () => {
    const id = await submitted();
    const before = store.get(id)!;
    await service({ verdict: 'Invalid' }).examine(before, Buffer.from('other'));
    expect(store.get(id)).toBe(before);
  });

  it('stands in the history, the newest of a hundred first', async () => {
    for (let at = 0; at < 101; at++) {
      await call('POST', SUBMISSIONS, { body: { submissionName: `${at}.pkg`, sha256: '0'.repeat(64) } });
      await clock.sleep(1000);
    }
    const { data } = (await call('GET', SUBMISSIONS)).json;
    expect([data.length, data[0].attributes.name, data[99].attributes.name]).toEqual([100, '100.pkg', '1.pkg']);
  });
});

describe('a log file', () => {
  it('is given to whoever has its address, and to nobody else', async () => {
    const id = await submitted();
    const address = (await call('GET', `${SUBMISSIONS}/${id}/logs`)).json.data.attributes.developerLogUrl as string;
    expect(address).toMatch(new RegExp(`^http://here/logs/${id}\\.json\\?X-Amz-Signature=[0-9a-f]{64}$`));
    const path = address.slice('http://here'.length);
    const got = (place: string, headers: LocalRequest['headers'] = {}) => call('GET', place, { headers });
    expect(await got(path)).toMatchObject({ status: 200, json: { jobId: id } });
    expect((await got(path, { authorization: 'Bearer x' })).status).toBe(400);
    for (const other of [path.slice(0, -1), path.replace(/\?.*/, ''), path.replace(id, 'x'), '/logs/'])
      expect([other, (await got(other)).status]).toEqual([other, 403]);
    expect((await call('GET', '/log')).status).toBe('no handler');
  });
});

describe('a ticket', () => {
  const lookUp = (...names: string[]) =>
    call('POST', TICKET_PATH, { body: { records: names.map((recordName) => ({ recordName })) } });

  it('is found once it has spread, each under its name', async () => {
    const [first, second] = store.get(await submitted({ ticketAfterMs: 3000 }))!.verdict!.tickets;
    const found = async () => (await lookUp(first!.recordName, 'x', second!.recordName)).json.records;
    expect((await found()).map(({ serverErrorCode }: any) => serverErrorCode)).toEqual([
      'NOT_FOUND',
      'NOT_FOUND',
      'NOT_FOUND',
    ]);
    await clock.sleep(2999);
    expect((await found())[0].serverErrorCode).toBe('NOT_FOUND');
    await clock.sleep(1);
    const [one, none, two] = await found();
    expect([one.fields.signedTicket, none.reason, two.fields.signedTicket]).toEqual([
      { value: first!.ticket, type: 'BYTES' },
      'Record not found',
      { value: second!.ticket, type: 'BYTES' },
    ]);
    expect(one).toMatchObject({ recordName: first!.recordName, recordType: 'DeveloperIDTicket', deleted: false });
  });

  it.each(['{', '{}', '{"records":[{}]}'])('is not asked for by %s', async (body) => {
    expect(await call('POST', TICKET_PATH, { body })).toMatchObject({
      status: 400,
      json: { serverErrorCode: 'BAD_REQUEST' },
    });
  });

  it('is not asked for in another way', async () => {
    expect((await call('GET', TICKET_PATH)).status).toBe('no handler');
    expect((await call('POST', `${TICKET_PATH}/x`)).status).toBe('no handler');
  });
});
