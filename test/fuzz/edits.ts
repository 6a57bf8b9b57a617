import { array, nat, tuple } from 'fast-check';

/** A change of bytes: its kind, where, how much, and a number to write. */
export type Edit = readonly [kind: number, at: number, amount: number, value: number];

const ANY = nat(0x7fffffff);
/** One to six changes; fast-check prefers small numbers and limits, and finds the fewest and smallest that still fail. */
export const EDITS = array(tuple(nat(9), ANY, ANY, ANY), { minLength: 1, maxLength: 6 });

/** Numbers at which counts, sizes and offsets go wrong. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];
/** Longest result: longer ones find nothing more, and take longer. */
const LONGEST = 128 * 1024;

/**
 * Returns a copy of `data` with changes.
 *
 * @param others what pieces may be taken from
 */
export function applyEdits(data: Buffer, edits: readonly Edit[], others: readonly Buffer[]): Buffer {
  let bytes: Buffer = Buffer.from(data);
  for (const edit of edits) bytes = applyEdit(bytes, edit, others);
  return bytes.subarray(0, LONGEST);
}

function applyEdit(bytes: Buffer, [kind, place, amount, value]: Edit, others: readonly Buffer[]): Buffer {
  const at = place % (bytes.length + 1);
  const few = amount % 16;
  const many = amount % (bytes.length - at + 1);
  const replaced = (from: number, to: number, middle: Buffer) =>
    Buffer.concat([bytes.subarray(0, from), middle, bytes.subarray(to)]);
  switch (kind) {
    case 0:
      return replaced(at, at + 1, Buffer.from([value & 0xff]));
    case 1:
      return replaced(at, at + 1, Buffer.from([(bytes[at] ?? 0) ^ (1 << (value % 8))]));
    case 2: // a number of 1, 2, 4 or 8 bytes
      return written(bytes, at, numberOf(amount, value));
    case 3: // a number that is a little more or less than what is there
      return nudged(bytes, at, (value % 9) - 4, amount % 2 === 0);
    case 4:
      return replaced(at, at + few, Buffer.alloc(0));
    case 5:
      return bytes.subarray(0, at);
    case 6: // a piece once more
      return replaced(at, at, bytes.subarray(at, at + Math.min(many, 4096)));
    case 7: // a piece elsewhere
      return written(bytes, value % (bytes.length + 1), bytes.subarray(at, at + Math.min(many, 256)));
    case 8: {
      const other = others[value % others.length] ?? bytes;
      const from = amount % (other.length + 1);
      return replaced(at, at, other.subarray(from, from + 256));
    }
    default:
      return replaced(at, at, Buffer.alloc(few, value & 0xff));
  }
}

function numberOf(amount: number, value: number): Buffer {
  const number = EDGES[value % EDGES.length] as number;
  const wide = Buffer.alloc(8);
  const width = 2 ** (amount % 4);
  if (amount % 8 < 4) {
    wide.writeUInt32BE(number, 4);
    return wide.subarray(8 - width);
  }
  wide.writeUInt32LE(number, 0);
  return wide.subarray(0, width);
}

function nudged(bytes: Buffer, at: number, by: number, isBig: boolean): Buffer {
  if (at + 4 > bytes.length) return bytes;
  const copy = Buffer.from(bytes);
  if (isBig) copy.writeUInt32BE((copy.readUInt32BE(at) + by) >>> 0, at);
  else copy.writeUInt32LE((copy.readUInt32LE(at) + by) >>> 0, at);
  return copy;
}

/** Overwrites; the length stays. */
function written(bytes: Buffer, at: number, piece: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  piece.copy(copy, at);
  return copy;
}
