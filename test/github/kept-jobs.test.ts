import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Artifacts } from './artifacts.ts';
import { keptJob, type Scripts } from './kept-jobs.ts';
import { notRun } from './schedule.ts';

let scratch: string;
let played: number;
let given: object;
let words: string[];
const github = (held: object) => writeFileSync(join(scratch, 'github.json'), JSON.stringify(held));
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kept-jobs-'));
  for (const folder of [...KEPT, join(scratch, 'work'), join(scratch, 'notary')])
    mkdirSync(folder, { recursive: true });
  // Of this test alone.
  given = { commit: scratch };
  words = [];
  github({ tags: {}, calls: [] });
  played = 0;
});
const KEPT = ['plan', 'submit'].map((id) => `.build/jobs-of-release-yml-${id}`);
afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
  // What these tests made must not take the place of what stories keep.
  for (const kept of KEPT)
    for (const name of readdirSync(kept)) if (isOurs(join(kept, name))) rmSync(join(kept, name), { recursive: true });
});
const isOurs = (folder: string) =>
  /"script \d"/.test(
    existsSync(join(folder, 'scripts.json')) ? readFileSync(join(folder, 'scripts.json'), 'utf8') : '',
  );

/** Plays a job whose script says how often it was played; returns what the jobs after it are told. */
async function play(
  id = 'plan',
  { result = 'success', anew = false }: { result?: 'success' | 'failure'; anew?: boolean } = {},
): Promise<string> {
  const notary = join(scratch, 'notary');
  const keeping = { state: scratch, notary, words, anew: () => anew };
  const { log } = await keptJob({ at: `release.yml/${id}`, given, home: scratch }, keeping, async (done) => {
    if (done) return { ended: { ...notRun('success'), log: done[0]!.log }, scripts: done };
    played++;
    writeFileSync(join(scratch, 'work/submitted.tar'), `file ${played}`);
    writeFileSync(join(notary, 'submission'), `submission ${played}`);
    const scripts: Scripts = { 0: { status: 0, log: `script ${played}`, output: '' } };
    return { ended: { ...notRun(result), log: `script ${played}` }, scripts };
  });
  return log;
}

describe('a job whose release was made before', () => {
  it('is played once, whatever GitHub was asked meanwhile, and tells the same again', async () => {
    const first = await play();
    github({ tags: {}, calls: [['api']] });
    expect([first, await play()]).toEqual(['script 1', 'script 1']);
  });

  it('leaves its files, and the notary what it was sent', async () => {
    await play('submit');
    for (const name of ['work/submitted.tar', 'notary/submission']) rmSync(join(scratch, name));
    expect(await play('submit')).toBe('script 1');
    const left = ['work/submitted.tar', 'notary/submission'].map((name) => readFileSync(join(scratch, name), 'utf8'));
    expect(left).toEqual(['file 1', 'submission 1']);
  });

  it.each<[string, () => void]>([
    ['what it is given', () => (given = { commit: `${scratch}/other` })],
    ['the keys or the command line', () => (words = ['poisoned'])],
    ['what GitHub holds', () => github({ tags: { v1: 'a' }, calls: [] })],
  ])('is played anew after a change of %s', async (_, change) => {
    await play();
    change();
    expect(await play()).toBe('script 2');
  });

  it('is played anew after a failure', async () => {
    await play('plan', { result: 'failure' });
    expect(await play()).toBe('script 2');
  });

  it('is played anew in the story that asks about it, and kept for the others as it was', async () => {
    await play();
    expect([await play('plan', { anew: true }), await play()]).toEqual(['script 2', 'script 1']);
  });

  it('is none of those that are always played', async () => {
    await play('publish');
    expect(await play('publish')).toBe('script 2');
  });
});

describe('an artifact', () => {
  it('decides by its bytes as long as it can be fetched, whatever its number', () => {
    const artifacts = new Artifacts(join(scratch, 'artifacts'));
    const [first, second] = ['one', 'two'].map((name) => {
      writeFileSync(join(scratch, 'parts.tar'), 'same');
      return artifacts.keep({ run: 1, attempt: 1 }, name, join(scratch, 'parts.tar'));
    });
    expect(artifacts.digestOf(first!)).toBe(artifacts.digestOf(second!));
    artifacts.tamper('two', () => Buffer.from('other'));
    expect(artifacts.digestOf(first!)).not.toBe(artifacts.digestOf(second!));
    artifacts.expire();
    expect([artifacts.digestOf(first!), artifacts.digestOf('a word')]).toEqual([undefined, undefined]);
  });
});
