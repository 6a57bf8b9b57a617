import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/base/bytes.ts';
import { ODC_HEADER } from '../../src/cpio/header.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { cksum } from '../../src/tree/cksum.ts';
import { checkEntries, type PayloadEntry } from '../../src/tree/entry.ts';
import { collect, directory, errorOf, FACTS, file, inPieces, noise, symlink, trees } from '../support/payload.ts';

const sample = [file('./f', 'hi\n'), symlink('./l', 'f'), directory('./d'), directory('.')];

/** What an entry says, its contents read. */
async function contents(entry: PayloadEntry) {
  const { path, kind, mode, uid, gid, mtimeSeconds } = entry;
  const data =
    entry.kind === 'file'
      ? await collect(entry.source.chunks())
      : Buffer.from(entry.kind === 'symlink' ? entry.target : '');
  return { path, kind, mode, uid, gid, mtimeSeconds, data: data.toString('base64') };
}

async function readBack(archive: Buffer, piece: number) {
  const found = [];
  for await (const { header, path, kind, mode, data } of readCpio(inPieces(archive, piece))) {
    const { uid, gid, mtimeSeconds } = header;
    found.push({ path, kind, mode, uid, gid, mtimeSeconds, data: (await collect(data)).toString('base64') });
  }
  return found;
}

/** A source of `size` bytes that gives `first` and then fails: sizes at the edge without their bytes. */
function claimed(size: number, first: Buffer): ByteSource {
  return {
    size,
    async *chunks() {
      yield first;
      throw new Error('no such bytes');
    },
  };
}

describe('writeCpio', () => {
  it('writes the archive that GNU cpio and libarchive were seen to list', async () => {
    const archive = await collect(writeCpio(sample));
    expect(archive.length).toBe(512);
    expect(createHash('sha256').update(archive).digest('hex')).toBe(
      'd4d2ab6ba6ae206e980ad88bc6faff163bfb58623ef04ca051a222d49ba472b5',
    );
  });

  it('gives back random trees, read in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(trees(30), fc.constantFrom(1, 7, 76, 512, 100_000), async (entries, piece) => {
        const archive = await collect(writeCpio(entries));
        expect(archive.length % 512).toBe(0);
        expect(await readBack(archive, piece)).toEqual(await Promise.all(checkEntries(entries).map(contents)));
      }),
      { numRuns: 60 },
    );
  });

  it('gives back 5,000 entries', async () => {
    const entries = [directory('.')];
    for (let index = 0; index < 70; index++) entries.push(directory(`./folder ${index}`));
    for (let index = 0; entries.length < 5000; index++)
      entries.push(file(`./folder ${index % 70}/${index}`, noise(index % 50)));
    const found = await readBack(await collect(writeCpio(entries)), 4096);
    expect(found).toEqual(await Promise.all(checkEntries(entries).map(contents)));
  });

  it('tells each file once, with what its Bom record needs, and reads it once', async () => {
    const large = noise(100_000);
    let readings = 0;
    const source: ByteSource = {
      size: large.length,
      async *chunks() {
        readings++;
        yield* inPieces(large, 30_000);
      },
    };
    const told: unknown[] = [];
    const entries: PayloadEntry[] = [
      directory('.'),
      file('./empty', ''),
      { ...FACTS, kind: 'file', path: './large', mode: 0o755, source },
    ];
    const archive = await collect(writeCpio(entries, (entry, facts) => told.push([entry.path, facts])));
    expect(told).toEqual([
      ['./empty', { size: 0, cksum: 0xffffffff }],
      ['./large', { size: 100_000, cksum: cksum(large) }],
    ]);
    expect(readings).toBe(1);
    expect(archive.includes(large)).toBe(true);
  });

  it('joins pieces of up to 8 KiB into buffers of 64 KiB and passes on larger ones as they are', async () => {
    const pieces = [...new Array<number>(17).fill(8192), 8193, 100, 300_000].map((size) => noise(size));
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const source: ByteSource = {
      size,
      chunks: () => expect.fail('it can be read without waiting'),
      chunksNow: () => pieces,
    };
    const large: PayloadEntry = { ...FACTS, kind: 'file', path: './a', mode: 0o644, source };
    const sizes: number[] = [];
    const passed: Buffer[] = [];
    for await (const chunk of writeCpio([directory('.'), large])) {
      sizes.push(chunk.length);
      if (pieces.includes(chunk)) passed.push(chunk);
    }
    // Two headers of 78 and 80 bytes, then seven pieces: the eighth does not fit any more.
    const [headers, trailer] = [78 + 80, 76 + 11];
    const padding = (512 - ((headers + size + trailer) % 512)) % 512;
    expect(sizes).toEqual([headers + 7 * 8192, 8 * 8192, 2 * 8192, 8193, 100, 300_000, trailer + padding]);
    expect(passed).toEqual([pieces[17], pieces[19]]);
  });

  it('fills a buffer to its last byte', async () => {
    const room = 64 * 1024 - (78 + 80);
    const made = async (last: number) => {
      const pieces = [...new Array<number>(7).fill(8192), last].map((size) => noise(size));
      const size = 7 * 8192 + last;
      const source: ByteSource = { size, chunks: () => expect.fail('not asked'), chunksNow: () => pieces };
      const sizes: number[] = [];
      for await (const chunk of writeCpio([
        directory('.'),
        { ...FACTS, kind: 'file', path: './a', mode: 0o644, source },
      ]))
        sizes.push(chunk.length);
      return sizes[0];
    };
    expect(await made(room - 7 * 8192)).toBe(64 * 1024);
    expect(await made(room - 7 * 8192 + 1)).toBe(78 + 80 + 7 * 8192);
  });

  it('counts links of folders as APFS does and wraps ino', async () => {
    const archive = await collect(writeCpio(sample));
    expect(ODC_HEADER.decode(archive)).toMatchObject({ ino: 0, nlink: 5, mode: 0o40755 });
    expect(ODC_HEADER.decode(archive, 78)).toMatchObject({ ino: 1, nlink: 2 });
  });

  it('writes the largest size that eleven octal digits hold', async () => {
    const large: PayloadEntry = {
      ...FACTS,
      kind: 'file',
      path: './a',
      mode: 0o644,
      source: claimed(8 ** 11 - 1, noise(20_000)),
    };
    const archive = writeCpio([directory('.'), large]);
    const first = (await archive.next()).value as Buffer;
    expect(ODC_HEADER.decode(first, 78).fileSize).toBe(8 ** 11 - 1);
    await archive.return(undefined);
  });

  it('refuses one byte more before it writes anything', async () => {
    const large: PayloadEntry = {
      ...FACTS,
      kind: 'file',
      path: './a',
      mode: 0o644,
      source: claimed(8 ** 11, noise(20_000)),
    };
    const error = await errorOf(() => writeCpio([directory('.'), large]).next());
    expect(error).toMatchObject({ code: 'ENTRY_TOO_LARGE', message: expect.stringContaining('./a') });
  });

  it.each([2, 4])('refuses a file that says 3 bytes and gives %i', async (size) => {
    const source = { size: 3, chunks: () => inPieces(Buffer.alloc(size, 1), 1) };
    const error = await errorOf(() =>
      collect(writeCpio([directory('.'), { ...FACTS, kind: 'file', path: './a', mode: 0o644, source }])),
    );
    expect(error).toMatchObject({ code: 'ENTRY_CHANGED', message: expect.stringContaining('./a') });
  });

  it('stops a source at the first byte too many, even one without end', async () => {
    let pulled = 0;
    const source: ByteSource = {
      size: 3,
      async *chunks() {
        for (; pulled < 1000; pulled++) yield Buffer.alloc(4096);
      },
    };
    const endless: PayloadEntry = { ...FACTS, kind: 'file', path: './a', mode: 0o644, source };
    const error = await errorOf(() => collect(writeCpio([directory('.'), endless])));
    expect(error.code).toBe('ENTRY_CHANGED');
    expect(pulled).toBe(0);
  });

  const long = (bytes: number) => `.${'/abcdefg'.repeat(Math.ceil(bytes / 8))}`.slice(0, bytes);
  const folders = (path: string) =>
    path.split('/').map((_, index, all) => directory(all.slice(0, index + 1).join('/')));
  it.each([
    ['a name of 1,023 bytes', folders(long(1023)), folders(long(1024))],
    ['a component of 255 units', [file(`./${'日'.repeat(255)}`, '')], [file(`./${'a'.repeat(256)}`, '')]],
    ['a link target of 1,023 bytes', [symlink('./l', 'é'.repeat(511))], [symlink('./l', 'é'.repeat(512))]],
  ])('writes and reads %s and refuses a longer one: macOS cannot lay it down', async (_, right, wrong) => {
    const whole = (entries: PayloadEntry[]) => (entries[0]?.path === '.' ? entries : [directory('.'), ...entries]);
    const archive = await collect(writeCpio(whole(right)));
    expect((await readBack(archive, 512)).length).toBe(whole(right).length);
    expect((await errorOf(() => writeCpio(whole(wrong)).next())).code).toBe('ENTRY_TOO_LARGE');
  });
});
