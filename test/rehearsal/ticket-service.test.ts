import { beforeEach, describe, expect, it } from 'vitest';
import type { Fault } from '../../src/rehearsal/fault.ts';
import { type StoredSubmission, SubmissionStore } from '../../src/rehearsal/submission-store.ts';
import { TICKET_PATH, ticketService } from '../../src/rehearsal/ticket-service.ts';
import { standingClock } from '../support/standing-clock.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
let store: SubmissionStore;
beforeEach(async () => {
  store = await SubmissionStore.open(undefined);
});
const ticketOf = (fill: number) => Buffer.alloc(300, fill).toString('base64');

/** Keeps a submission of a day with tickets by their names, each with what fills it and the time from which it is there. */
async function keep(day: string, tickets?: Record<string, readonly [fill: number, from: number]>) {
  const keys = { accessKeyId: '', secretAccessKey: '', sessionToken: '', expires: 0 };
  const submission = { id: day, name: 'a.pkg', sha256: '', createdDate: day, object: '', keys };
  const list = Object.entries(tickets ?? {}).map(([recordName, [fill, from]]) => ({
    recordName,
    ticket: ticketOf(fill),
    from,
  }));
  const verdict: StoredSubmission['verdict'] = tickets ? { from: 0, status: 'Accepted', log: {}, tickets: list } : null;
  await store.put({ ...submission, verdict });
}

async function lookUp(recordName: string, fault?: Fault) {
  const handler = ticketService({ store, clock: standingClock(new Date(NOW)) });
  const body = Buffer.from(JSON.stringify({ records: [{ recordName }] }));
  const request = { method: 'POST', path: TICKET_PATH, query: '', headers: {}, body };
  const { status, body: text } = await handler.answer(request, fault);
  return { status, record: JSON.parse(text.toString()).records[0] };
}

describe('the look-up of a ticket', () => {
  it('answers in the shape of CloudKit', async () => {
    await keep('1', { a: [1, NOW] });
    const created = { timestamp: NOW, userRecordName: 'REHEARSAL', deviceID: '1' };
    expect(await lookUp('a')).toEqual({
      status: 200,
      record: {
        ...{ recordName: 'a', recordType: 'DeveloperIDTicket', recordChangeTag: 'rehearsal', pluginFields: {} },
        ...{
          fields: { signedTicket: { value: ticketOf(1), type: 'BYTES' } },
          created,
          modified: created,
          deleted: false,
        },
      },
    });
    expect((await lookUp('b')).record).toEqual({
      recordName: 'b',
      reason: 'Record not found',
      serverErrorCode: 'NOT_FOUND',
    });
  });

  it('finds the ticket of the newest submission that has one by now, by its own name', async () => {
    await keep('1', { a: [1, NOW], b: [2, NOW] });
    await keep('2', { a: [3, NOW] });
    await keep('3', { a: [4, NOW + 1] });
    await keep('4');
    const found = async (name: string) => (await lookUp(name)).record.fields?.signedTicket.value;
    expect([await found('a'), await found('b')]).toEqual([ticketOf(3), ticketOf(2)]);
  });

  it('spoils one bit of the body when it is told to, a hundred bytes before the end', async () => {
    await keep('1', { a: [4, NOW] });
    const spoilt = Buffer.alloc(300, 4);
    spoilt[200] = 5;
    const { record } = await lookUp('a', { at: 'ticket', kind: 'wrong-bytes' });
    expect(record.fields.signedTicket.value).toBe(spoilt.toString('base64'));
    expect((await lookUp('a', { at: 'ticket', kind: 'duplicate' })).record.fields.signedTicket.value).toBe(ticketOf(4));
  });
});
