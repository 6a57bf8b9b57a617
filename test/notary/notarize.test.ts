import { describe, expect, it } from 'vitest';
import { NetworkError, type PipelineError } from '../../src/base/errors.ts';
import type { NotaryLog } from '../../src/notary/log.ts';
import type { Notary, SubmissionState } from '../../src/notary/notary.ts';
import { type NotarizeOptions, notarize, type SubmissionRecord, submissionName } from '../../src/notary/submission.ts';
import { standingClock } from '../support/standing-clock.ts';

const START = new Date('2026-01-02T03:04:05.000Z');
const SHA256 = 'ab'.repeat(32);
const TOC = 'cd'.repeat(32);
const FILE = { name: 'Example-1.0.pkg', data: Buffer.from('x'), sha256: SHA256, tocDigest: TOC };
const NAME = 'Example-1.0.abababababababab.pkg';
const MINUTE = 60_000;
const log = (more: Partial<NotaryLog> = {}): NotaryLog => ({
  status: 'Accepted',
  statusSummary: '',
  statusCode: 0,
  sha256: SHA256,
  issues: [],
  ticketContents: [],
  source: Buffer.alloc(0),
  ...more,
});
const known = (status: string, id = 'old', name = NAME): SubmissionState => ({
  id,
  status,
  name,
  createdDate: '2026-01-01T00:00:00.000Z',
});
const ISSUE = { severity: 'warning', code: null, path: 'p', message: 'm', docUrl: null, architecture: null } as const;

/** Notarizes at a notary that is an object; tells all that went over it. */
async function run(
  parts: {
    readonly history?: readonly SubmissionState[];
    readonly statuses?: readonly string[];
    readonly log?: NotaryLog | null | Error;
    readonly silent?: boolean;
    readonly options?: Partial<NotarizeOptions>;
  } = {},
) {
  const clock = standingClock(START);
  const [records, said, submitted]: [SubmissionRecord[], string[], unknown[]] = [[], [], []];
  const statuses = [...(parts.statuses ?? ['Accepted'])];
  const notary: Notary = {
    submit: async ({ name, sha256 }, { announced }) => {
      submitted.push([name, sha256, records.length]);
      if (!parts.silent) await announced('new');
    },
    status: async (id) => ({ id, status: (statuses.length > 1 ? statuses.shift() : statuses[0]) as string, name: NAME, createdDate: '' }),
    history: async () => parts.history ?? [],
    log: async () => {
      if (parts.log instanceof Error) throw parts.log;
      return parts.log === undefined ? log() : parts.log;
    },
    clockSkewMs: () => null,
  };
  const outcome = await notarize(FILE, {
    notary,
    clock,
    recorded: null,
    record: async (record) => void records.push(record),
    pollMs: () => MINUTE,
    goOn: (id) => `wait for ${id}`,
    tell: (words) => void said.push(words),
    warn: (words) => void said.push(`warning: ${words}`),
    ...parts.options,
  }).catch((error: PipelineError) => `${error.code ?? error.name}: ${error.message}`);
  return { outcome, records, said, submitted, slept: clock.slept.length };
} // biome-ignore format: short

describe('notarize', () => {
  it('submits under its name, and records what it is told', async () => {
    const { outcome, records, submitted, said } = await run({ statuses: ['In Progress', 'Accepted'] });
    const submittedAt = START.toISOString();
    expect(outcome).toEqual({ id: 'new', submittedAt, log: log() });
    expect(records).toEqual(['Uploading', 'In Progress', 'Accepted'].map((status) => ({ id: 'new', status, submittedAt })));
    expect(submitted).toEqual([[NAME, SHA256, 0]]);
    expect(said).toEqual(['waiting for the notary', 'In Progress', 'Accepted']);
    expect(submissionName(FILE)).toBe(NAME);
  }); // biome-ignore format: a table

  it('needs the id of what it submitted', async () => {
    expect((await run({ silent: true })).outcome).toBe('TypeError: a submission was made and its id never said');
  });

  it.each<[string, readonly SubmissionState[], string, readonly string[]]>([
    ['nothing', [], 'new', ['Uploading', 'In Progress', 'Accepted']],
    ['another name', [known('Accepted', 'old', 'other')], 'new', ['Uploading', 'In Progress', 'Accepted']],
    ['a refusal of the team', [known('Rejected')], 'new', ['Uploading', 'In Progress', 'Accepted']],
    ['an acceptance', [known('Accepted')], 'old', ['Accepted', 'Accepted']],
    ['one under way', [known('In Progress')], 'old', ['Uploading', 'Accepted']],
    ['a word that is new', [known('Held')], 'old', ['Uploading', 'Accepted']],
    ['two under way', [known('In Progress', 'newer'), known('In Progress')], 'newer', ['Uploading', 'Accepted']],
    ['two acceptances', [known('Accepted', 'newer'), known('Accepted')], 'newer', ['Accepted', 'Accepted']],
    ['two refusals', [known('Invalid', 'newer'), known('Invalid')], 'newer', ['Invalid', 'Accepted']],
    ['a verdict behind one under way', [known('In Progress', 'newer'), known('Accepted')], 'old', ['Accepted', 'Accepted']],
  ])('looks at the history first: %s', async (_, history, id, statuses) => {
    const { outcome, records, said, submitted } = await run({ history });
    expect(outcome).toMatchObject({ id });
    expect(records.map(({ status }) => status)).toEqual(statuses);
    expect(submitted).toHaveLength(id === 'new' ? 1 : 0);
    const words = said.filter((one) => one.startsWith('the notary knows these bytes'));
    const found = history.find((one) => one.id === id);
    expect(words).toEqual(found ? [`the notary knows these bytes: submission ${id}, ${found.status}`] : []);
    if (found) expect(records[0]?.submittedAt).toBe(found.createdDate);
  }); // biome-ignore format: a table

  it('goes on with what was recorded, but for a refusal of the team', async () => {
    const recorded = (status: string) => ({ id: 'kept', status, submittedAt: START.toISOString() });
    for (const status of ['Uploading', 'In Progress', 'Accepted', 'Invalid']) {
      const { outcome, submitted } = await run({ options: { recorded: recorded(status) }, history: [known('Accepted')] });
      expect([outcome, submitted]).toEqual([expect.objectContaining({ id: 'kept' }), []]);
    }
    expect((await run({ options: { recorded: recorded('Rejected') } })).outcome).toMatchObject({ id: 'new' });
  }); // biome-ignore format: a table

  it.each<[string, number | undefined, number, number]>([
    ['Uploading', undefined, 14, 1],
    ['Uploading', undefined, 15, 0],
    ['Uploading', 5 * MINUTE, 4, 1],
    ['Uploading', 5 * MINUTE, 5, 0],
    ['In Progress', 5 * MINUTE, 59, 1],
  ])('waits for one recorded as %s, given up after %j ms, %i minutes old', async (status, lostUploadMs, age, pauses) => {
    const submittedAt = new Date(START.getTime() - age * MINUTE).toISOString();
    const options = { recorded: { id: 'kept', status, submittedAt }, ...(lostUploadMs && { lostUploadMs }) };
    const { outcome, said, slept } = await run({ statuses: ['In Progress', 'Accepted'], options });
    expect([outcome, slept]).toEqual([expect.objectContaining({ id: pauses === 1 ? 'kept' : 'new' }), pauses]);
    const words = `warning: submission kept is in progress for ${age} min and its upload was never confirmed: the package is submitted anew`;
    expect(said.filter((one) => one.startsWith('warning'))).toEqual(pauses === 1 ? [] : [words]);
  }); // biome-ignore format: a table

  it.each<[string, string, NotaryLog | null | Error, string]>([
    ['refused, with issues', 'Invalid', log({ issues: [ISSUE] }), 'NOTARY_INVALID: the notary refused submission new: Invalid\np\n  warning: m'],
    ['refused, with a summary', 'Invalid', log({ statusSummary: 'bad' }), 'NOTARY_INVALID: the notary refused submission new: Invalid (bad)\n'],
    ['refused, without a log', 'Invalid', new NetworkError('X', 'no'), 'NOTARY_INVALID: the notary refused submission new: Invalid\nits log could not be fetched'],
    ['of a team that may not', 'Rejected', log({ statusSummary: 'no team' }), 'NOTARY_REJECTED: the notary rejected submission new: no team'],
    ['of a team that may not, without words', 'Rejected', log(), 'NOTARY_REJECTED: the notary rejected submission new: no reason was given'],
    ['of a team that may not, without a log', 'Rejected', new NetworkError('X', 'no'), 'NOTARY_REJECTED: the notary rejected submission new: no reason was given'],
    ['of other bytes', 'Accepted', log({ sha256: 'ff' }), `NOTARY_OTHER_BYTES: the notary accepted other bytes: SHA-256 ff, ours is ${SHA256} (submission new)`],
    ['of another package', 'Accepted', log({ ticketContents: [{ path: 'p', cdhash: 'ff' }] }), `NOTARY_OTHER_PACKAGE: no ticket of submission new is for this package (TOC digest ${'cd'.repeat(20)})`],
    ['of a digest that is cut elsewhere', 'Accepted', log({ ticketContents: [{ path: 'p', cdhash: TOC }] }), `NOTARY_OTHER_PACKAGE: no ticket of submission new is for this package (TOC digest ${'cd'.repeat(20)})`],
  ])('ends a submission %s', async (_, status, found, words) => {
    expect((await run({ statuses: [status], log: found })).outcome).toBe(words);
  }); // biome-ignore format: a table

  it('takes a log that names nothing, or this package among others, or none at all', async () => {
    const contents = ['ff', 'cd'.repeat(20)].map((cdhash) => ({ path: 'p', cdhash }));
    for (const found of [log({ sha256: null }), log({ ticketContents: contents })]) expect((await run({ log: found })).outcome).toMatchObject({ id: 'new', log: found });
    const { outcome, said } = await run({ log: new NetworkError('X', 'no way') });
    expect([outcome, said.at(-1)]).toEqual([expect.objectContaining({ log: null }), 'warning: no way']);
  }); // biome-ignore format: a table

  it('hands over the log before it judges, and warns of what it says', async () => {
    const kept: NotaryLog[] = [];
    const keepLog = async (one: NotaryLog) => void kept.push(one);
    const refused = log({ sha256: 'ff' });
    await run({ log: refused, options: { keepLog } });
    await run({ log: new NetworkError('X', 'no'), options: { keepLog } });
    expect(kept).toEqual([refused]);
    expect((await run({ log: log({ issues: [ISSUE] }) })).said.at(-1)).toBe(
      'warning: the notary warns:\np\n  warning: m',
    );
    expect((await run()).said.at(-1)).toBe('Accepted');
  });
});
