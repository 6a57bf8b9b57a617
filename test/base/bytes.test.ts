import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromFile } from '../../src/base/bytes.ts';
import { readAll } from '../support/read-all.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bytes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('fromFile', () => {
  it('gives a part of a file, also beyond one reading', async () => {
    const data = Buffer.from(Array.from({ length: 600_000 }, (_, index) => index & 0xff));
    writeFileSync(join(folder, 'a'), data);
    expect(await readAll(fromFile(join(folder, 'a'), 0, data.length))).toEqual(data);
    expect(await readAll(fromFile(join(folder, 'a'), 10, 500_000))).toEqual(data.subarray(10, 500_010));
    expect(await readAll(fromFile(join(folder, 'a'), 10, 0))).toEqual(Buffer.alloc(0));
  });

  it('refuses a file that became shorter', async () => {
    writeFileSync(join(folder, 'a'), 'hello');
    const source = fromFile(join(folder, 'a'), 0, 5);
    truncateSync(join(folder, 'a'), 3);
    await expect(readAll(source)).rejects.toMatchObject({
      code: 'SOURCE_CHANGED',
      message: expect.stringContaining('expected 5 bytes, found 3'),
    });
  });
});
