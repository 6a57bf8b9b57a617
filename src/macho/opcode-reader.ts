import { FormatError } from '../base/errors.ts';

/** Reads the opcodes of one table: a byte with an opcode above and an operand below, then numbers and names. */
export class OpcodeReader {
  readonly #name: string;
  readonly #bytes: Buffer;
  #at = 0;

  /**
   * @param name what the table is called in problems
   * @param start bytes from the start of the slice
   * @throws FormatError when the table does not lie in the slice
   */
  constructor(name: string, slice: Buffer, start: number, size: number) {
    if (start + size > slice.length)
      throw new FormatError('MACHO_INVALID', name, start, `ends at ${start + size} of ${slice.length}`);
    this.#name = name;
    this.#bytes = slice.subarray(start, start + size);
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** Bytes that are not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  next(): { opcode: number; immediate: number } {
    const byte = this.#byte();
    return { opcode: byte & 0xf0, immediate: byte & 0x0f };
  }

  /** An unsigned number of 64 bits at most, least significant seven bits first. Source: DWARF, ULEB128. */
  uleb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.#byte();
      const part = BigInt(byte & 0x7f);
      if (shift > 63n || (shift === 63n && part > 1n)) throw this.#malformed('uleb128 of more than 64 bits');
      value |= part << shift;
      if (byte < 0x80) return value;
    }
  }

  /** A signed number of 64 bits at most. Source: DWARF, SLEB128. */
  sleb(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      if (shift > 63n) throw this.#malformed('sleb128 of more than 64 bits');
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, byte & 0x40 ? value | (-1n << (shift + 7n)) : value);
    }
  }

  /** Characters up to a NUL. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw this.#malformed('a name without an end');
    const text = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** Returns a problem with the table's name before it. */
  says(problem: string): string {
    return `${this.#name}: ${problem}`;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw this.#malformed('the table ends within an opcode');
    this.#at++;
    return byte;
  }

  #malformed(problem: string): FormatError {
    return new FormatError('MACHO_INVALID', this.#name, this.#at, problem);
  }
}
