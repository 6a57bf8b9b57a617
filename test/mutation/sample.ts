import { inflateSync } from 'node:zlib';
import { fromBuffer } from '../../src/base/bytes.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { bomRecords } from '../../src/bom/payload-records.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { payloadCounters } from '../../src/package/counters.ts';
import { cpioEntries, memberData, openPackage } from '../../src/package/open-package.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { FileEntry, PayloadEntry } from '../../src/tree/entry.ts';
import type { FileFacts } from '../../src/tree/file-facts.ts';
import { findMember, type XarArchive } from '../../src/xar/read.ts';
import { resignXar } from '../../src/xar/resign.ts';
import type { XarMember } from '../../src/xar/toc.ts';
import { reservedSize, type SignatureReservation } from '../../src/xar/toc-render.ts';
import {
  deflatedFile,
  directory,
  emitXar,
  finishLayout,
  layoutXar,
  storedFile,
  type XarEntry,
} from '../../src/xar/write.ts';
import { parseXml } from '../../src/xml/xml.ts';
import { type Signature, usualSignature } from './signing.ts';

/** The members of a product with one component, before they go into an archive. */
export interface Parts {
  readonly distribution: Buffer;
  readonly bom: Buffer;
  readonly payload: Buffer;
  readonly scripts: Buffer;
  readonly packageInfo: Buffer;
}

/** A finished package, taken apart, and what is needed to put a changed one together again. */
export interface Sample {
  readonly file: Buffer;
  readonly archive: XarArchive;
  readonly folder: string;
  readonly parts: Parts;
  readonly payload: readonly PayloadEntry[];
  readonly scripts: readonly PayloadEntry[];
  readonly authority: RehearsalAuthority;
}

/** Takes a finished package apart. Its staple is left out: the table has changes of a staple of its own. */
export async function openSample(finished: Buffer, authority: RehearsalAuthority): Promise<Sample> {
  const { trailing } = (await openPackage(accessBuffer(finished))).archive;
  const file = finished.subarray(0, trailing.offset);
  const opened = await openPackage(accessBuffer(file));
  const { archive, components } = opened;
  const { folder } = components[0]!;
  const data = (path: string) => memberData(archive, findMember(archive, path) as XarMember);
  const inside = (name: string) => data(`${folder}/${name}`);
  const parts = {
    distribution: await data('Distribution'),
    bom: await inside('Bom'),
    payload: await inside('Payload'),
    scripts: await inside('Scripts'),
    packageInfo: await inside('PackageInfo'),
  };
  const entries = async (name: string) =>
    payloadEntries(archive, findMember(archive, `${folder}/${name}`) as XarMember);
  return {
    file,
    archive,
    folder,
    parts,
    payload: await entries('Payload'),
    scripts: await entries('Scripts'),
    authority,
  };
}

async function payloadEntries(archive: XarArchive, member: XarMember): Promise<PayloadEntry[]> {
  const entries: PayloadEntry[] = [];
  for await (const { path, kind, mode, header, data } of cpioEntries(archive, member)) {
    const { uid, gid, mtimeSeconds } = header;
    const common = { path, mode, uid, gid, mtimeSeconds };
    const content = await collect(data);
    if (kind === 'directory') entries.push({ ...common, kind });
    else if (kind === 'symlink') entries.push({ ...common, kind, target: content.toString() });
    else entries.push({ ...common, kind, source: fromBuffer(content) });
  }
  return entries;
}

/** Returns a package of changed parts whose outer checksums and signatures are right, or wrong in one way. */
export async function assemble(
  sample: Sample,
  changed: Partial<Parts>,
  signature: Signature = usualSignature(sample.authority),
  more: { readonly top?: readonly XarEntry[]; readonly inside?: readonly XarEntry[] } = {},
): Promise<Buffer> {
  const parts = { ...sample.parts, ...changed };
  const { creationTime = 0 } = sample.archive;
  const attributes = { mode: 0o700, uid: 0, gid: 0, mtime: creationTime };
  const members = [
    deflatedFile('Bom', parts.bom),
    storedFile('Payload', parts.payload),
    storedFile('Scripts', parts.scripts),
    deflatedFile('PackageInfo', parts.packageInfo),
    ...(more.inside ?? []),
  ];
  const entries = [
    deflatedFile('Distribution', parts.distribution),
    directory(sample.folder, members, attributes),
    ...(more.top ?? []),
  ];
  const signatures: readonly SignatureReservation[] = signature.rooms;
  const layout = layoutXar(entries, { creationTime, signatures });
  return collect(emitXar(layout, await signature.sign(layout.tocDigest)));
}

/** Returns the package with bytes between two members that belong to neither, signed again. */
export async function withGap(sample: Sample): Promise<Buffer> {
  const { archive, authority } = sample;
  const signature = usualSignature(authority);
  const without = resignXar(archive, { signatures: signature.rooms });
  const last = Math.max(...archive.members.map(({ data }) => data?.offset ?? 0));
  const moved = textOfToc(without.compressedToc).replace(
    new RegExp(`<offset>(${last + reservedSize('sha1', signature.rooms) - firstData(archive)})</offset>`),
    (_, offset) => `<offset>${Number(offset) + 16}</offset>`,
  );
  const heap = await collect(emitHeap(archive));
  const at = last - firstData(archive);
  const parts = [heap.subarray(0, at), Buffer.alloc(16), heap.subarray(at)].map(fromBuffer);
  const layout = finishLayout(parseXml(moved, 'TOC'), { checksum: 'sha1', signatures: signature.rooms, heap: parts });
  return collect(emitXar(layout, await signature.sign(layout.tocDigest)));
}

const textOfToc = (compressed: Buffer) => inflateSync(compressed).toString();
const firstData = ({ signatures }: XarArchive) => Math.max(...signatures.map(({ range }) => range.offset + range.size));

async function* emitHeap(archive: XarArchive): AsyncGenerator<Buffer> {
  const start = archive.heapStart + firstData(archive);
  yield await archive.access.read(start, archive.heapStart + archive.heapSize - start);
}

/** Returns a package with another payload; Bom, counters and, by default, PackageInfo's numbers follow it. */
export async function withPayload(
  sample: Sample,
  entries: readonly PayloadEntry[],
  changed: Partial<Parts> = {},
): Promise<Buffer> {
  return assemble(sample, { ...(await payloadParts(sample, entries)), ...changed });
}

/** Returns Payload, Bom and the two documents that count what is in them. */
export async function payloadParts(sample: Sample, entries: readonly PayloadEntry[]): Promise<Partial<Parts>> {
  const facts = new Map<string, FileFacts>();
  const payload = await collect(
    gzipMember(
      writeCpio(entries, (entry, found) => facts.set(entry.path, found)),
      { level: 1 },
    ),
  );
  const records = bomRecords(entries, facts);
  const { numberOfFiles, installKBytes } = payloadCounters(records);
  const count = (text: Buffer) =>
    Buffer.from(
      text
        .toString()
        .replace(/numberOfFiles="\d+"/, `numberOfFiles="${numberOfFiles}"`)
        .replace(/installKBytes="\d+"/, `installKBytes="${installKBytes}"`),
    );
  const { packageInfo, distribution } = sample.parts;
  return { payload, bom: encodeBom(records), packageInfo: count(packageInfo), distribution: count(distribution) };
}

/** Returns a Scripts member of entries. */
export function packScripts(entries: readonly PayloadEntry[]): Promise<Buffer> {
  return collect(gzipMember(writeCpio(entries), { level: 1 }));
}

/** Returns entries with one of them changed. */
export function changeEntry(
  entries: readonly PayloadEntry[],
  path: string,
  change: (entry: PayloadEntry) => PayloadEntry,
): PayloadEntry[] {
  if (!entries.some((entry) => entry.path === path)) throw new Error(`no entry ${path}`);
  return entries.map((entry) => (entry.path === path ? change(entry) : entry));
}

/** Returns entries with the content of one file replaced. */
export async function changeFile(
  entries: readonly PayloadEntry[],
  path: string,
  change: (content: Buffer) => Buffer,
): Promise<PayloadEntry[]> {
  const content = await contentOf(entries, path);
  return changeEntry(entries, path, (entry) => ({ ...entry, source: fromBuffer(change(content)) }) as FileEntry);
}

/** Returns the bytes of a file. */
export async function contentOf(entries: readonly PayloadEntry[], path: string): Promise<Buffer> {
  const entry = entries.find((candidate) => candidate.path === path);
  if (entry?.kind !== 'file') throw new Error(`no file ${path}`);
  return collect(entry.source.chunks());
}

/** Returns a copy with one bit of one byte changed. */
export function flip(data: Buffer, offset: number, bit = 1): Buffer {
  const copy = Buffer.from(data);
  copy[offset] = (copy[offset] as number) ^ bit;
  return copy;
}

export async function collect(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}
