import { createHash } from 'node:crypto';
import { FormatError } from '../base/errors.ts';
import { FileKindObserver } from '../base/input/file-kind-observer.ts';
import { beyond, LIMITS } from '../base/input/limits.ts';
import { FileIndex, type IndexedEntry, isDocument } from '../code-signature/verify/file-index.ts';
import type { CpioEntry } from '../cpio/read.ts';
import { isCode, MACHO_HEAD_SIZE } from '../macho/first-bytes.ts';
import { PathSurvey } from '../package/path-survey.ts';
import { attributeNames, isAppleDouble, metadataPartner } from '../tree/apple-double.ts';
import type { PayloadEntry } from '../tree/entry.ts';

/** What is known of the content of a file once its bytes have passed. */
export interface FileContent {
  readonly size: number;
  readonly sha1: Buffer;
  readonly sha256: Buffer;
  /** The first bytes, as many as tell whether it is code or metadata. */
  readonly head: Buffer;
  readonly isPackage: boolean;
  /** What it may hold that nobody looks into, in words. */
  readonly closed: string | undefined;
  /** Of the documents that checking a bundle needs. */
  readonly content: Buffer | undefined;
}

/** One entry of a payload or Scripts archive, as the archive has it. */
export interface PayloadPath {
  /** `.` or `./a/b` */
  readonly path: string;
  readonly kind: PayloadEntry['kind'];
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whether it is a Mach-O file, by its first bytes. */
  readonly code: boolean;
  /** Of a file. */
  readonly file?: FileContent;
  /** Where a symbolic link leads. */
  readonly target?: string;
}

/** Bytes of a file's head that are kept: enough for its kind. */
const KEPT_HEAD = 32;
/** Signatures of scripts lie in these. Source: Security-61901 filediskrep.cpp. */
const SIGNATURE_ATTRIBUTE = /^com\.apple\.cs\./;

/** Everything that one reading of an archive tells of its tree, whoever reads the bytes meanwhile. */
export class Tree {
  readonly paths: PayloadPath[] = [];
  /** Entries that two readers would lay down in two ways. */
  readonly conflicts: string[] = [];
  readonly #survey = new PathSurvey();
  /** Names by device and number of files that have more than one, with the digest of each. */
  readonly #links = new Map<string, { readonly path: string; readonly sha256: Buffer }>();
  readonly #entryLimit: number;
  #kept = 0;
  #pathBytes = 0;

  /** @param entryLimit most entries that are looked at */
  constructor(entryLimit: number) {
    this.#entryLimit = entryLimit;
  }

  /** Passes entries on and notes what each of them is. */
  async *observe(entries: AsyncIterable<CpioEntry>): AsyncGenerator<CpioEntry> {
    for await (const entry of entries) {
      if (this.paths.length >= this.#entryLimit) throw beyond('cpio archive', 'entries', this.#entryLimit);
      const observer = new ContentObserver(entry.kind === 'symlink' || isKept(entry.path));
      yield { ...entry, data: observer.tap(entry.data) };
      this.#note(entry, observer);
    }
  }

  /** Files that are the metadata of another one, with the names of their extended attributes: AppleDouble, as pkgbuild writes them. */
  get metadata(): ReadonlyMap<string, readonly string[]> {
    const known = new Set(this.paths.map(({ path }) => path));
    const found = new Map<string, readonly string[]>();
    for (const { path, file } of this.paths) {
      const partner = metadataPartner(path);
      if (!file || partner === undefined || !known.has(partner) || !isAppleDouble(file.head)) continue;
      found.set(path, file.content ? attributeNames(file.content) : []);
    }
    return found;
  }

  /** Files whose signature lies in extended attributes, by the paths that the index has. */
  get signedByAttributes(): ReadonlySet<string> {
    const signed = [...this.metadata].filter(([, names]) => names.some((name) => SIGNATURE_ATTRIBUTE.test(name)));
    return new Set(signed.map(([path]) => relativePath(metadataPartner(path) as string)));
  }

  /** Files and links as code is checked among them; metadata is merged into its partner when a Mac lays it down, and is not a file. */
  index(): FileIndex {
    const { metadata } = this;
    const entries = this.paths.flatMap(({ path, file, target, code }): IndexedEntry[] => {
      if (target !== undefined) return [{ path: relativePath(path), symlink: target }];
      if (!file || metadata.has(path)) return [];
      const { sha1, sha256, content } = file;
      return [{ path: relativePath(path), sha1, sha256, code, content }];
    });
    return new FileIndex(entries);
  }

  #note({ path, kind, mode, header }: CpioEntry, observer: ContentObserver): void {
    const file = observer.finish();
    this.#kept += file.content?.length ?? 0;
    if (this.#kept > LIMITS.documentBytes * 2)
      throw beyond('cpio archive', 'bytes of documents', LIMITS.documentBytes * 2);
    this.#claim(path, kind);
    if (kind === 'symlink') this.#countBytes(file.size);
    const misspelled = misspelledPart(path);
    if (misspelled) this.conflicts.push(misspelled);
    const { uid, gid } = header;
    const common = { path, kind, mode, uid, gid };
    if (kind === 'file') {
      this.#noteLinks(path, header, file);
      const code = isCode(file.head);
      this.paths.push({ ...common, code, file: { ...file, head: Buffer.from(file.head.subarray(0, KEPT_HEAD)) } });
    } else if (kind === 'symlink') {
      this.paths.push({ ...common, code: false, target: file.content?.toString('utf8') ?? '' });
    } else this.paths.push({ ...common, code: false });
  }

  #claim(path: string, kind: PayloadEntry['kind']): void {
    let found = 1;
    try {
      found = this.#survey.claim(path, kind);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.conflicts.push(error.message);
    }
    // Folders above it that have no entry are new paths too.
    this.#countBytes(Math.max(1, found) * path.length);
  }

  /** Of paths and of what links say. */
  #countBytes(bytes: number): void {
    this.#pathBytes += bytes;
    const most = this.#entryLimit * LIMITS.pathBytesPerEntry;
    if (this.#pathBytes > most) throw beyond('cpio archive', 'bytes of paths', most);
  }

  /** Readers that join hard links give both names the same bytes; we and others read each by itself. */
  #noteLinks(path: string, { device, ino, nlink }: CpioEntry['header'], { sha256 }: FileContent): void {
    if (nlink < 2) return;
    const key = `${device}/${ino}`;
    const first = this.#links.get(key);
    if (!first) this.#links.set(key, { path, sha256 });
    else if (!first.sha256.equals(sha256)) {
      this.conflicts.push(
        `${JSON.stringify(first.path)} and ${JSON.stringify(path)} are hard links to one file, and differ`,
      );
    }
  }
}

/** Parts of a bundle that macOS finds by these names; most disks take capitals for small letters, and some do not. */
const BUNDLE_PART = /(^|\/)(Contents\/(Info\.plist|_CodeSignature\/CodeResources))$/i;
/** Source: CFBundle_InfoPlist.c: where the file for the platform is there, the other one is not read. */
const PLATFORM_PART = /(^|\/)Contents\/Info-macos\.plist$/i;

/** Returns why a file means one thing to one Mac and another to the next by how it is spelled. */
function misspelledPart(path: string): string | undefined {
  const [, , found = '', name = ''] = BUNDLE_PART.exec(path) ?? [];
  const usual = name.toLowerCase() === 'info.plist' ? 'Contents/Info.plist' : 'Contents/_CodeSignature/CodeResources';
  if (found !== '' && found !== usual)
    return `${JSON.stringify(path)} is ${usual} on most disks of a Mac, and nothing on others`;
  return PLATFORM_PART.test(path)
    ? `${JSON.stringify(path)} is read by macOS in place of the Info.plist beside it`
    : undefined;
}

/** Returns a path of an archive as it is written elsewhere: without `./`, the root empty. */
export function relativePath(path: string): string {
  return path === '.' ? '' : path.replace(/^\.\//, '');
}

/** Whether the content of a file is kept: documents of bundles, and metadata. */
function isKept(path: string): boolean {
  return isDocument(path) || metadataPartner(path) !== undefined;
}

/** Sees the bytes of one file pass. */
class ContentObserver {
  readonly #sha1 = createHash('sha1');
  readonly #sha256 = createHash('sha256');
  readonly #kind = new FileKindObserver();
  /** Undefined where the content is not kept, or is longer than a document may be. */
  #parts: Buffer[] | undefined;
  #head = Buffer.alloc(0);
  #size = 0;

  constructor(keep: boolean) {
    this.#parts = keep ? [] : undefined;
  }

  async *tap(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      this.#see(chunk);
      yield chunk;
    }
  }

  finish(): FileContent {
    return {
      size: this.#size,
      sha1: this.#sha1.digest(),
      sha256: this.#sha256.digest(),
      head: this.#head,
      isPackage: this.#kind.kind === 'package',
      closed: this.#kind.closed,
      content: this.#parts && Buffer.concat(this.#parts),
    };
  }

  #see(chunk: Buffer): void {
    this.#sha1.update(chunk);
    this.#sha256.update(chunk);
    this.#kind.update(chunk);
    if (this.#head.length < MACHO_HEAD_SIZE) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, MACHO_HEAD_SIZE - this.#head.length)]);
    }
    this.#size += chunk.length;
    if (this.#size > LIMITS.documentBytes) this.#parts = undefined;
    this.#parts?.push(Buffer.from(chunk));
  }
}
