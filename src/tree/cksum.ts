import { crc32 } from 'node:zlib';

/**
 * The POSIX cksum of bytes that come in pieces, as Bom path records store it.
 *
 * cksum runs CRC-32 most significant bit first; zlib's runs it reflected. Reversing the bits of every byte on the way in, and of the
 * register on the way out, makes one the other, so the native CRC does the work.
 *
 * @see POSIX cksum, https://pubs.opengroup.org/onlinepubs/9699919799/utilities/cksum.html
 * @example new Cksum().update(Buffer.from('123456789')).digest() // 930766865, as `printf 123456789 | cksum` prints
 */
export class Cksum {
  /** The register as zlib returns it: reflected and complemented. cksum starts from zero. */
  #register = 0xffffffff;
  #length = 0;

  /** Adds bytes. */
  update(chunk: Uint8Array): this {
    for (let start = 0; start < chunk.length; start += SCRATCH_SIZE) {
      const part = chunk.subarray(start, start + SCRATCH_SIZE);
      reverseBits(part);
      this.#register = crc32(part.length === SCRATCH_SIZE ? scratch : scratch.subarray(0, part.length), this.#register);
    }
    this.#length += chunk.length;
    return this;
  }

  /**
   * Returns the checksum of what came so far, an unsigned 32-bit integer. More may be added afterwards.
   *
   * @param length the number fed to the CRC at the end; that of the bytes added by default
   */
  digest(length: number = this.#length): number {
    let size = 0;
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256))
      scratch[size++] = REVERSED_BYTE[rest % 256] as number;
    return reverse32(crc32(scratch.subarray(0, size), this.#register));
  }
}

/** Returns the POSIX cksum of `data`, an unsigned 32-bit integer. */
export function cksum(data: Uint8Array): number {
  return new Cksum().update(data).digest();
}

/** Fits the first-level cache beside the source bytes. */
const SCRATCH_SIZE = 16 * 1024;
const scratch = new Uint8Array(SCRATCH_SIZE);
const scratchWords = new Int32Array(scratch.buffer);
const REVERSED_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => reverse32(byte) >>> 24);

/** Fills `scratch` with the bytes of `part`, the bits of each byte reversed; four bytes at a time where they are aligned. */
function reverseBits(part: Uint8Array): void {
  const words = part.byteOffset % 4 === 0 ? part.length >> 2 : 0;
  if (words > 0) {
    const source = new Int32Array(part.buffer, part.byteOffset, words);
    for (let index = 0; index < words; index++) scratchWords[index] = reverseWithinBytes(source[index] as number);
  }
  for (let index = words * 4; index < part.length; index++) {
    scratch[index] = REVERSED_BYTE[part[index] as number] as number;
  }
}

/** Swaps nibbles, then pairs, then bits, in all four bytes at once. */
function reverseWithinBytes(word: number): number {
  let bits = ((word >>> 4) & 0x0f0f0f0f) | ((word & 0x0f0f0f0f) << 4);
  bits = ((bits >>> 2) & 0x33333333) | ((bits & 0x33333333) << 2);
  return ((bits >>> 1) & 0x55555555) | ((bits & 0x55555555) << 1);
}

function reverse32(word: number): number {
  const bits = reverseWithinBytes(word);
  return ((bits << 24) | ((bits & 0xff00) << 8) | ((bits >>> 8) & 0xff00) | (bits >>> 24)) >>> 0;
}
