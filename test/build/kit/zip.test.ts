import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { unzip, zip, zipProblems } from '../../../build/kit/zip.ts';
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

  it('compresses nothing: another zlib would compress in another way', async () => {
    expect((await bytesOf([A, B])).includes(A.data)).toBe(true);
  });

  it('takes times before 1980, which zip cannot hold, for its first day', async () => {
    const archive = await bytesOf([A], 0);
    expect(archive.equals(await bytesOf([A], 315_532_800))).toBe(true);
    expect((await unzip(archive)).mtimeSeconds).toBe(315_532_800);
  });
});

describe('unzip', () => {
  it('gives back the files, sorted, and the time of the newest', async () => {
    expect(await unzip(await bytesOf([B, A], 1_700_000_000))).toEqual({ files: [A, B], mtimeSeconds: 1_700_000_000 });
    expect(await unzip(await bytesOf([]))).toEqual({ files: [], mtimeSeconds: 0 });
    await expect(unzip(Buffer.from('no zip'))).rejects.toMatchObject({ code: 'ZIP_INVALID' });
  });

  it('takes 64 MiB in all, and no byte more', async () => {
    /** What is said of an archive whose entries claim these sizes; what they claim is not there. */
    const said = async (...sizes: number[]) => {
      const archive = await bytesOf(sizes.map((_, index) => ({ path: `${index}`, data: Buffer.alloc(0) })));
      // Sizes stand at 20 and 24 of an entry of the central directory. Source: APPNOTE.TXT, 4.3.12.
      for (let at = archive.indexOf('PK\x01\x02'), index = 0; at !== -1; at = archive.indexOf('PK\x01\x02', at + 4))
        for (const size of [sizes[index++]!]) for (const field of [20, 24]) archive.writeUInt32LE(size, at + field);
      return unzip(archive).then(
        () => 'read',
        (error: Error) => (/more than 67108864 bytes/.test(error.message) ? 'too much' : 'not there'),
      );
    };
    const limit = 64 * 2 ** 20;
    expect([await said(0, 0), await said(limit), await said(limit + 1)]).toEqual(['read', 'not there', 'too much']);
    expect([await said(0, limit), await said(0, limit + 1)]).toEqual(['not there', 'too much']);
  });

  it('finds what this project does not write in an archive', async () => {
    const archive = await bytesOf([A, B]);
    const { files, mtimeSeconds } = await unzip(archive);
    expect(await zipProblems(archive, files, mtimeSeconds)).toEqual([]);
    const words = ['the zip has bytes that this project does not write'];
    expect(await zipProblems(Buffer.concat([archive, Buffer.alloc(1)]), files, mtimeSeconds)).toEqual(words);
    expect(await zipProblems(archive, files, mtimeSeconds + 2)).toEqual(words);
  });
});
