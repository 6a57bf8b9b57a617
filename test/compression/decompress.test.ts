import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { WORK, WorkBudget } from '../../src/base/input/limits.ts';
import { bunzip2 } from '../../src/compression/bunzip2.ts';
import { unxz } from '../../src/compression/unxz.ts';
import { openPayload } from '../../src/cpio/payload-stream.ts';
import { firstOnPath } from '../support/needs.ts';
import { collect, inPieces, noise, text } from '../support/payload.ts';
import { faultOf } from '../support/xar.ts';

const mixed = Buffer.concat([text(60_000), noise(70_000), Buffer.alloc(150_000), text(33)]);
/** Several blocks of bzip2: its smallest are of 100,000 bytes. */
const BLOCKS: Readonly<Record<string, readonly string[]>> = { bzip2: ['-1'] };
const run = (tool: string, data: Buffer, ...options: string[]) =>
  execFileSync(tool, ['-c', ...options], { input: data, maxBuffer: 1 << 28 });

/** Returns a pbzx stream of blocks of `size` bytes, as pkgbuild makes it: xz without a check, plain where that is not longer. */
function pbzx(data: Buffer, size: number): Buffer {
  const word = (value: number) => {
    const field = Buffer.alloc(8);
    field.writeBigUInt64BE(BigInt(value));
    return field;
  };
  const parts: Buffer[] = [Buffer.from('pbzx'), word(size)];
  for (let at = 0; at < data.length; at += size) {
    const block = data.subarray(at, at + size);
    const packed = run('xz', block, '--check=none');
    const stored = packed.length < block.length ? packed : block;
    parts.push(word(block.length), word(stored.length), stored);
  }
  return Buffer.concat(parts);
}

describe.each([
  ['bzip2', bunzip2, 'BZIP2'],
  ['xz', unxz, 'XZ'],
] as const)('%s', (tool, decode, code) => {
  const missing = firstOnPath(tool) === undefined;
  const packed = missing ? Buffer.alloc(0) : run(tool, mixed, ...(BLOCKS[tool] ?? []));

  it.skipIf(missing).each([1, 7, 4096, 1 << 20])(
    `inflates what the tool made, in pieces of %i bytes${missing ? ` (skipped: needs ${tool})` : ''}`,
    async (piece) => {
      const whole = piece === 1 ? run(tool, text(3000)) : packed;
      const expected = piece === 1 ? text(3000) : mixed;
      expect((await collect(decode(inPieces(whole, piece)))).equals(expected)).toBe(true);
    },
  );

  it.skipIf(missing)('refuses what is cut off, damaged, empty, or followed by more', async () => {
    const codeOf = async (data: Buffer) => (await faultOf(() => collect(decode(inPieces(data, 5000))))).code;
    const damaged = Buffer.from(packed);
    damaged[packed.length >> 1] = damaged[packed.length >> 1]! ^ 0x10;
    expect(await codeOf(packed.subarray(0, -1))).toBe(code);
    expect(await codeOf(packed.subarray(0, packed.length >> 1))).toBe(code);
    expect(await codeOf(damaged)).toBe(code);
    expect(await codeOf(Buffer.alloc(0))).toBe(code);
    expect(await codeOf(Buffer.concat([packed, Buffer.alloc(1)]))).toBe(code);
    // xz streams may follow each other, and every reader takes them for one.
    if (tool === 'bzip2') expect(await codeOf(Buffer.concat([packed, packed]))).toBe(code);
    // And it still works afterwards.
    expect((await collect(decode(inPieces(packed, 5000)))).length).toBe(mixed.length);
  });

  it.skipIf(missing)('can be left early', async () => {
    for await (const chunk of decode(inPieces(packed, 5000))) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    expect((await collect(decode(inPieces(packed, 5000)))).length).toBe(mixed.length);
  });
});

const noXz = firstOnPath('xz') === undefined;
describe.skipIf(noXz)(`payloads in xz${noXz ? ' (skipped: needs xz)' : ''}`, () => {
  const stream = noXz ? Buffer.alloc(0) : pbzx(mixed, 1 << 17);

  it('are read as pkgbuild writes them, block by block', async () => {
    expect((await collect(openPayload(inPieces(stream, 10_000)))).equals(mixed)).toBe(true);
    expect((await collect(openPayload(inPieces(run('xz', mixed), 10_000)))).equals(mixed)).toBe(true);
  });

  it.each([
    ['a block that is larger than it may be', (data: Buffer) => data.writeBigUInt64BE(1n << 20n, 12), 'PBZX'],
    ['a block of nothing', (data: Buffer) => data.writeBigUInt64BE(0n, 12), 'PBZX'],
    ['blocks of 4 GiB', (data: Buffer) => data.writeBigUInt64BE(1n << 32n, 4), 'PBZX'],
    ['a block that says less than it holds', (data: Buffer) => data.writeBigUInt64BE(100n << 8n, 12), 'PBZX'],
    ['a block that is not xz', (data: Buffer) => data.writeUInt8(0, 28), 'PBZX'],
  ])('are refused with %s', async (_, change, code) => {
    const bad = Buffer.from(stream);
    change(bad);
    expect((await faultOf(() => collect(openPayload(inPieces(bad, 10_000))))).code).toBe(code);
  });

  it('are refused when something follows a block that is not whole: older readers stop there', async () => {
    const twice = Buffer.concat([stream, stream.subarray(12)]);
    expect((await faultOf(() => collect(openPayload(inPieces(twice, 10_000))))).message).toContain(
      'smaller than a block',
    );
  });

  it('inside a member in xz are refused: the decoder has one place', async () => {
    const twice = run('xz', run('xz', text(1000)));
    expect((await faultOf(() => collect(unxz(unxz(inPieces(twice, 100)))))).code).toBe('XZ_NESTED');
    expect((await collect(unxz(inPieces(run('xz', text(1000)), 100)))).equals(text(1000))).toBe(true);
  });
});

describe('WorkBudget', () => {
  it('ends the work in the middle of a block, whose contents it never holds', async () => {
    const budget = new WorkBudget(1000);
    let told = 0;
    const spend = (bytes: number, cost: number) => {
      told += bytes;
      budget.spend(bytes, cost * 1000);
    };
    if (firstOnPath('bzip2')) {
      const bomb = run('bzip2', Buffer.alloc(20_000_000));
      expect(bomb.length).toBeLessThan(200);
      expect((await faultOf(() => collect(openPayload(inPieces(bomb, 50), { spend })))).code).toBe('SIZE_LIMIT');
      expect(told).toBeLessThan(1_000_000);
    }
    expect(() => budget.spend(2 ** 31, WORK.gzip)).toThrow('bytes decoded in all');
  });

  it('grows with the package', () => {
    expect(() => new WorkBudget(1000).spend(2 ** 31, 1)).toThrow('expected at most 1073741824 bytes');
    expect(() => new WorkBudget(2 ** 30).spend(2 ** 31, 1)).not.toThrow();
  });
});
