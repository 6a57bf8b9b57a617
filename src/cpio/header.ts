import { FormatError } from '../base/errors.ts';
import { ascii, layout, octal } from '../base/layout.ts';

/**
 * Header of an entry of a "portable ASCII" (odc) cpio archive, 76 bytes; name and data follow without padding.
 *
 * @see cpio in POSIX.1-1997 (pax, "cpio Interchange Format"); widths and values observed in packages made by pkgbuild
 */
export const ODC_HEADER = layout('CpioHeader', {
  magic: ascii(6), // 070707
  dev: octal(6), // 0
  ino: octal(6), // number of the entry in the archive, from 0, modulo 2^18
  mode: octal(6), // st_mode with the type bits
  uid: octal(6),
  gid: octal(6),
  nlink: octal(6), // 1; directories 2 + number of children, as APFS reports them
  rdev: octal(6), // 0
  mtime: octal(11), // seconds since 1970
  nameSize: octal(6), // bytes of the name with its NUL
  fileSize: octal(11), // bytes of data; a symbolic link's target without NUL; 0 for directories
});

export const ODC_MAGIC = '070707';
/** Name of the entry that ends every archive. */
export const TRAILER_NAME = 'TRAILER!!!';
/** Archives are padded with zeros to a multiple of this; pkgbuild and GNU cpio both do so. */
export const CPIO_BLOCK_SIZE = 512;
/** Most that six octal digits hold. */
const ODC_SHORT_MAX = 0o777777;
/** Returns number and links of an entry as six octal digits hold them: the number starts again from 0, the links stay at the most. */
export function shortCounts(index: number, links: number): { readonly ino: number; readonly nlink: number } {
  return { ino: index & ODC_SHORT_MAX, nlink: Math.min(links, ODC_SHORT_MAX) };
}

/**
 * Longest name or link target written, in bytes without NUL: PATH_MAX of macOS is 1,024 with it, so that a longer one cannot be laid
 * down. Source: sys/syslimits.h.
 */
export const WRITTEN_NAME_MAX = 1023;
/** Longest component of a name, in UTF-16 units: no file system of macOS holds more (HFS Plus: 255; NAME_MAX, sys/syslimits.h). */
export const COMPONENT_MAX = 255;
/** Largest file: what eleven octal digits hold, 8 GiB - 1. */
export const CPIO_FILE_SIZE_MAX = 8 ** 11 - 1;

/** Kind of archive by its first six bytes. Sources: POSIX.1-1997; cpio.h of GNU cpio (newc, and newc with checksums). */
export type CpioFormat = 'odc' | 'newc' | 'crc';

/** What a header says, whatever the format. */
export interface CpioHeader {
  readonly format: CpioFormat;
  /** With `ino` the number of a file: entries that share both, and have more than one link, are one file to some readers. */
  readonly device: number;
  readonly ino: number;
  /** st_mode with the type bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtimeSeconds: number;
  /** Bytes of the name with its NUL. */
  readonly nameSize: number;
  /** Bytes of data. */
  readonly fileSize: number;
  /** Sum of the data's bytes modulo 2^32; only in `crc` archives. */
  readonly checksum: number;
}

/** Bytes that `cpioFormat` needs. */
export const CPIO_MAGIC_SIZE = 6;

/** Bytes of a header by format, and what name and data are padded to. */
export const CPIO_SHAPES = {
  odc: { headerSize: ODC_HEADER.size, alignment: 1 },
  newc: { headerSize: 110, alignment: 4 },
  crc: { headerSize: 110, alignment: 4 },
} as const;

const FORMATS: Readonly<Record<string, CpioFormat>> = { [ODC_MAGIC]: 'odc', '070701': 'newc', '070702': 'crc' };
/** Fields of a newc header, each eight hexadecimal digits, after the magic. Source: cpio(5) of libarchive. */
const NEWC_FIELDS = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'fileSize',
  'devMajor',
  'devMinor',
  'rdevMajor',
  'rdevMinor',
  'nameSize',
  'check',
] as const;

/** Returns the format that a header's first six bytes name. @throws FormatError `CPIO_MAGIC` */
export function cpioFormat(magic: Buffer, offset: number): CpioFormat {
  const text = magic.toString('latin1', 0, CPIO_MAGIC_SIZE);
  const format = FORMATS[text];
  if (format === undefined) {
    const problem = `expected cpio magic 070707, found ${JSON.stringify(text)}`;
    throw new FormatError('CPIO_MAGIC', 'CpioHeader', offset, problem, {
      hint: 'The archive is damaged before this place, or is a cpio flavour (binary) that the Installer refuses too.',
    });
  }
  return format;
}

/**
 * Returns what the bytes of one header say.
 *
 * @param data all bytes of the header
 * @param offset where they lie in the archive, for errors
 * @throws FormatError `CPIO_FIELD`, naming the field that is not a number
 */
export function decodeCpioHeader(data: Buffer, format: CpioFormat, offset: number): CpioHeader {
  const field = format === 'odc' ? odcFields(data, offset) : newcFields(data, offset);
  return {
    format,
    device: field('device'),
    ino: field('ino'),
    mode: field('mode'),
    uid: field('uid'),
    gid: field('gid'),
    nlink: field('nlink'),
    mtimeSeconds: field('mtime'),
    nameSize: field('nameSize'),
    fileSize: field('fileSize'),
    checksum: format === 'crc' ? field('check') : 0,
  };
}

/** Returns the sum of bytes that `crc` archives have, modulo 2^32, gone on from `sum`. */
export function addToChecksum(sum: number, bytes: Buffer): number {
  let added = sum;
  for (const byte of bytes) added = (added + byte) >>> 0;
  return added;
}

type FieldReader = (
  name: 'device' | 'ino' | 'mode' | 'uid' | 'gid' | 'nlink' | 'mtime' | 'nameSize' | 'fileSize' | 'check',
) => number;

function odcFields(data: Buffer, offset: number): FieldReader {
  const values = new Map<string, number>();
  for (const { name, offset: at, width } of ODC_HEADER.fields) {
    if (name !== 'magic')
      values.set(name === 'dev' ? 'device' : name, digits(data, { name, at, width, radix: 8 }, offset));
  }
  return (name) => values.get(name) as number;
}

function newcFields(data: Buffer, offset: number): FieldReader {
  const values = new Map<string, number>();
  for (const [index, name] of NEWC_FIELDS.entries()) {
    values.set(name, digits(data, { name, at: CPIO_MAGIC_SIZE + index * 8, width: 8, radix: 16 }, offset));
  }
  values.set('device', (values.get('devMajor') as number) * 2 ** 32 + (values.get('devMinor') as number));
  return (name) => values.get(name) as number;
}

interface Digits {
  readonly name: string;
  readonly at: number;
  readonly width: number;
  readonly radix: 8 | 16;
}

function digits(data: Buffer, { name, at, width, radix }: Digits, offset: number): number {
  const text = data.toString('latin1', at, at + width);
  const pattern = radix === 8 ? /^[0-7]+$/ : /^[0-9A-Fa-f]+$/;
  if (!pattern.test(text)) {
    const kind = radix === 8 ? 'octal' : 'hexadecimal';
    const problem = `expected ${name} of ${width} ${kind} digits, found ${JSON.stringify(text)}`;
    throw new FormatError('CPIO_FIELD', 'CpioHeader', offset + at, problem);
  }
  return Number.parseInt(text, radix);
}
