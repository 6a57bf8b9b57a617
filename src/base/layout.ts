import { FormatError } from './errors.ts';

/** One field of a fixed-size structure: its width in bytes and how its bytes are made and read. */
export interface Field<T> {
  readonly width: number;
  put(target: Buffer, offset: number, value: T): void;
  get(source: Buffer, offset: number): T;
}

type Fields = Readonly<Record<string, Field<unknown>>>;
/** The value a layout encodes from and decodes to. */
export type LayoutValue<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** A structure of fixed size, written down once for encoding, decoding and tests. */
export interface Layout<F extends Fields> {
  /** Name of the structure as its specification has it; used in errors. */
  readonly name: string;
  /** Size in bytes. */
  readonly size: number;
  /** Name, offset and width in bytes of each field, in order. */
  readonly fields: readonly { readonly name: keyof F & string; readonly offset: number; readonly width: number }[];
  /** Returns exactly `size` bytes; throws TypeError when a value does not fit its field (our own misuse). */
  encode(value: LayoutValue<F>): Buffer;
  /** Writes what `encode` returns into `target` from `offset` on, where `size` bytes must be left. */
  encodeInto(target: Buffer, offset: number, value: LayoutValue<F>): void;
  /** Returns the fields found at `offset`; throws FormatError `FORMAT_TRUNCATED` when fewer than `size` bytes are there. */
  decode(source: Buffer, offset?: number): LayoutValue<F>;
  /** Returns where a field begins, in bytes from the start of the structure. */
  offsetOf(field: keyof F & string): number;
}

/**
 * Returns the codec of a structure whose fields follow each other without gaps, in the order of the keys of `fields`.
 *
 * @example
 * const XAR_HEADER = layout('XarHeader', { magic: ascii(4), headerSize: u16be });
 * XAR_HEADER.encode({ magic: 'xar!', headerSize: 28 }) // <78 61 72 21 00 1c>
 */
export function layout<F extends Fields>(name: string, fields: F): Layout<F> {
  const places: { name: keyof F & string; offset: number; width: number; field: Field<unknown> }[] = [];
  let size = 0;
  for (const key of Object.keys(fields) as (keyof F & string)[]) {
    const field = fields[key] as Field<unknown>;
    places.push({ name: key, offset: size, width: field.width, field });
    size += field.width;
  }
  const encodeInto = (target: Buffer, offset: number, value: LayoutValue<F>): void => {
    for (const place of places) {
      try {
        place.field.put(target, offset + place.offset, value[place.name]);
      } catch (cause) {
        throw new TypeError(`${name}.${place.name} does not fit: ${String(value[place.name])}`, { cause });
      }
    }
  };
  return {
    name,
    size,
    fields: places,
    encodeInto,
    encode(value) {
      const target = Buffer.alloc(size);
      encodeInto(target, 0, value);
      return target;
    },
    decode(source, offset = 0) {
      if (offset < 0 || offset + size > source.length) {
        const left = Math.max(0, source.length - offset);
        throw new FormatError('FORMAT_TRUNCATED', name, left, `expected ${size} bytes, found ${left}`);
      }
      const value: Record<string, unknown> = {};
      for (const place of places) value[place.name] = place.field.get(source, offset + place.offset);
      return value as LayoutValue<F>;
    },
    offsetOf(field) {
      const place = places.find((candidate) => candidate.name === field);
      if (!place) throw new TypeError(`${name} has no field ${field}`);
      return place.offset;
    },
  };
}

function numeric(
  width: number,
  put: (target: Buffer, offset: number, value: number) => void,
  get: (source: Buffer, offset: number) => number,
): Field<number> {
  return { width, put, get };
}

export const u8 = numeric(
  1,
  (target, offset, value) => target.writeUInt8(value, offset),
  (source, offset) => source.readUInt8(offset),
);
export const u16be = numeric(
  2,
  (target, offset, value) => target.writeUInt16BE(value, offset),
  (source, offset) => source.readUInt16BE(offset),
);
export const u32be = numeric(
  4,
  (target, offset, value) => target.writeUInt32BE(value, offset),
  (source, offset) => source.readUInt32BE(offset),
);
export const u16le = numeric(
  2,
  (target, offset, value) => target.writeUInt16LE(value, offset),
  (source, offset) => source.readUInt16LE(offset),
);
export const u32le = numeric(
  4,
  (target, offset, value) => target.writeUInt32LE(value, offset),
  (source, offset) => source.readUInt32LE(offset),
);
/** 64 bits, big-endian, as bigint: sizes beyond 2^53 must be seen to be refused. */
export const u64be: Field<bigint> = {
  width: 8,
  put: (target, offset, value) => void target.writeBigUInt64BE(value, offset),
  get: (source, offset) => source.readBigUInt64BE(offset),
};
/** 64 bits, little-endian, as bigint. */
export const u64le: Field<bigint> = {
  width: 8,
  put: (target, offset, value) => void target.writeBigUInt64LE(value, offset),
  get: (source, offset) => source.readBigUInt64LE(offset),
};

/** A field of `width` bytes kept as they are. */
export function bytes(width: number): Field<Buffer> {
  return {
    width,
    put(target, offset, value) {
      if (value.length !== width) throw new RangeError(`expected ${width} bytes, got ${value.length}`);
      value.copy(target, offset);
    },
    get: (source, offset) => Buffer.from(source.subarray(offset, offset + width)),
  };
}

/** A field of exactly `width` characters; anything beyond one byte a character is refused when encoding. */
export function ascii(width: number): Field<string> {
  return {
    width,
    put(target, offset, value) {
      if (value.length !== width || /[^\x00-\x7f]/.test(value))
        throw new RangeError(`expected ${width} ASCII characters`);
      target.write(value, offset, 'latin1');
    },
    get: (source, offset) => source.toString('latin1', offset, offset + width),
  };
}

/**
 * A number written as `width` octal digits, zero padded, without sign or blank (cpio odc).
 *
 * Decoding throws FormatError `FORMAT_INVALID` when a byte is not an octal digit; the offset is that of the bad byte.
 */
export function octal(width: number): Field<number> {
  const limit = 8 ** width;
  return {
    width,
    put(target, offset, value) {
      if (!Number.isInteger(value) || value < 0 || value >= limit) throw new RangeError(`expected 0 to ${limit - 1}`);
      // Digit by digit: a payload has ten of these numbers a file.
      let rest = value;
      for (let at = offset + width - 1; at >= offset; at--) {
        target[at] = 0x30 + (rest % 8);
        rest = Math.floor(rest / 8);
      }
    },
    get(source, offset) {
      let value = 0;
      for (let index = offset; index < offset + width; index++) {
        const digit = (source[index] as number) - 0x30;
        if (digit < 0 || digit > 7) {
          throw new FormatError(
            'FORMAT_INVALID',
            'octal number',
            index,
            `expected an octal digit, found byte ${source[index]}`,
          );
        }
        value = value * 8 + digit;
      }
      return value;
    },
  };
}
