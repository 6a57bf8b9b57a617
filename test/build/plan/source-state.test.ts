import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readSourceState } from '../../../build/plan/source-state.ts';

const scratch = mkdtempSync(join(tmpdir(), 'source-state-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(scratch, 'project-'));
});
/** Writes a file of the project with a time of its own, in Unix seconds. */
function put(name: string, content: string, seconds = 1_600_000_000): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
  utimesSync(join(root, name), seconds, seconds);
}

describe('the note of a source archive', () => {
  const note = 'build/plan/source-archive.txt';

  it.each([`${COMMIT} 1700000000`, `${COMMIT} 1700000000\n`])('%j tells commit and time', async (text) => {
    put(note, text);
    const expected = { commit: COMMIT, time: 1_700_000_000, timeFrom: 'source archive' };
    expect(await readSourceState(root, '1.1.0')).toEqual(expected);
  });

  it.each([
    '$Format:%H %ct$\n',
    `${COMMIT} \n`,
    `${COMMIT}0 1\n`,
    `${COMMIT} 1\n\n`,
    `x${COMMIT} 1`,
    `${COMMIT} 12345678901`,
    '',
  ])('%j tells nothing', async (text) => {
    put(note, text);
    expect(await readSourceState(root, '1.1.0')).toMatchObject({ commit: null, timeFrom: 'file times' });
  });
});

describe('the heading of a version in CHANGELOG.md', () => {
  it('is that of this version alone, at midnight in UTC', async () => {
    put('CHANGELOG.md', '## 1.1.1, 2027-01-01\n\n## 1.1.0, 2026-11-30\ntext\n## 1.0.0, 2023-06-01\n');
    // date -u -d 2026-11-30 +%s, date -u -d 2023-06-01 +%s
    expect(await readSourceState(root, '1.1.0')).toEqual({
      commit: null,
      time: 1_795_996_800,
      timeFrom: 'CHANGELOG.md',
    });
    expect(await readSourceState(root, '1.0.0')).toMatchObject({ time: 1_685_577_600 });
  });

  it.each([
    '',
    '## 1.1.0\n',
    '## 1.1.0, unreleased\n',
    '## 1.1.0, 2026-11-30 (withdrawn)\n',
    '## 1.1.0, 2026-13-30\n',
    '## 1.1.0-2, 2026-11-30\n',
    'see ## 1.1.0, 2026-11-30\n',
  ])('is none in %j', async (text) => {
    put('CHANGELOG.md', text);
    expect(await readSourceState(root, '1.1.0')).toMatchObject({ timeFrom: 'file times' });
  });
});

describe('without commit, note or heading', () => {
  it('the newest source file gives the time, however deep it lies; what is no source does not', async () => {
    put('package.json', '{}', 1_600_000_001);
    put('payload/a/b/deep.c', '', 1_600_000_009);
    put('payload/a/other.c', '', 1_600_000_003);
    put('test/newer.ts', '', 1_700_000_000);
    put('release.pkg', '', 1_700_000_000);
    expect(await readSourceState(root, '1.1.0')).toEqual({ commit: null, time: 1_600_000_009, timeFrom: 'file times' });
  });

  it('parts of a second are cut off', async () => {
    put('package-lock.json', '{}', 1_600_000_001.75);
    expect((await readSourceState(root, '1.1.0')).time).toBe(1_600_000_001);
  });

  it('a folder without sources has the time 0', async () => {
    expect((await readSourceState(root, '1.1.0')).time).toBe(0);
  });

  it.each(['payload', 'scripts', 'build', 'src'])('files in %s/ are sources', async (folder) => {
    put(`${folder}/a`, '', 1_600_000_002);
    expect((await readSourceState(root, '1.1.0')).time).toBe(1_600_000_002);
  });
});
