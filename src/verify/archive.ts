import type { CheckList } from '../base/check.ts';
import { FormatError } from '../base/errors.ts';
import type { WorkBudget } from '../base/input/limits.ts';
import type { ByteRange, RandomAccess } from '../base/random-access.ts';
import { PathSurvey } from '../package/path-survey.ts';
import { type ChecksumStyle, isWeak, XAR_HEADER } from '../xar/layout.ts';
import { extractMember, readXar, type XarArchive } from '../xar/read.ts';
import type { XarMember } from '../xar/toc.ts';
import type { OurForm } from './expectations.ts';
import { readAbout } from './read-about.ts';

/** Returns the archive when header, TOC and TOC digest are right, and checks these; undefined when they are not. */
export async function checkArchive(
  list: CheckList,
  access: RandomAccess,
  budget: WorkBudget,
): Promise<XarArchive | undefined> {
  try {
    const archive = await readXar(access, budget);
    const open = archive.header.headerSize - XAR_HEADER.size;
    list.pass('xar-structure', open > 0 ? `the header has ${open} bytes that nothing signs` : undefined);
    const { style } = archive.checksum;
    list.pass(
      'toc-checksum',
      isWeak(style) ? `${style}, a weak digest: whoever signed could have made two contents for it` : undefined,
    );
    return archive;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (error.code !== 'XAR_TOC_DIGEST') {
      list.fail('xar-structure', error.message);
      list.skip('toc-checksum', 'the archive cannot be read');
    } else {
      list.pass('xar-structure');
      list.fail('toc-checksum', error.message);
    }
    return undefined;
  }
}

/** Checks the data of every member: stored and decoded size, both checksums. */
export async function checkMembers(list: CheckList, archive: XarArchive): Promise<void> {
  checkMeaning(list, archive);
  const id = 'member-checksums';
  let failed = false;
  for (const piece of archive.members.flatMap(piecesOf)) {
    const right = await readAbout(list, id, async () => {
      for await (const _ of extractMember(archive, piece)); // its checks are run while the bytes pass
      return true;
    });
    failed ||= right === undefined;
  }
  if (!failed) list.check(id, archive.members.flatMap(piecesOf).map(unguarded), weakRemarks(archive));
}

/** Checks that the names of members mean the same to every reader, on every disk of a Mac. */
function checkMeaning(list: CheckList, { members }: XarArchive): void {
  const survey = new PathSurvey();
  list.check(
    'one-meaning',
    members.map(({ path, kind }) => {
      try {
        survey.claim(path, kind);
        return false;
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        return error.message;
      }
    }),
  );
}

const stylesOf = ({ data }: XarMember): ChecksumStyle[] =>
  [data?.archivedChecksum, data?.extractedChecksum].flatMap((checksum) => checksum?.style ?? []);

/** Without any digest the signature over the TOC says nothing of a member: anybody could change it. */
function unguarded(member: XarMember): string | false {
  return (
    member.data !== undefined && stylesOf(member).every((style) => style === 'none') && `nothing guards ${member.path}`
  );
}

function weakRemarks({ members }: XarArchive): string[] {
  const weak = members
    .flatMap(piecesOf)
    .filter((member) => stylesOf(member).length > 0 && stylesOf(member).every(isWeak));
  return weak.map(({ path }) => `${path} has MD5 alone, a weak digest`);
}

/** A member and its extended attributes, each as something that can be extracted. */
function piecesOf(member: XarMember): XarMember[] {
  const attributes = member.extendedAttributes.map(({ name, data }) => ({
    ...member,
    path: `${member.path} (${name})`,
    data,
  }));
  return [member, ...attributes];
}

/** Checks that a package of ours holds its own members and nothing beside them. */
export function checkNames(list: CheckList, archive: XarArchive, ours: OurForm | null): void {
  if (!ours) return;
  const folder = `${ours.identifier}.pkg`;
  const inside = ['Bom', 'Payload', ...(ours.scripts.length > 0 ? ['Scripts'] : []), 'PackageInfo'];
  const expected = ['Distribution', folder, ...inside.map((name) => `${folder}/${name}`)];
  const found = archive.members.map(({ path }) => path);
  list.check('members', [
    ...found.filter((path) => !expected.includes(path)).map((path) => `${path} does not belong in it`),
    ...expected.filter((path) => !found.includes(path)).map((path) => `${path} is missing`),
    ...archive.members.map(
      ({ path, extendedAttributes }) => extendedAttributes.length > 0 && `${path} has extended attributes`,
    ),
  ]);
}

/** Checks that every byte of the heap belongs to something the TOC names. */
export function checkGaps(list: CheckList, archive: XarArchive, exact: boolean): void {
  const gap = gapOf(archive);
  const problem = gap && `${gap.size} bytes from ${gap.offset} of the heap on belong to nothing`;
  if (problem === undefined) list.pass('heap-gaps');
  else if (exact) list.fail('heap-gaps', problem);
  else list.pass('heap-gaps', problem);
}

function gapOf(archive: XarArchive): ByteRange | undefined {
  const data = archive.members.flatMap((member) => piecesOf(member).flatMap((piece) => piece.data ?? []));
  const pieces = [
    archive.checksum.range,
    ...archive.signatures.map(({ range }) => range),
    ...data.map(({ offset, length }) => ({ offset, size: length })),
  ].sort((a, b) => a.offset - b.offset);
  let end = 0;
  for (const { offset, size } of pieces) {
    if (offset > end) return { offset: end, size: offset - end };
    end = Math.max(end, offset + size);
  }
  return undefined;
}
