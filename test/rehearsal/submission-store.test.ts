import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { type StoredSubmission, SubmissionStore } from '../../src/rehearsal/submission-store.ts';

const scratch = mkdtempSync(join(tmpdir(), 'submission-store-'));
afterAll(() => rmSync(scratch, { recursive: true }));
let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(scratch, 'a-')), 'notary');
});

const idOf = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
const submission = (number: number, change: Partial<StoredSubmission> = {}): StoredSubmission => ({
  id: idOf(number),
  name: 'a.pkg',
  sha256: '00',
  createdDate: new Date(1_700_000_000_000 + number * 1000).toISOString(),
  object: `rehearsal/${number}`,
  keys: { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c', expires: 1 },
  verdict: null,
  ...change,
});
const ids = (store: SubmissionStore) => store.newestFirst().map(({ id }) => id);

describe('submissions', () => {
  it('are remembered in memory alone where there is no folder', async () => {
    const store = await SubmissionStore.open(undefined);
    await store.put(submission(1));
    await store.put(submission(1, { name: 'b.pkg' }));
    expect([store.get(idOf(1))?.name, store.get(idOf(2)), ids(store)]).toEqual(['b.pkg', undefined, [idOf(1)]]);
    expect(ids(await SubmissionStore.open(undefined))).toEqual([]);
  });

  it('are found by another process, the newest first, and read by nobody else', async () => {
    const store = await SubmissionStore.open(folder);
    for (const number of [2, 3, 1]) await store.put(submission(number));
    expect(ids(store)).toEqual([3, 2, 1].map(idOf));
    expect((await SubmissionStore.open(folder)).newestFirst()).toEqual(store.newestFirst());
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect([mode(folder), mode(join(folder, `${idOf(1)}.json`))]).toEqual(['700', '600']);
  });

  it('are not what else lies in the folder', async () => {
    mkdirSync(folder);
    const text = JSON.stringify(submission(1));
    for (const [name, content] of [
      ['AuthKey.p8', text],
      [`${idOf(2)}.json`, '{'],
      [`${idOf(3)}.json`, '{}'],
      [`${idOf(4)}.json.old`, text],
      [`x${idOf(5)}.json`, text],
      ['short.json', text],
    ] as const)
      writeFileSync(join(folder, name), content);
    expect(ids(await SubmissionStore.open(folder))).toEqual([]);
  });

  it('are kept on the disk as many as a history shows, the newest 100', async () => {
    const before = await SubmissionStore.open(folder);
    for (let number = 1; number <= 102; number++) await before.put(submission(number));
    await SubmissionStore.open(folder);
    const kept = readdirSync(folder);
    expect([kept.length, kept.includes(`${idOf(2)}.json`), kept.includes(`${idOf(3)}.json`)]).toEqual([
      100,
      false,
      true,
    ]);
  });
});
