import { execFileSync } from 'node:child_process';
import { deflateRaw, gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFLATE_CHUNK_SIZE } from '../../src/cpio/deflate.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { check, needs } from '../support/needs.ts';
import { collect, inPieces, noise, text } from '../support/payload.ts';

/** Text and noise in turns, longer than two chunks and no multiple of anything. */
const mixed = Buffer.concat([text(100_000), noise(100_000), text(700_001), noise(600_000, 2), text(33)]);

/** Writes what the first member holds, and fails when something follows it. */
const PYTHON = `import sys, zlib
one = zlib.decompressobj(31)
sys.stdout.buffer.write(one.decompress(sys.stdin.buffer.read()))
sys.exit(not one.eof or one.unused_data != b"")`;

describe('gzipMember', () => {
  it('begins as pkgbuild begins Payload, and closes with CRC-32 and size of the contents', async () => {
    // CRC-32 of the archive in the cpio test, and its 512 bytes; as stock gzip gives.
    const member = await collect(gzipMember(inPieces(Buffer.from('123456789'), 4)));
    expect(member.subarray(0, 10).toString('hex')).toBe('1f8b0800000000000003');
    // 0xcbf43926 is the check value of CRC-32.
    expect(member.subarray(-8).toString('hex')).toBe('2639f4cb09000000');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a byte', Buffer.from('x')],
    ['exactly one chunk', text(DEFLATE_CHUNK_SIZE)],
    ['noise of one chunk and a byte', noise(DEFLATE_CHUNK_SIZE + 1)],
    ['text and noise', mixed],
    ['a counter', Buffer.from(Array.from({ length: 70_000 }, (_, index) => index & 0xff))],
  ])('is inflated by zlib to %s', async (_, data) => {
    expect(gunzipSync(await collect(gzipMember(inPieces(data, 50_000)))).equals(data)).toBe(true);
  });

  it('makes the same bytes whatever the pieces and the number of threads', async () => {
    const expected = await collect(gzipMember(inPieces(mixed, mixed.length)));
    for (const [piece, concurrency] of [
      [1000, 1],
      [4099, 2],
      [262_144, 3],
      [65_536, 9],
    ] as const) {
      const found = await collect(gzipMember(inPieces(mixed, piece), { concurrency }));
      expect(found.equals(expected)).toBe(true);
    }
  });

  /** Longer than all buffers together that are used in turn. */
  const long = Buffer.concat([mixed, noise(2_000_000, 3), mixed, text(900_000)]);
  const taskset = needs('taskset');
  it.skipIf(taskset.missing)(`makes the same bytes on one core and on a busy machine${taskset.note}`, async () => {
    const make = () => collect(gzipMember(inPieces(long, 65_536)));
    const onCores = (cores: string) => execFileSync('taskset', ['-a', '-c', '-p', cores, String(process.pid)]);
    const expected = await make();
    const others = execFileSync('taskset', ['-c', '-p', String(process.pid)])
      .toString()
      .split(': ')[1] as string;
    try {
      onCores((others.match(/\d+/) as RegExpMatchArray)[0]);
      expect((await make()).equals(expected)).toBe(true);
    } finally {
      onCores(others.trim());
    }
    const busy = Array.from({ length: 4 }, () => new Promise((resolve) => deflateRaw(long, resolve)));
    expect((await make()).equals(expected)).toBe(true);
    expect(gunzipSync(expected).equals(long)).toBe(true);
    await Promise.all(busy);
  });

  it('inflates to its input for random pieces', async () => {
    const pieces = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 3000 }),
        fc.nat({ max: 40_000 }).map((size) => noise(size)),
      ),
      { maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(pieces, async (drawn) => {
        const data = Buffer.concat(drawn);
        async function* input() {
          for (const piece of drawn) yield Buffer.from(piece);
        }
        expect(gunzipSync(await collect(gzipMember(input()))).equals(data)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('gives up when its input does', async () => {
    async function* broken() {
      yield mixed;
      throw new Error('disk on fire');
    }
    await expect(collect(gzipMember(broken()))).rejects.toThrow('disk on fire');
  });

  const gzip = needs('gzip');
  it.skipIf(gzip.missing)(`is a single member that gzip -t takes without a warning${gzip.note}`, async () => {
    const member = await collect(gzipMember(inPieces(mixed, 65_536)));
    expect(check('gzip', ['-t', '-v'], member)).toBeDefined();
    expect(check('gzip', ['-dc'], member).equals(mixed)).toBe(true);
  });

  const python = needs('python3');
  it.skipIf(python.missing)(`is one member and nothing else to Python's zlib${python.note}`, async () => {
    const member = await collect(gzipMember(inPieces(long, 65_536)));
    expect(check('python3', ['-c', PYTHON], member).equals(long)).toBe(true);
  });
});
