import { expect, it } from 'vitest';
import { type NotaryLog, parseNotaryLog } from '../../src/notary/log.ts';
import type { Notary, SubmissionState } from '../../src/notary/notary.ts';
import { notarize, submissionName } from '../../src/notary/submission.ts';
import { standingClock } from '../support/standing-clock.ts';

// Each step of a submission, asked of a notary that answers what a test says.
const FILE = {
  name: 'A-1.0.0.pkg',
  data: Buffer.from('a'),
  sha256: `0123456789abcdef${'a'.repeat(48)}`,
  tocDigest: `${'b'.repeat(40)}${'c'.repeat(24)}`,
};
const NOW = new Date('2026-01-02T03:04:05.000Z');

interface World {
  readonly history?: readonly Partial<SubmissionState>[];
  readonly status?: string;
  readonly log?: object;
}

/** Submits the file, and returns what was done, in order. */
async function submit({ history = [], status = 'Accepted', log }: World) {
  const steps: string[] = [];
  const clock = standingClock(NOW);
  const said = { status, statusSummary: '', ...log };
  const kept = parseNotaryLog(Buffer.from(JSON.stringify(said))) as NotaryLog;
  const notary: Notary = {
    submit: async (_, { announced }) => {
      await announced('new');
      steps.push('upload');
    },
    status: async (id) => ({ id, status, name: '', createdDate: '' }),
    history: async () => history.map((one, at) => ({ id: `old-${at}`, status: 'Accepted', name: '', createdDate: NOW.toISOString(), ...one })),
    log: async () => kept,
    clockSkewMs: () => null,
  }; // biome-ignore format: a table
  const result = await notarize(FILE, {
    notary,
    clock,
    recorded: null,
    // A disk takes a while.
    record: async (one) => {
      await new Promise(setImmediate);
      steps.push(`record ${one.id} ${one.status}`);
    },
    keepLog: async () => void steps.push('log'),
    goOn: () => '',
    tell: () => undefined,
    warn: () => undefined,
  }).then(
    () => 'accepted',
    (error) => error.code as string,
  );
  return { steps, result };
}

it('an id is on the disk before the first byte is sent, and the log before anything is refused', async () => {
  const begun = ['record new Uploading', 'upload', 'record new In Progress'];
  expect(await submit({})).toEqual({ steps: [...begun, 'record new Accepted', 'log'], result: 'accepted' });
  expect(await submit({ status: 'Invalid' })).toEqual({
    steps: [...begun, 'record new Invalid', 'log'],
    result: 'NOTARY_INVALID',
  });
  const other = await submit({ log: { sha256: 'd'.repeat(64) } });
  expect([other.result, other.steps.at(-1)]).toEqual(['NOTARY_OTHER_BYTES', 'log']);
});

it.each([
  ['its whole name', submissionName(FILE), true],
  ['another digest with the same start', submissionName({ ...FILE, sha256: `0123456789abcde0${'a'.repeat(48)}` }), false],
  ['another product of the same bytes', submissionName({ ...FILE, name: 'B-1.0.0.pkg' }), false],
  ['another version', submissionName({ ...FILE, name: 'A-1.0.0.1.pkg' }), false],
  ['its name and more', `${submissionName(FILE)}.pkg`, false],
  ['its name with something before it', `x${submissionName(FILE)}`, false],
  ['the name of the file alone', FILE.name, false],
])('an earlier submission is known by %s', async (_, name, known) => {
  const { steps } = await submit({ history: [{ name }] });
  expect(steps.includes('upload')).toBe(!known);
}); // biome-ignore format: a table

const wanted = FILE.tocDigest.slice(0, 40);
it.each<[string, object, string]>([
  ['names our bytes and our ticket', { sha256: FILE.sha256, ticketContents: [{ path: 'p', cdhash: wanted }] }, 'accepted'],
  ['names our ticket behind others', { ticketContents: [{ path: 'p', cdhash: 'd'.repeat(40) }, { path: 'q', cdhash: wanted.toUpperCase() }] }, 'accepted'],
  ['names no bytes and no ticket', { sha256: null, ticketContents: [] }, 'accepted'],
  ['has an empty digest of the bytes', { sha256: '' }, 'NOTARY_OTHER_BYTES'],
  ['has the start of our digest', { sha256: FILE.sha256.slice(0, 40) }, 'NOTARY_OTHER_BYTES'],
  ['has a ticket without a digest', { ticketContents: [{ path: 'p' }] }, 'NOTARY_OTHER_PACKAGE'],
  ['has the start of our ticket', { ticketContents: [{ path: 'p', cdhash: wanted.slice(0, 39) }] }, 'NOTARY_OTHER_PACKAGE'],
  ['has more than our ticket', { ticketContents: [{ path: 'p', cdhash: FILE.tocDigest }] }, 'NOTARY_OTHER_PACKAGE'],
])('a log that %s', async (_, log, result) => {
  expect((await submit({ log })).result).toBe(result);
}); // biome-ignore format: a table
