import { FormatError } from '../errors.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** A package below this size costs 300 MiB of memory and 10 s of one processor at most; see `LIMITS` and `WorkBudget`. */
export const SMALL_PACKAGE = 20 * MIB;

/**
 * Everything that a file decides and that costs memory or time, and the most of it that is looked at.
 *
 * Beyond a limit a file is refused with the limit named. Each is many times what honest packages have (the largest seen stands beside
 * it), and small enough that a hostile one of 20 MB stays below 300 MiB and 10 s: the table in `test/bench/bombs/` shows it.
 */
export const LIMITS = {
  /** Bytes of a TOC as XML; 100 KB seen. One byte of XML becomes up to 20 of memory. */
  tocBytes: 4 * MIB,
  /** Elements of any XML document; 3,000 seen in a TOC. Each takes some 400 bytes of memory. */
  xmlElements: 100_000,
  /** Elements of a property list: 8 for each file of a CodeResources. */
  propertyListElements: 320_000,
  /** Attributes of any XML document; as many as elements in a PackageInfo. */
  xmlAttributes: 100_000,
  /** Elements inside each other; 12 seen. */
  xmlDepth: 64,
  /** Bytes of any XML document, such as an Info.plist or CodeResources; 8 MB seen (CodeResources of an office suite). */
  documentBytes: 16 * MIB,
  /** Bytes of a Distribution or PackageInfo in a package that is small; see `packageDocumentBytesOf`. 300 KB seen. */
  packageDocumentBytes: 4 * MIB,
  /** Bytes of a Bom in a package that is small; a Bom of 20,000 paths has 4 MB; see `bomBytesOf`. */
  bomBytes: 12 * MIB,
  /** Blocks of a Bom, and how many more a large one may have: they hold 30 bytes each in honest ones. */
  bomBlocks: 100_000,
  bomBytesPerBlock: 24,
  /** Components of one product; 120 seen. */
  components: 1000,
  /** Entries of all archives of a package that is small; more are read of a larger one, see `entriesOf`. */
  entries: 60_000,
  /** Bytes of all their paths, of folders that have no entry too, for each entry that is allowed; 90 seen. */
  pathBytesPerEntry: 300,
  /** Bytes of a path in a xar archive; PATH_MAX of macOS (sys/syslimits.h). */
  memberPathBytes: 1024,
  /** Links of a package whose ends a policy asks for; 2,000 seen. */
  links: 20_000,
  /** Bytes of all their targets, for each link that is allowed. */
  linkBytesPerLink: 100,
  /** Certificates in a TOC for one signature; 4 seen. */
  certificates: 50,
  /** Values of an ASN.1 encoding; 900 seen (a CMS with its timestamp). */
  asn1Values: 4000,
  /** Bytes that a CMS usually has at most, with its timestamp. */
  cmsBytes: 12 * KIB,
  /** Digests in a ticket; some for each program. */
  ticketDigests: 20_000,
  /** Bytes of a Mach-O file that are held at once, in a package that is small; see `codeBytesOf`. 60 MB seen in one of 20 MB. */
  codeBytes: 96 * MIB,
  /** Bytes of all load commands of a Mach-O file; 60 KB seen. */
  loadCommandBytes: 4 * MIB,
  /** Bytes of a signature's SuperBlob; 3 MB seen (a program of 300 MB). */
  superBlobBytes: 32 * MIB,
  /** Slices of a universal file: what fits in the page that the kernel reads. Source: xnu bsd/kern/mach_fat.c. */
  slices: 204,
  /** Slices and inner packages that are checked of a small package; 400 seen (a Python framework); see `signaturesOf`. */
  signatures: 1000,
  /** Bundles inside each other; 5 seen. */
  bundleDepth: 8,
  /** Packages inside each other, in a payload or among scripts; 1 seen. */
  packageDepth: 2,
  /** Bytes of a package inside a package that is small; see `nestedPackageBytesOf`. */
  nestedPackageBytes: 32 * MIB,
  /** Bytes of scripts that are kept as text, all together; 300 KB seen. */
  scriptBytes: 16 * MIB,
  /** Bytes of an AppleDouble file; its attributes may have 128 KiB. */
  appleDoubleBytes: 1 * MIB,
} as const;

/** Returns how many entries the archives of a package may have: one for every 200 bytes of a large one. */
export function entriesOf(packageSize: number): number {
  return Math.max(LIMITS.entries, Math.floor(packageSize / 200));
}

/** Returns how many bytes of a Mach-O file are held at once: programs shrink to a quarter at best. */
export function codeBytesOf(packageSize: number): number {
  return Math.max(LIMITS.codeBytes, 4 * packageSize);
}

/** Returns how many bytes a package inside a package may have: it is compressed already. */
export function nestedPackageBytesOf(packageSize: number): number {
  return Math.max(LIMITS.nestedPackageBytes, 2 * packageSize);
}

/** Returns how many bytes a Bom or another document of a package may have: a path takes 200 of them, its file at least as many. */
export function bomBytesOf(packageSize: number): number {
  return Math.max(LIMITS.bomBytes, packageSize);
}

/** Returns how many bytes a Distribution or PackageInfo may have. */
export function packageDocumentBytesOf(packageSize: number): number {
  return Math.max(LIMITS.packageDocumentBytes, Math.floor(packageSize / 100));
}

/** Returns how many slices are checked, and packages inside a package: a signature costs some 5 ms, a byte of code none. */
export function signaturesOf(packageSize: number): number {
  return Math.max(LIMITS.signatures, Math.floor(packageSize / 20_000));
}

/** What decoding a byte costs, one inflated byte being 1. Measured: zlib 300 MB/s, xz in WebAssembly 80, bzip2 in JavaScript 15. */
export const WORK = {
  ...{ stored: 0.3, gzip: 1, xz: 4, bzip2: 20 },
  /** Hashed once more, for each code directory. */
  hash: 0.5,
  /** Searched for mechanisms, in each reading. */
  search: 4,
  /** Of opcodes and chained fixups, read one by one. */
  fixups: 40,
  /** Of a CMS as large as they usually are, and of what it has beyond that: each certificate is read, and may have signed another. */
  cms: 200,
  largeCms: 400,
} as const;

/** Bytes that are inflated, all readings together, whatever the size of the package. */
const SMALL_WORK = 1024 * MIB;
/** And for each byte of a larger package; a payload is read twice, and shrinks to a tenth at best. */
const WORK_PER_BYTE = 50;

/**
 * How much may still be decoded out of a package: deflate reaches 1,032 to 1, twice in a row a million to one.
 *
 * @example
 * const budget = new WorkBudget(access.size);
 * budget.spend(chunk.length, WORK.gzip); // throws FormatError SIZE_LIMIT once the package costs too much
 */
export class WorkBudget {
  readonly #total: number;
  #left: number;

  constructor(packageSize: number) {
    this.#total = Math.max(SMALL_WORK, WORK_PER_BYTE * packageSize);
    this.#left = this.#total;
  }

  spend(bytes: number, cost: number): void {
    this.#left -= bytes * cost;
    if (this.#left >= 0) return;
    throw beyond(
      'flat package',
      `bytes decoded in all (xz counts ${WORK.xz} times, bzip2 ${WORK.bzip2} times)`,
      this.#total,
    );
  }
}

/** Returns the error for a file that has more of something than is looked at. */
export function beyond(format: string, what: string, limit: number): FormatError {
  return new FormatError('SIZE_LIMIT', format, 0, `expected at most ${limit} ${what}, found more`, {
    hint: 'Honest packages stay far below this limit. If this one is honest, check it on a Mac: pkgutil --check-signature.',
  });
}
