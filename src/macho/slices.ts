/** One architecture inside a Mach-O file, as its header says. */
export interface MachoSlice {
  readonly cpuType: number;
  readonly cpuSubtype: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
}

/** What a file is, seen from its first bytes. */
export interface MachoSlices {
  readonly kind: 'none' | 'thin' | 'fat';
  /** Empty for `none`, one for `thin`. */
  readonly slices: readonly MachoSlice[];
}

/** Most slices a fat file may have here; real ones have up to five. */
const SLICES_MAX = 16;
/** fat_arch is five 32-bit numbers. Source: mach-o/fat.h. */
const FAT_ARCH_SIZE = 20;
const FAT_HEADER_SIZE = 8;

/** Bytes of a file that `machoSlices` needs to see. */
export const MACHO_HEAD_SIZE = FAT_HEADER_SIZE + SLICES_MAX * FAT_ARCH_SIZE;

/** Sources: mach-o/loader.h (MH_MAGIC, MH_MAGIC_64), mach-o/fat.h (FAT_MAGIC). */
const MH_MAGIC = 0xfeedface;
const MH_MAGIC_64 = 0xfeedfacf;
const FAT_MAGIC = 0xcafebabe;
/** Size of mach_header; the 64-bit one has four bytes more. */
const MACH_HEADER_SIZE = 28;

/**
 * Returns the architectures of a file by its first bytes, for its Bom record.
 *
 * A fat header that cannot be true (slices outside the file, over each other, none or too many) makes the file `none`, as is a Java
 * class, which begins with the same four bytes: its next number is a version of 45 or more. The 64-bit fat header (FAT_MAGIC_64) is
 * `none` too, as no Bom with one was ever seen.
 *
 * @param head the first MACHO_HEAD_SIZE bytes, or the whole file when it is shorter
 * @param fileSize bytes in the whole file
 * @example machoSlices(head, 200_000) // { kind: 'thin', slices: [{ cpuType: 0x0100000c, cpuSubtype: 0, offset: 0, size: 200000 }] }
 */
export function machoSlices(head: Buffer, fileSize: number): MachoSlices {
  if (head.length < MACH_HEADER_SIZE) return NONE;
  const magic = head.readUInt32BE(0);
  if (magic === FAT_MAGIC) return fatSlices(head, fileSize);
  if (magic === MH_MAGIC || magic === MH_MAGIC_64) {
    return thin(head.readUInt32BE(4), head.readUInt32BE(8), fileSize);
  }
  const swapped = head.readUInt32LE(0);
  if (swapped === MH_MAGIC || swapped === MH_MAGIC_64) {
    return thin(head.readUInt32LE(4), head.readUInt32LE(8), fileSize);
  }
  return NONE;
}

const NONE: MachoSlices = { kind: 'none', slices: [] };

function thin(cpuType: number, cpuSubtype: number, size: number): MachoSlices {
  return { kind: 'thin', slices: [{ cpuType, cpuSubtype, offset: 0, size }] };
}

function fatSlices(head: Buffer, fileSize: number): MachoSlices {
  const count = head.readUInt32BE(4);
  const headerEnd = FAT_HEADER_SIZE + count * FAT_ARCH_SIZE;
  if (count === 0 || count > SLICES_MAX || headerEnd > head.length) return NONE;
  const slices: MachoSlice[] = [];
  for (let at = FAT_HEADER_SIZE; at < headerEnd; at += FAT_ARCH_SIZE) {
    slices.push({
      cpuType: head.readUInt32BE(at),
      cpuSubtype: head.readUInt32BE(at + 4),
      offset: head.readUInt32BE(at + 8),
      size: head.readUInt32BE(at + 12),
    });
  }
  let end = headerEnd;
  for (const slice of slices.toSorted((a, b) => a.offset - b.offset)) {
    if (slice.offset < end || slice.size === 0) return NONE;
    end = slice.offset + slice.size;
  }
  return end <= fileSize ? { kind: 'fat', slices } : NONE;
}
