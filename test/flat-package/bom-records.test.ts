import { describe, expect, it } from 'vitest';
import { bomRecords } from '../../src/flat-package/bom-records.ts';
import { directory, errorOf, file, recordsOf, symlink } from '../support/payload.ts';

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

  it('refuses a file that was not read', async () => {
    expect((await errorOf(() => bomRecords([directory('.'), file('./f', '')], new Map()))).message).toContain('./f');
  });
});
