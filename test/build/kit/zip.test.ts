import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { zip } from '../../../build/kit/zip.ts';
import { check, needs } from '../../support/needs.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'zip-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

async function bytesOf(files: Parameters<typeof zip>[0], time = 1_700_000_000): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of zip(files, time)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const A = { path: 'a.txt', data: Buffer.from('hello\n'.repeat(100)) };
const B = { path: 'extras/b c.pkg', data: Buffer.from([0, 1, 2, 255]) };

describe('zip', () => {
  const bsdtar = needs('bsdtar');

  it.skipIf(bsdtar.missing)(`is read back by libarchive, with times in UTC${bsdtar.note}`, async () => {
    const path = join(scratch, 'kit.zip');
    writeFileSync(path, await bytesOf([B, A]));
    expect(check('bsdtar', ['-tf', path]).toString()).toBe('a.txt\nextras/b c.pkg\n');
    expect(check('bsdtar', ['-xOf', path, 'a.txt'])).toEqual(A.data);
    expect(check('bsdtar', ['-xOf', path, 'extras/b c.pkg'])).toEqual(B.data);
  });

  it('has the same bytes whatever the order, the time zone and the clock', async () => {
    const before = process.env.TZ;
    process.env.TZ = 'Asia/Kathmandu';
    const first = await bytesOf([A, B]);
    process.env.TZ = 'America/Lima';
    const second = await bytesOf([B, A]);
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
    expect(first.equals(second)).toBe(true);
    expect((await bytesOf([A, B], 1_800_000_000)).equals(first)).toBe(false);
  });

  it('takes times before 1980, which zip cannot hold, for its first day', async () => {
    expect((await bytesOf([A], 0)).equals(await bytesOf([A], 315_532_800))).toBe(true);
  });
});
