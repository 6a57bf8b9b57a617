import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import type { NotaryConnection } from '../../../build/notary/connection.ts';
import { type Manifest, readManifest } from '../../../build/plan/manifest.ts';
import { makePlan, type Plan, REHEARSAL_SUFFIX } from '../../../build/plan/plan.ts';
import { BegunOnly } from '../../../build/run.ts';
import { packagePaths } from '../../../build/stages/build-package.ts';
import { notarizePackages } from '../../../build/stages/notarize.ts';
import { NetworkError, type PipelineError, RefusedError } from '../../../src/base/errors.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { NotaryIssue, NotaryLog } from '../../../src/notary/log.ts';
import type { Notary } from '../../../src/notary/notary.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { readXar } from '../../../src/xar/read.ts';

/** The release that all tests share, brought to a notary that is an object. */
let scratch: string;
let plan: Plan;
let shared: Manifest;
let trust: RehearsalAuthority['trust'];
beforeAll(async () => {
  trust = (await openRehearsalAuthority('.rehearsal')).trust;
});
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'notarize-stage-'));
  cpSync(inject('releaseFolder'), join(scratch, '1.1.0'), { recursive: true });
  const made = await makePlan({ root: process.cwd(), outFolder: scratch, sourceDateEpoch: '1700000000' });
  plan = { ...made, nameSuffix: REHEARSAL_SUFFIX };
  shared = (await readManifest(plan.outFolder)) as Manifest;
  rmSync(join(plan.outFolder, 'notary-log.json'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(scratch, { recursive: true, force: true });
});

const EXTRAS = ['guard', 'uninstall', 'request'] as const;
const ALL = ['product', ...EXTRAS] as const;
const ISSUE: NotaryIssue = {
  severity: 'warning',
  code: null,
  path: 'p',
  message: 'm',
  docUrl: null,
  architecture: null,
};
const AT = '2026-01-01T00:00:00.000Z';
const { signal } = new AbortController();

interface Parts {
  /** What it says of each submission, question after question; the last again and again. */
  readonly statuses?: readonly string[] | ((id: string) => readonly string[]);
  readonly log?: (id: string) => Partial<NotaryLog> | Error;
  readonly connection?: Partial<NotaryConnection>;
  readonly manifest?: Pick<Manifest, 'submission' | 'extras'>;
  /** Called as each file is submitted. */
  readonly submitting?: (id: string) => void;
}

/** Notarizes all; tells what was asked of the notary, in order, and what was told of it. */
async function run({ statuses = ['Accepted'], log, connection, manifest, submitting }: Parts = {}) {
  const [asked, facts, notes, updates]: [string[], Partial<Manifest>[], string[], string[]] = [[], [], [], []];
  const [sent, said] = [new Map<string, { sha256: string; data: Buffer }>(), new Map<string, number>()];
  const notary: Notary = {
    submit: async ({ name, sha256, data }, { announced }) => {
      const id = `id of ${Object.entries(packagePaths(plan)).find(([, path]) => name.startsWith(`${basename(path, '.pkg')}.`))?.[0]}`;
      sent.set(id, { sha256, data });
      asked.push(`submit ${id}`);
      submitting?.(id);
      await announced(id);
    },
    status: async (id, given) => {
      expect(given).toBe(signal);
      asked.push(`status ${id}`);
      const count = said.get(id) ?? 0;
      said.set(id, count + 1);
      const words = typeof statuses === 'function' ? statuses(id) : statuses;
      return { id, status: words[Math.min(count, words.length - 1)] as string, name: '', createdDate: '' };
    },
    history: async () => {
      asked.push('history');
      return [];
    },
    log: async (id) => {
      const more = log?.(id) ?? {};
      if (more instanceof Error) throw more;
      const plain = { status: 'Accepted', statusSummary: '', statusCode: 0, issues: [], ticketContents: [] };
      return { ...plain, sha256: sent.get(id)?.sha256 ?? null, source: Buffer.from(`log of ${id}`), ...more };
    },
    clockSkewMs: () => null,
  };
  const outcome = await notarizePackages(
    notary,
    { mode: 'release', access: { trust } as never, waiting: { pollMs: () => 1 }, jobSummary: undefined, close: async () => undefined, ...connection },
    {
      plan,
      signal,
      again: 'AGAIN',
      progress: { update: (words: string) => void updates.push(words) } as never,
      note: (kind, text) => void notes.push(`${kind}: ${text}`),
      record: async (fact) => void facts.push(fact),
    },
    manifest ?? { submission: null },
  ).catch((error: PipelineError) => error);
  return { asked, facts, notes, updates, sent, outcome, error: outcome as PipelineError };
} // biome-ignore format: short

describe('notarizePackages', () => {
  it('sends what was signed, without a ticket, under names and digests of its own', async () => {
    const { sent, outcome } = await run();
    const paths = packagePaths(plan);
    expect([...sent.keys()]).toEqual(ALL.map((name) => `id of ${name}`));
    for (const name of ALL) {
      const whole = readFileSync(paths[name]);
      const { trailing } = await readXar(accessBuffer(whole));
      const { data, sha256 } = sent.get(`id of ${name}`)!;
      expect(trailing.offset).toBeLessThan(whole.length);
      expect([data.length, data.equals(whole.subarray(0, trailing.offset))]).toEqual([trailing.offset, true]);
      expect(sha256).toBe(createHash('sha256').update(data).digest('hex'));
    }
    expect(outcome).toEqual({
      value: { kind: 'notarized-packages', paths: ALL.map((name) => paths[name]) },
      summary: 'Accepted, no issues',
    });
  });

  it('submits all before it waits for the first', async () => {
    const { asked, facts } = await run({ statuses: ['In Progress', 'In Progress', 'Accepted'] });
    const ids = ALL.map((name) => `id of ${name}`);
    expect(asked).toEqual([
      ...ids.flatMap((id) => ['history', `submit ${id}`, `status ${id}`]),
      ...ids.flatMap((id) => [`status ${id}`, `status ${id}`]),
    ]);
    const statuses = facts.map(({ submission, extras }) => (submission ? [submission.status] : extras!.map((one) => one.submission!.status)));
    const [sent, begun, done] = ['Uploading', 'In Progress', 'Accepted'] as const;
    expect(statuses).toEqual([
      [sent], [begun], [sent], [begun], [begun, sent], [begun, begun], [begun, begun, sent], [begun, begun, begun],
      [done], [begun, begun, done], [begun, done, done], [done, done, done],
    ]);
    expect(facts.at(-1)!.extras!.map(({ path, submission, ticket }) => [path, submission!.id, ticket])).toEqual(
      EXTRAS.map((name) => [`extras/${basename(packagePaths(plan)[name])}`, `id of ${name}`, null]),
    );
    expect(facts.map((fact) => Object.keys(fact).join())).toContain('submission');
    expect(facts.every((fact) => Object.keys(fact).length === 1)).toBe(true);
  }); // biome-ignore format: a table

  it('goes on with what is recorded of each, asks for no history, and says no id twice', async () => {
    const recorded = (id: string) => ({ id, status: 'In Progress', submittedAt: AT });
    const extras = EXTRAS.slice(0, 2).map((name) => {
      const path = `extras/${basename(packagePaths(plan)[name])}`;
      return { path, submission: recorded(`old ${name}`), ticket: null };
    });
    const { asked, notes, facts } = await run({ manifest: { submission: recorded('old product'), extras } });
    const olds = ['product', ...EXTRAS.slice(0, 2)].map((name) => `old ${name}`);
    expect(asked).toEqual([
      ...olds.map((id) => `status ${id}`),
      ...['history', 'submit id of request', 'status id of request'],
    ]);
    const labels = { product: 'package', guard: 'guard', uninstall: 'uninstall' } as Record<string, string>;
    expect(notes).toEqual([
      ...olds.map((id) => `fact: submission id: ${id} (${labels[id.slice(4)]})`),
      'fact: submission id: id of request (request)',
    ]);
    expect(facts[0]!.submission).toEqual({ id: 'old product', status: 'Accepted', submittedAt: AT });
    expect(facts.at(-1)!.extras).toHaveLength(3);
  });

  it('tells what the notary says of which, and each id once, to the summary of the job too', async () => {
    const jobSummary = join(scratch, 'summary.md');
    const { updates, notes } = await run({ connection: { jobSummary } });
    const labels = ['package', ...EXTRAS];
    expect(updates).toEqual(labels.flatMap((label) => [`${label}: waiting for the notary`, `${label}: Accepted`]));
    expect(notes).toEqual(ALL.map((name, index) => `fact: submission id: id of ${name} (${labels[index]})`));
    expect(readFileSync(jobSummary, 'utf8').trim().split('\n\n')).toEqual(
      ALL.map((name) => {
        const file = basename(packagePaths(plan)[name]);
        return `Notary submission \`id of ${name}\` of ${file}; to wait for it elsewhere: \`npm run -s cli -- notarize --wait id of ${name}\``;
      }),
    );
  });

  it('keeps the log of the product alone, counts the warnings of all and passes them on', async () => {
    const issues = { product: [ISSUE, ISSUE], guard: [ISSUE] } as Record<string, NotaryIssue[]>;
    const { outcome, notes } = await run({
      connection: { mode: 'rehearsal' },
      log: (id) => (id === 'id of request' ? new NetworkError('SERVICE_DOWN', 'no log today') : { issues: issues[id.slice(6)] ?? [] }),
    });
    expect(outcome).toMatchObject({ summary: 'Accepted by the rehearsal notary, 3 warnings' });
    expect(notes.filter((note) => note.startsWith('warning: the notary warns:\n'))).toHaveLength(2);
    expect(notes).toContain('warning: no log today');
    expect(readFileSync(join(plan.outFolder, 'notary-log.json'), 'utf8')).toBe('log of id of product');
  }); // biome-ignore format: short

  it('sends nothing of a package that Apple surely refuses', async () => {
    const { asked, error } = await run({ connection: { access: { trust: appleTrust() } as never } });
    expect(asked).toEqual([]);
    expect(error).toMatchObject({
      name: 'RefusedError',
      code: 'NOTARY_PREDICTED',
      message: expect.stringMatching(/^the notary would refuse the package\n.+/),
      hint: expect.stringMatching(/^Nothing was sent/),
    });
  });

  it('sends none of them where one is missing', async () => {
    rmSync(packagePaths(plan).request);
    const { asked, error } = await run();
    expect([asked, error.code]).toEqual([[], 'ENOENT']);
  });

  it('does not wait when it is asked not to, unless all are accepted already', async () => {
    const waiting = { pollMs: () => 1, maxWaitMs: 0 };
    const begun = await run({ statuses: ['In Progress'], connection: { waiting } });
    expect(begun.error).toBeInstanceOf(BegunOnly);
    expect(begun.error.message).toBe('submitted; not waiting for the verdicts, as asked');
    expect(begun.asked.filter((word) => word.startsWith('submit'))).toHaveLength(4);
    const onlyLast = (id: string) => [id === 'id of request' ? 'In Progress' : 'Accepted'];
    expect((await run({ statuses: onlyLast, connection: { waiting } })).error).toBeInstanceOf(BegunOnly);
    expect((await run({ connection: { waiting } })).outcome).toMatchObject({ summary: 'Accepted, no issues' });
  });

  it('waits for all of them no longer than it may wait, and says how to go on', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const late = (id: string) => id === 'id of request' && void vi.setSystemTime(Date.now() + 60_001);
    const parts = { statuses: ['In Progress', 'In Progress', 'In Progress', 'Accepted'], submitting: late };
    const over = await run({ ...parts, connection: { waiting: { pollMs: () => 1, maxWaitMs: 60_000 } } });
    expect(over.error).toMatchObject({
      code: 'NOTARY_WAIT',
      message: 'submission id of product had no verdict within 0 min',
      hint: expect.stringMatching(/AGAIN$/),
    });
    expect(over.asked.filter((word) => word === 'status id of product')).toHaveLength(2);
    const enough = await run({ ...parts, connection: { waiting: { pollMs: () => 1, maxWaitMs: 90_000 } } });
    expect(enough.outcome).toMatchObject({ summary: 'Accepted, no issues' });
  });

  it('ends at once at what waiting cannot mend', async () => {
    const refused = await run({ statuses: ['Invalid'], log: () => ({ issues: [ISSUE] }) });
    expect(refused.error).toMatchObject({ code: 'NOTARY_INVALID' });
    expect(refused.asked).toEqual(['history', 'submit id of product', 'status id of product']);
    expect(readFileSync(join(plan.outFolder, 'notary-log.json'), 'utf8')).toBe('log of id of product');
    const agreement = new RefusedError('NOTARY_AGREEMENT', 'an agreement is missing');
    const submitting = () => {
      throw agreement;
    };
    expect((await run({ submitting })).error).toBe(agreement);
  });

  it('knows another package by its own contents: a ticket for other bytes is of no use', async () => {
    const tocDigest = shared.package!.tocDigest;
    const cdhash = tocDigest.slice(0, 40);
    const ticket = (digest: string) => ({ path: 'a', digestAlgorithm: 'SHA-1', cdhash: digest, architecture: null });
    const of = async (digest: string) =>
      (await run({ log: (id) => (id === 'id of product' ? { ticketContents: [ticket(digest)] } : {}) })).outcome;
    expect(await of(cdhash)).toMatchObject({ summary: 'Accepted, no issues' });
    expect(await of('0'.repeat(40))).toMatchObject({ code: 'NOTARY_OTHER_PACKAGE' });
  });
});
