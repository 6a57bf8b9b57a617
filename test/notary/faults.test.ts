import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../build/exit-code.ts';
import type { NotarizedFile } from '../../src/notary/submission.ts';
import type { Endpoint, Fault } from '../../src/rehearsal/fault.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { completed, type RehearsedOptions, rehearse, secretsIn, unstapledPackage } from './rehearsed.ts';

const MINUTE = 60_000;
const ALWAYS = Number.POSITIVE_INFINITY;

let file: NotarizedFile;
beforeAll(async () => {
  file = await unstapledPackage();
});

type Row = readonly [name: string, options: RehearsedOptions, expected: 'done' | readonly [code: string, exit: number]];

const faults = (...list: Fault[]): RehearsedOptions => ({ faults: list });
const agreement = JSON.stringify({
  errors: [
    {
      status: '403',
      code: 'FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED',
      title: 'A required agreement is missing or has expired.',
      detail: 'This request requires an in-effect agreement that has not been signed or has expired.',
    },
  ],
});
const s3 = (code: string) => `<Error><Code>${code}</Code><Message>no</Message></Error>`;
const logWith = (fields: object) =>
  JSON.stringify({ status: 'Accepted', statusSummary: 'Ready for distribution', ...fields });

const ENDPOINTS: readonly Endpoint[] = ['history', 'submit', 'upload', 'status', 'log', 'log-file', 'ticket'];

/** What passes by itself, at every call: each must end well. */
const passing: Row[] = ENDPOINTS.flatMap((at): Row[] => [
  [`${at}: 500`, faults({ at, kind: 'http', status: 500 }), 'done'],
  [`${at}: 503 twice`, faults({ at, kind: 'http', status: 503, times: 2 }), 'done'],
  [`${at}: 429 with Retry-After`, faults({ at, kind: 'http', status: 429, headers: { 'Retry-After': '7' } }), 'done'],
  [`${at}: connection closed`, faults({ at, kind: 'hang-up' }), 'done'],
  [`${at}: answer cut off`, faults({ at, kind: 'cut' }), 'done'],
  [`${at}: answer lost`, faults({ at, kind: 'lost' }), 'done'],
  [`${at}: page of a proxy`, faults({ at, kind: 'garbage' }), 'done'],
]);
/** Each waits a second for real. */
const late: Row[] = ENDPOINTS.map((at) => [`${at}: no answer in time`, faults({ at, kind: 'slow', ms: 3000 }), 'done']);

/** What does not pass: each ends with its own code. */
const lasting: Row[] = [
  ['history down', faults({ at: 'history', kind: 'http', status: 503, times: ALWAYS }), ['NOTARY_BUSY', 5]],
  ['submit down', faults({ at: 'submit', kind: 'http', status: 500, times: ALWAYS }), ['NOTARY_BUSY', 5]],
  ['submit unreachable', faults({ at: 'submit', kind: 'hang-up', times: ALWAYS }), ['NETWORK_UNREACHABLE', 5]],
  ['submit answered by a proxy', faults({ at: 'submit', kind: 'garbage', times: ALWAYS }), ['NOTARY_GARBLED', 5]],
  ['submit redirected', faults({ at: 'submit', kind: 'http', status: 302, times: ALWAYS }), ['NOTARY_PROXY', 5]],
  ['submit refused', faults({ at: 'submit', kind: 'http', status: 422 }), ['NOTARY_REFUSED_REQUEST', 4]],
  ['upload down', faults({ at: 'upload', kind: 'http', status: 503, times: ALWAYS }), ['UPLOAD_BUSY', 5]],
  ['upload answered by a proxy', faults({ at: 'upload', kind: 'garbage', times: ALWAYS }), ['UPLOAD_GARBLED', 5]],
  ['upload always spoilt', faults({ at: 'upload', kind: 'wrong-bytes', times: ALWAYS }), ['UPLOAD_DAMAGED', 5]],
  ['upload keys always expired', faults({ at: 'upload', kind: 'expired', times: 3 }), ['UPLOAD_EXPIRED', 4]],
  [
    'upload signature refused',
    faults({ at: 'upload', kind: 'http', status: 403, body: s3('SignatureDoesNotMatch') }),
    ['UPLOAD_REFUSED', 4],
  ],
  [
    'upload clock wrong',
    faults({ at: 'upload', kind: 'http', status: 403, body: s3('RequestTimeTooSkewed') }),
    ['UPLOAD_CLOCK', 4],
  ],
  ['status down for ever', faults({ at: 'status', kind: 'http', status: 500, times: ALWAYS }), ['NOTARY_WAIT', 5]],
  ['status unreachable for ever', faults({ at: 'status', kind: 'hang-up', times: ALWAYS }), ['NOTARY_WAIT', 5]],
  ['id unknown for ever', faults({ at: 'status', kind: 'http', status: 404, times: ALWAYS }), ['NOTARY_UNKNOWN_ID', 2]],
  [
    'key wrong from the start',
    faults({ at: 'history', kind: 'http', status: 401, body: 'Unauthenticated', times: 2 }),
    ['NOTARY_UNAUTHENTICATED', 2],
  ],
  [
    'key revoked amid the wait',
    faults({ at: 'status', kind: 'http', status: 401, times: 2 }),
    ['NOTARY_UNAUTHENTICATED', 2],
  ],
  ['agreement missing', faults({ at: 'history', kind: 'http', status: 403, body: agreement }), ['NOTARY_AGREEMENT', 4]],
  [
    'agreement expires before the submission',
    faults({ at: 'submit', kind: 'http', status: 403, body: agreement }),
    ['NOTARY_AGREEMENT', 4],
  ],
  [
    'agreement expires amid the wait',
    faults({ at: 'status', kind: 'http', status: 403, body: agreement }),
    ['NOTARY_AGREEMENT', 4],
  ],
  [
    'role too low',
    faults({ at: 'submit', kind: 'http', status: 403, body: '{"errors":[{"code":"FORBIDDEN_ERROR"}]}' }),
    ['NOTARY_FORBIDDEN', 4],
  ],
  ['no verdict for two hours', { verdictAfterMs: 120 * MINUTE }, ['NOTARY_WAIT', 5]],
  ['Invalid', { verdict: 'Invalid' }, ['NOTARY_INVALID', 4]],
  ['Rejected', { verdict: 'Rejected' }, ['NOTARY_REJECTED', 4]],
  [
    'log of other bytes',
    faults({ at: 'log-file', kind: 'http', status: 200, body: logWith({ sha256: 'ab'.repeat(32) }) }),
    ['NOTARY_OTHER_BYTES', 6],
  ],
  [
    'ticket of another package',
    faults({
      at: 'log-file',
      kind: 'http',
      status: 200,
      body: logWith({ ticketContents: [{ path: 'x.pkg', cdhash: '00'.repeat(20) }] }),
    }),
    ['NOTARY_OTHER_PACKAGE', 6],
  ],
  ['no ticket for ten minutes', { ticketAfterMs: 10 * MINUTE }, ['TICKET_LATE', 5]],
  ['ticket service down', faults({ at: 'ticket', kind: 'http', status: 503, times: ALWAYS }), ['TICKET_LATE', 5]],
  ['ticket always spoilt', faults({ at: 'ticket', kind: 'wrong-bytes', times: ALWAYS }), ['TICKET_WRONG', 6]],
];

/** What lasts a while, or comes once, and is waited out or begun anew. */
const recovering: Row[] = [
  ['submitted twice by the service', faults({ at: 'submit', kind: 'duplicate' }), 'done'],
  ['uploaded twice', faults({ at: 'upload', kind: 'duplicate' }), 'done'],
  ['upload spoilt once', faults({ at: 'upload', kind: 'wrong-bytes' }), 'done'],
  ['upload keys expired once', faults({ at: 'upload', kind: 'expired' }), 'done'],
  ['upload sent elsewhere', faults({ at: 'upload', kind: 'http', status: 307 }), 'done'],
  ['token not accepted once', faults({ at: 'submit', kind: 'http', status: 401 }), 'done'],
  ['token not accepted once amid the wait', faults({ at: 'status', kind: 'http', status: 401 }), 'done'],
  ['id not known yet', faults({ at: 'status', kind: 'http', status: 404, times: 3 }), 'done'],
  ['log not there yet', faults({ at: 'log', kind: 'http', status: 404, times: 4 }), 'done'],
  ['log never there', faults({ at: 'log', kind: 'http', status: 404, times: ALWAYS }), 'done'],
  ['log service down', faults({ at: 'log', kind: 'http', status: 503, times: ALWAYS }), 'done'],
  ['log spoilt for ever', faults({ at: 'log-file', kind: 'garbage', times: ALWAYS }), 'done'],
  [
    'a status new to us',
    faults({ at: 'status', kind: 'http', status: 200, body: '{"data":{"id":"x","attributes":{"status":"Queued"}}}' }),
    'done',
  ],
  ['an outage of twenty minutes', faults({ at: 'status', kind: 'hang-up', times: 23 }), 'done'],
  ['Accepted after ten minutes', { verdictAfterMs: 10 * MINUTE }, 'done'],
  ['Accepted after 55 minutes', { verdictAfterMs: 55 * MINUTE }, 'done'],
  ['ticket after two minutes', { ticketAfterMs: 2 * MINUTE }, 'done'],
  ['ticket spoilt once', faults({ at: 'ticket', kind: 'wrong-bytes' }), 'done'],
];

const TABLE = [...passing, ...lasting, ...recovering, ...late];

describe(`the fault table, ${TABLE.length} faults${ofTheDay}`, () => {
  it('has at least 60', () => expect(TABLE.length).toBeGreaterThanOrEqual(60));

  const endpointOf = ([name]: Row) => name.slice(0, name.indexOf(':'));
  it.each([
    ...byDay(passing, 7, endpointOf),
    ...byDay(lasting, 0, ([, , expected]) => String(expected)),
    ...byDay(recovering, 6),
  ])('%s', check);

  it.concurrent.each(byDay(late, 2))('%s', check);

  async function check(_name: string, options: RehearsedOptions, expected: Row[2]): Promise<void> {
    const run = await rehearse(file, options);
    expect(secretsIn(run)).toEqual([]);
    expect(run.services.faults.unused).toBe(0);
    if (expected === 'done') {
      expect(run.error).toBeUndefined();
      expect(completed(run)).toHaveLength(1);
      expect(run.stapled.length).toBeGreaterThan(file.data.length);
    } else {
      expect([run.error?.code, exitCodeOf(run.error)]).toEqual(expected);
      expect(run.error.message).not.toBe('');
      expect(run.error.hint).toMatch(/\w/);
      expect(completed(run).length).toBeLessThanOrEqual(1);
      expect(run.stapled.equals(file.data)).toBe(true);
    }
    // One hour for the verdict, five minutes for the ticket, and what retrying single calls takes.
    expect(run.tookMs).toBeLessThan(75 * MINUTE);
  }
});
