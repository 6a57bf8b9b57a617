import { fromBuffer } from '../../base/bytes.ts';
import type { CheckList } from '../../base/check.ts';
import { FormatError } from '../../base/errors.ts';
import { gunzipMember } from '../../cpio/gunzip.ts';
import { GZIP_HEADER } from '../../cpio/gzip.ts';
import { type CpioHeader, ODC_HEADER } from '../../cpio/header.ts';
import { readCpio } from '../../cpio/read.ts';
import { writeCpio } from '../../cpio/write.ts';
import { FILE_TYPE_BITS, type PayloadEntry } from '../../tree/entry.ts';
import type { FileFacts } from '../../tree/file-facts.ts';
import { memberSource, type XarArchive } from '../../xar/read.ts';
import type { XarMember } from '../../xar/toc.ts';
import { readAbout } from '../read-about.ts';
import { bytesAt, firstDifference } from './difference.ts';

/** One path that a tree of ours must have. Its content alone is taken from the package. */
export type OwnPath = Pick<PayloadEntry, 'path' | 'mode' | 'uid' | 'gid' | 'mtimeSeconds'> & {
  readonly kind: 'file' | 'directory';
};

/** A tree of ours, read back. */
export interface OwnTree {
  readonly entries: readonly PayloadEntry[];
  readonly contents: ReadonlyMap<string, Buffer>;
  /** Of each file, by path. */
  readonly facts: ReadonlyMap<string, FileFacts>;
}

/** How closely a tree is held to the form. */
export interface TreeForm {
  /** Whether every byte must be that of our writer. */
  readonly exact: boolean;
  /** Whether owners must be right where bytes need not be: pkgbuild keeps that of whoever builds in the archive of scripts. */
  readonly owners: boolean;
}

/** Bytes of an unpacked tree; none of ours comes near it. */
export const TREE_LIMIT = 32 * 1024 * 1024;

/**
 * Checks a Payload or Scripts member: given the contents of its files, our writers make this very archive, from the first header to
 * the last padding byte, and gzip's header. The deflate stream inside is left to the version of zlib.
 *
 * @param id of the check
 * @param paths all that the tree must hold
 * @param form what Apple's tools made need not be the same bytes
 * @returns the tree with its contents; undefined when it cannot be read
 */
export async function checkOwnTree(
  list: CheckList,
  id: string,
  archive: XarArchive,
  member: XarMember,
  paths: readonly OwnPath[],
  form: TreeForm,
): Promise<OwnTree | undefined> {
  return readAbout(list, id, async () => {
    const { data } = member;
    if (!data) throw new FormatError('FORMAT_TRUNCATED', 'Gzip', 0, `${member.path} is empty`);
    const found = await inflated(archive, member);
    const places = await placesIn(found);
    const contents = new Map(places.map(({ path, content }) => [path, content]));
    const entries = paths.map((path) => entryOf(path, contents));
    const facts = new Map<string, FileFacts>();
    const expected: Buffer[] = [];
    for await (const chunk of writeCpio(entries, ({ path }, fact) => facts.set(path, fact)))
      expected.push(Buffer.from(chunk));
    list.check(id, [
      ...pathProblems(places, paths),
      ...(form.exact
        ? [headProblem(await headOf(archive, data)), difference(found, Buffer.concat(expected), places)]
        : places.flatMap((place) => valueProblems(place, paths, form))),
    ]);
    return { entries, contents, facts };
  });
}

function headProblem(head: Buffer): string | false {
  return !head.equals(GZIP_HEADER) && `gzip header ${head.toString('hex')}, expected ${GZIP_HEADER.toString('hex')}`;
}

/** What Apple's tools must write as we do: kind, mode and owner. They have an order, times and numbers of their own. */
function valueProblems({ path, header }: Place, paths: readonly OwnPath[], { owners }: TreeForm): (string | false)[] {
  const own = paths.find((each) => each.path === path);
  if (!own) return [];
  const mode = FILE_TYPE_BITS[own.kind] | own.mode;
  return [
    header.mode !== mode && `${path} has mode ${header.mode.toString(8)}, expected ${mode.toString(8)}`,
    owners &&
      (header.uid !== own.uid || header.gid !== own.gid) &&
      `${path} belongs to ${header.uid}:${header.gid}, expected ${own.uid}:${own.gid}`,
  ];
}

function headOf(archive: XarArchive, { offset, length }: { offset: number; length: number }): Promise<Buffer> {
  return archive.access.read(archive.heapStart + offset, Math.min(length, GZIP_HEADER.length));
}

async function inflated(archive: XarArchive, member: XarMember): Promise<Buffer> {
  const parts: Buffer[] = [];
  // Stored as it is: the TOC says so, or `form-toc` fails.
  for await (const chunk of gunzipMember(memberSource(archive, member).chunks(), { maxBytes: TREE_LIMIT }))
    parts.push(chunk);
  return Buffer.concat(parts);
}

/** An entry of the archive as it was found. */
interface Place {
  readonly path: string;
  readonly content: Buffer;
  /** Bytes from the start of the archive. */
  readonly offset: number;
  readonly header: CpioHeader;
}

async function placesIn(archive: Buffer): Promise<Place[]> {
  const places: Place[] = [];
  for await (const { path, offset, header, data } of readCpio(fromBuffer(archive).chunks())) {
    const parts: Buffer[] = [];
    for await (const chunk of data) parts.push(Buffer.from(chunk));
    places.push({ path, offset, header, content: Buffer.concat(parts) });
  }
  return places;
}

/** What people ask first of a tree; the comparison of bytes finds it too, but with other words. */
function pathProblems(places: readonly Place[], paths: readonly OwnPath[]): (string | false)[] {
  const found = places.map(({ path }) => path);
  return [
    ...found.map((path, at) => found.indexOf(path) < at && `${path} is there twice`),
    ...found.map((path) => !paths.some((own) => own.path === path) && `${path} does not belong in it`),
    ...paths.map(({ path }) => !found.includes(path) && `${path} is missing`),
  ];
}

function entryOf({ kind, ...facts }: OwnPath, contents: ReadonlyMap<string, Buffer>): PayloadEntry {
  if (kind === 'directory') return { ...facts, kind };
  return { ...facts, kind, source: fromBuffer(contents.get(facts.path) ?? Buffer.alloc(0)) };
}

function difference(found: Buffer, expected: Buffer, places: readonly Place[]): string | undefined {
  const at = firstDifference(found, expected);
  if (at === undefined) return undefined;
  const place = places.findLast(({ offset }) => offset <= at);
  const values = `expected ${bytesAt(expected, at)}, found ${bytesAt(found, at)}`;
  return `inflated, byte ${at}, ${place ? partOf(place, at) : 'at the start'}: ${values}`;
}

function partOf({ path, offset, header, content }: Place, at: number): string {
  const inside = at - offset;
  const nameEnd = ODC_HEADER.size + header.nameSize;
  if (inside >= nameEnd + content.length) return `behind ${path}, where the trailer and its padding are`;
  if (inside >= nameEnd) return `in the content of ${path}`;
  if (inside >= ODC_HEADER.size) return `in the name of ${path}`;
  const field = ODC_HEADER.fields.find((each) => inside >= each.offset && inside < each.offset + each.width);
  return `in the header of ${path}, field ${field?.name}`;
}
