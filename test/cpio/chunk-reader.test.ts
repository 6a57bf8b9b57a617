import { describe, expect, it } from 'vitest';
import { ChunkReader } from '../../src/cpio/chunk-reader.ts';
import { faultOf, inPieces } from '../support/payload.ts';

const data = Buffer.from('0123456789');

describe('ChunkReader', () => {
  it.each([1, 3, 10])('reads what was asked for from pieces of %i bytes', async (piece) => {
    const reader = new ChunkReader(inPieces(data, piece));
    const first = await reader.read(4, 'A');
    const second = await reader.read(6, 'B');
    expect([first.toString(), second.toString(), reader.offset]).toEqual(['0123', '456789', 10]);
  });

  it('names the structure and the place where the input ends', async () => {
    const reader = new ChunkReader(inPieces(data, 3));
    await reader.read(8, 'A');
    expect(await faultOf(() => reader.read(4, 'B'))).toEqual({ code: 'FORMAT_TRUNCATED', offset: 10 });
  });

  it('reads nothing without asking for more', async () => {
    const reader = new ChunkReader(inPieces(Buffer.alloc(0), 1));
    expect((await reader.read(0, 'A')).length).toBe(0);
  });

  it('hands out again what was put back', async () => {
    const reader = new ChunkReader(inPieces(data, 5));
    for await (const chunk of reader.rest()) {
      reader.unread(chunk.subarray(3));
      break;
    }
    expect(reader.offset).toBe(3);
    expect((await reader.read(7, 'A')).toString()).toBe('3456789');
  });
});
