import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptStep } from './kept-steps.ts';

let scratch: string;
let played: number;
let given: object;
const github = (held: object) => writeFileSync(join(scratch, 'github.json'), JSON.stringify(held));
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kept-steps-'));
  for (const folder of [join(scratch, 'work/.build'), KEPT]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(scratch, 'work/.build/cli.mjs'), 'clean');
  // Of this test alone.
  given = { commit: scratch };
  github({ tags: {}, calls: [] });
  played = 0;
});
afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
  // What these tests made must not take the place of what stories keep.
  for (const name of readdirSync(KEPT)) if (isOurs(join(KEPT, name))) rmSync(join(KEPT, name), { recursive: true });
});
const KEPT = '.build/steps-of-release-yml-review';
const isOurs = (folder: string) =>
  /^log \d$/.test(existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');

/** Plays a step that writes how often it was played; returns what the steps after it find. */
async function play(name = 'Tell', status = 0): Promise<string> {
  const step = { at: 'release.yml/review', name, given, state: scratch, home: scratch };
  rmSync(join(scratch, 'summary.md'), { force: true });
  const { log } = await keptStep(step, async () => {
    writeFileSync(join(scratch, 'summary.md'), String(++played));
    return { status, log: `log ${played}` };
  });
  return `${log}, page ${readFileSync(join(scratch, 'summary.md'), 'utf8')}`;
}

describe('a step that is a function of its commit', () => {
  it('is played once, whatever GitHub was asked meanwhile, and leaves the same again', async () => {
    const first = await play();
    github({ tags: {}, calls: [['api']] });
    expect([first, await play()]).toEqual(['log 1, page 1', 'log 1, page 1']);
  });

  it.each<[string, () => void]>([
    ['the commit', () => (given = { commit: `${scratch}/other` })],
    ['the command line', () => writeFileSync(join(scratch, 'work/.build/cli.mjs'), 'poisoned')],
    ['what GitHub holds', () => github({ tags: { v1: 'a' }, calls: [] })],
  ])('is played anew after a change of %s', async (_, change) => {
    await play();
    change();
    expect(await play()).toBe('log 2, page 2');
  });

  it('is played anew after a failure', async () => {
    await play('Tell', 1);
    expect(await play()).toBe('log 2, page 2');
  });

  it('is none of those that nobody looked at', async () => {
    await play('Begin');
    expect(await play('Begin')).toBe('log 2, page 2');
  });
});
