import { beforeAll, describe, expect, it } from 'vitest';
import { notaryApi } from '../../src/notary/rest/api.ts';
import { type NotarizedFile, submissionName } from '../../src/notary/submission.ts';
import { applePollMs } from '../../src/notary/wait.ts';
import { startRehearsalServices } from '../../src/rehearsal/services.ts';
import { standingClock } from '../support/standing-clock.ts';
import { authority, completed, rehearse, unstapledPackage } from './rehearsed.ts';

let file: NotarizedFile;
beforeAll(async () => {
  file = await unstapledPackage();
});

const MINUTE = 60_000;
type Known = 'Accepted' | 'Invalid' | 'Rejected' | 'In Progress';

/** Services that know a submission of the file already. */
async function known(uploaded: boolean) {
  const clock = standingClock(new Date());
  const services = await startRehearsalServices({ authority: await authority(), clock });
  const api = notaryApi({ url: services.notaryUrl, key: services.key, clock });
  const { id } = await api.submit({ name: submissionName(file), sha256: file.sha256 });
  const submittedAt = clock.now().toISOString();
  if (uploaded) {
    const stored = services.store.get(id)!;
    const log = { status: 'Accepted', statusSummary: 'Ready for distribution' };
    await services.store.put({
      ...stored,
      verdict: { from: clock.now().getTime() + 2 * MINUTE, status: 'Accepted', log, tickets: [] },
    });
  }
  return { clock, services, id, submittedAt };
}

describe('a submission', () => {
  it('is recorded before its upload, after it, and with its verdict', async () => {
    const run = await rehearse(file);
    expect(run.records.map(({ status }) => status)).toEqual(['Uploading', 'In Progress', 'Accepted']);
    expect(new Set(run.records.map(({ id }) => id)).size).toBe(1);
  });

  it('hands over its log', async () => {
    const logs: object[] = [];
    await rehearse(file, { keepLog: async (log) => void logs.push(log) });
    expect(logs).toMatchObject([{ status: 'Accepted', sha256: file.sha256 }]);
  });

  it('carries the start of the digest in its name', () => {
    expect(submissionName({ name: 'A.b-1.0.pkg', sha256: '0123456789abcdef0123' })).toBe(
      'A.b-1.0.0123456789abcdef.pkg',
    );
  });

  it('that the history shows is resumed instead of a second one', async () => {
    const { clock, services, id } = await known(true);
    const run = await rehearse(file, { clock, services });
    expect(run.records.at(-1)).toMatchObject({ id, status: 'Accepted' });
    expect(services.calls.get('submit')).toBe(1);
  });

  it.each<[string, readonly [older: Known, newer: Known], 0 | 1]>([
    ['a newer refusal beside an older acceptance', ['Accepted', 'Invalid'], 0],
    ['a newer acceptance beside an older refusal', ['Invalid', 'Accepted'], 1],
    ['a refusal, and a newer one under way', ['Invalid', 'In Progress'], 0],
    ['a refusal of the team, and a newer acceptance', ['Rejected', 'Accepted'], 1],
    ['an acceptance, and a newer refusal of the team', ['Accepted', 'Rejected'], 0],
  ])('is the one that decides where the history shows %s', async (_, statuses, decides) => {
    const clock = standingClock(new Date());
    const services = await startRehearsalServices({ authority: await authority(), clock });
    const api = notaryApi({ url: services.notaryUrl, key: services.key, clock });
    const ids: string[] = [];
    for (const status of statuses) {
      const { id } = await api.submit({ name: submissionName(file), sha256: file.sha256 });
      ids.push(id);
      await clock.sleep(MINUTE);
      const verdict = { from: clock.now().getTime(), status, log: { status, statusSummary: '' }, tickets: [] };
      if (status !== 'In Progress') await services.store.put({ ...services.store.get(id)!, verdict });
    }
    const run = await rehearse(file, { clock, services });
    expect(run.records[0]).toMatchObject({ id: ids[decides], status: statuses[decides] });
    expect(services.calls.get('submit')).toBe(2);
  });

  it('that the manifest records as uploaded is resumed', async () => {
    const { clock, services, id, submittedAt } = await known(true);
    const run = await rehearse(file, { clock, services, recorded: { id, status: 'In Progress', submittedAt } });
    expect(run.records.at(-1)).toMatchObject({ id, status: 'Accepted' });
    expect(services.calls.get('history')).toBeUndefined();
    expect(services.calls.get('submit')).toBe(1);
  });

  it('whose upload was never confirmed is waited for, then reported and submitted anew', async () => {
    const { clock, services, id, submittedAt } = await known(false);
    const run = await rehearse(file, { clock, services, recorded: { id, status: 'Uploading', submittedAt } });
    expect(run.error).toBeUndefined();
    expect(run.warned.join()).toContain(
      `submission ${id} is in progress for 15 min and its upload was never confirmed`,
    );
    expect(completed(run).map((one) => one.id)).toEqual([run.records.at(-1)?.id]);
    expect(completed(run)[0]?.id).not.toBe(id);
  });

  it('that the history shows in progress, and old, is submitted anew at once', async () => {
    const { clock, services } = await known(false);
    await clock.sleep(60 * MINUTE);
    const run = await rehearse(file, { clock, services });
    expect(run.error).toBeUndefined();
    expect(run.tookMs).toBeLessThan(MINUTE);
    expect(completed(run)).toHaveLength(1);
  });

  it('of a team that was not allowed then is made anew', async () => {
    const recorded = {
      id: '11111111-1111-4111-8111-111111111111',
      status: 'Rejected',
      submittedAt: new Date().toISOString(),
    };
    expect((await rehearse(file, { recorded })).error).toBeUndefined();
  });

  it('that takes too long ends with the command that goes on', async () => {
    const run = await rehearse(file, { verdictAfterMs: 30 * MINUTE, maxWaitMs: 10 * MINUTE });
    expect(run.error.hint).toContain(`npm run -s cli -- notarize --wait ${run.records.at(-1)?.id}`);
    expect(run.tookMs).toBe(10 * MINUTE);
  });

  it('ends at once when it is interrupted', async () => {
    const controller = new AbortController();
    controller.abort();
    expect((await rehearse(file, { signal: controller.signal })).error?.code).toBe('INTERRUPTED');
  });

  it('is asked about often at first', () => {
    expect([0, 59_999, 60_000, 299_999, 300_000].map(applePollMs)).toEqual([4000, 4000, 15_000, 15_000, 45_000]);
  });
});
