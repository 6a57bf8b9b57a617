import { describe, expect, it } from 'vitest';
import { bomRecords, checkBomSizes } from '../../src/bom/payload-records.ts';
import type { FileFacts } from '../../src/tree/file-facts.ts';
import { directory, errorOf, FACTS, file, recordsOf, symlink } from '../support/payload.ts';

describe('bomRecords', () => {
  it('gives folders the size that APFS reports and links that of their target', async () => {
    const records = await recordsOf([directory('.'), directory('./d'), file('./d/f', 'hello'), symlink('./l', 'd/é')]);
    expect(records.map(({ path, size }) => [path, size])).toEqual([
      ['.', 128],
      ['./d', 96],
      ['./d/f', 5],
      ['./l', 4],
    ]);
    expect(records[2]).toMatchObject({ cksum: 3287646509 });
  });

  it('gives every fact of an entry, and architectures where there are some', () => {
    const macho = { fat: false, architectures: [{ cpuType: 7, cpuSubtype: 3, size: 2, cksum: 9 }] };
    const facts = new Map<string, FileFacts>([
      ['./f', { size: 2, cksum: 9, macho }],
      ['./g', { size: 3, cksum: 8 }],
    ]);
    const own = { uid: 501, gid: 80, mtimeSeconds: 12 };
    const entries = [
      { ...directory('.', 0o700), ...own },
      { ...file('./f', 'xx', 0o640), ...own },
      file('./g', 'xxx'),
      { ...symlink('./l', '\u00e9'), ...own },
    ];
    expect(bomRecords(entries, facts)).toEqual([
      { path: '.', kind: 'directory', mode: 0o700, ...own, size: 32 * 5 },
      { path: './f', kind: 'file', mode: 0o640, ...own, size: 2, cksum: 9, architectures: macho.architectures },
      { path: './g', kind: 'file', mode: 0o644, ...FACTS, size: 3, cksum: 8 },
      { path: './l', kind: 'symlink', mode: 0o755, ...own, size: 2, linkTarget: '\u00e9' },
    ]);
  });

  it('refuses a file that was not read', async () => {
    expect((await errorOf(() => bomRecords([directory('.'), file('./f', '')], new Map()))).message).toContain('./f');
  });
});

describe('checkBomSizes', () => {
  const sized = (path: string, size: number) => {
    const large = file(path, '');
    return { ...large, source: { size, chunks: () => expect.fail('read') } } as typeof large;
  };

  it.each([0, 2 ** 32 - 1])('takes a file of %i bytes', (size) => {
    expect(() => checkBomSizes([directory('.'), sized('./a', size), symlink('./l', 'a')])).not.toThrow();
  });

  it.each([2 ** 32, 2 ** 32 + 1])('refuses one of %i, wherever it stands, and names it', async (size) => {
    const error = await errorOf(() => checkBomSizes([directory('.'), file('./a', ''), sized('./large', size)]));
    expect(error).toMatchObject({ code: 'ENTRY_TOO_LARGE', message: expect.stringContaining('./large') });
  });
});
