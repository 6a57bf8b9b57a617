import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { blobContent, encodeBlob, encodeSuperBlob, parseSuperBlob } from '../../src/code-signature/super-blob.ts';

const MAGIC = 0xfade0cc0;
const blobs = [
  { type: 0, data: encodeBlob(0xfade0c02, Buffer.from('abc')) },
  { type: 2, data: encodeBlob(0xfade0c01, Buffer.alloc(0)) },
];
const encoded = encodeSuperBlob(MAGIC, blobs);

/** Returns the SuperBlob with one word changed. */
function withWord(offset: number, value: number): () => unknown {
  const bad = Buffer.concat([encoded, Buffer.alloc(64)]);
  bad.writeUInt32BE(value, offset);
  return () => parseSuperBlob(bad, MAGIC);
}

describe('encodeSuperBlob', () => {
  it('packs the blobs behind the index', () => {
    expect(encoded.toString('hex')).toBe(
      `fade0cc0${'0000002f'}00000002${'000000000000001c'}${'0000000200000027'}fade0c020000000b616263fade0c0100000008`,
    );
  });
});

describe('parseSuperBlob', () => {
  it('reads back what was encoded and leaves alone what follows', () => {
    const contents = fc.uniqueArray(fc.tuple(fc.nat(0x10000), fc.uint8Array({ maxLength: 40 })), {
      selector: ([type]) => type,
    });
    fc.assert(
      fc.property(contents, fc.uint8Array({ maxLength: 20 }), (items, rest) => {
        const made = items
          .sort(([a], [b]) => a - b)
          .map(([type, content]) => ({ type, data: encodeBlob(MAGIC, Buffer.from(content)) }));
        const bytes = encodeSuperBlob(MAGIC, made);
        expect(parseSuperBlob(Buffer.concat([bytes, rest]), MAGIC)).toEqual({
          length: bytes.length,
          blobs: made,
          packed: true,
          stray: null,
        });
      }),
    );
  });

  it.each([
    ['magic', 0, 1, 'offset 0: expected magic'],
    ['length beyond the end', 4, 1000, 'offset 4: length 1000'],
    ['count', 8, 1000, 'offset 8: 1000 blobs do not fit'],
    ['type that is there already', 12, 2, 'offset 20: a second blob of type 0x2'],
    ['two entries for one blob', 24, 0x1c, 'offset 24: a blob at 28, 39 bytes are taken'],
    ['blob over the index', 16, 0x14, 'offset 24: a blob of 39 bytes'],
    ['length of a blob', 0x20, 7, 'offset 32: a blob of 7 bytes'],
    ['length of a blob beyond the end', 0x20, 100, 'offset 32: a blob of 100 bytes'],
  ])('refuses a wrong %s', (_, offset, value, problem) => {
    expect(withWord(offset, value)).toThrow(problem);
  });

  it('reads blobs wherever the index says they lie, and tells that codesign packs them in another way', () => {
    const [first, second] = [encodeBlob(1, Buffer.from('a')), encodeBlob(2, Buffer.from('b'))];
    const at = (offsets: readonly [number, number], gaps: readonly [Buffer, Buffer], blobs: readonly Buffer[]) => {
      const body = Buffer.concat([gaps[0], blobs[0]!, gaps[1], blobs[1]!]);
      const index = [0, offsets[0], 2, offsets[1]];
      const words = [MAGIC, 12 + 16 + body.length, 2, ...index];
      const head = Buffer.alloc(words.length * 4);
      for (const [place, word] of words.entries()) head.writeUInt32BE(word, place * 4);
      return parseSuperBlob(Buffer.concat([head, body]), MAGIC);
    };
    const none = Buffer.alloc(0);
    const blobs = [
      { type: 0, data: first },
      { type: 2, data: second },
    ];
    expect(at([28, 37], [none, none], [first, second])).toMatchObject({ blobs, packed: true, stray: null });
    expect(at([32, 44], [Buffer.alloc(4), Buffer.alloc(3)], [first, second])).toMatchObject({
      blobs,
      packed: false,
      stray: null,
    });
    expect(at([37, 28], [none, none], [second, first])).toMatchObject({ blobs, packed: false, stray: null });
    expect(at([28, 38], [none, Buffer.from('x')], [first, second])).toMatchObject({ blobs, packed: false, stray: 37 });
  });

  it('names the first of several bytes that belong to no blob', () => {
    const two = [encodeBlob(1, Buffer.alloc(0)), encodeBlob(2, Buffer.alloc(0))];
    const words = [MAGIC, 28 + 20, 2, 0, 30, 2, 40];
    const head = Buffer.alloc(28);
    for (const [place, word] of words.entries()) head.writeUInt32BE(word, place * 4);
    const bytes = Buffer.concat([head, Buffer.from([0, 5]), two[0]!, Buffer.from([6, 7]), two[1]!]);
    expect(parseSuperBlob(bytes, MAGIC)).toMatchObject({ stray: 29, packed: false });
  });

  it('takes 64 blobs and not one more', () => {
    const of = (count: number) => {
      const many = Array.from({ length: count }, (_, type) => ({ type, data: encodeBlob(1, Buffer.alloc(0)) }));
      return parseSuperBlob(encodeSuperBlob(MAGIC, many), MAGIC).blobs.length;
    };
    expect(of(64)).toBe(64);
    expect(() => of(65)).toThrow(expect.objectContaining({ code: 'SIZE_LIMIT' }));
  });

  it('refuses every truncation', () => {
    for (let length = 0; length < encoded.length; length++) {
      expect(() => parseSuperBlob(encoded.subarray(0, length), MAGIC)).toThrow(FormatError);
    }
  });
});

describe('blobContent', () => {
  it('is what was put in, and refuses another magic or length', () => {
    const blob = encodeBlob(MAGIC, Buffer.from('x'));
    expect(blobContent(blob, MAGIC).toString()).toBe('x');
    expect(() => blobContent(blob, 1)).toThrow('expected magic 0x1');
    expect(() => blobContent(Buffer.concat([blob, blob]), MAGIC)).toThrow('length 18');
  });
});
