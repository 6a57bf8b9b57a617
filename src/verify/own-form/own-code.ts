import type { CheckList } from '../../base/check.ts';
import { FormatError, PipelineError } from '../../base/errors.ts';
import { type BundleEntry, CONTENTS, fileAt, INFO_PLIST_PATH } from '../../code-signature/bundle-entry.ts';
import { CODE_DIRECTORY, codeDirectoryDigest, parseCodeDirectory } from '../../code-signature/code-directory.ts';
import { developerIdRequirement, rootRequirement } from '../../code-signature/requirement/requirement.ts';
import { encodeCdHashAttributes } from '../../code-signature/sign/cdhash-attributes.ts';
import { type BundleSigner, signBundle } from '../../code-signature/sign/sign-bundle.ts';
import {
  blobContent,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
  SLOT_CODE_DIRECTORY,
  SLOT_REQUIREMENTS,
} from '../../code-signature/super-blob.ts';
import { parseFat } from '../../macho/fat.ts';
import { isUniversal } from '../../macho/first-bytes.ts';
import { parseMacho } from '../../macho/macho.ts';
import type { BundleRecord } from '../../package/package-info.ts';
import { parseCms } from '../../pki/cms/parse.ts';
import { appleTrust } from '../../pki/x509/apple-roots.ts';
import { parsePropertyListDictionary } from '../../xml/property-list.ts';
import type { OurForm } from '../expectations.ts';
import { bytesAt, firstDifference } from './difference.ts';
import { cmsDifference } from './own-cms.ts';

const SLOT_NAMES: Readonly<Record<number, string>> = {
  [SLOT_CODE_DIRECTORY]: 'CodeDirectory',
  [SLOT_REQUIREMENTS]: 'requirement set',
  [SLOT_CMS]: 'CMS',
};

/**
 * Checks a bundle of ours: signed again with the CMS that it has, every byte comes out as it is: load commands, CodeDirectory,
 * requirements, order and padding of the blobs, the sealed list of resources.
 *
 * @param files of the bundle, paths below it
 * @param record what PackageInfo must say of it
 */
export async function checkOwnBundle(
  list: CheckList,
  files: readonly BundleEntry[],
  record: BundleRecord,
  madeBy: OurForm['madeBy'],
): Promise<void> {
  const id = 'form-code';
  try {
    const information = parsePropertyListDictionary(present(files, INFO_PLIST_PATH));
    const program = `${CONTENTS}MacOS/${String(information.get('CFBundleExecutable'))}`;
    const found = slicesOf(present(files, program));
    const stray = found.flatMap(({ architecture, blobs }) => strayBlobs(architecture, blobs));
    // codesign lays the same things out in its own way.
    if (madeBy === 'apple') return list.check(id, [...infoProblems(information, record), ...stray]);
    const made = await signBundle(files, signerOfSlices(found));
    list.check(id, [
      ...infoProblems(information, record),
      ...stray,
      ...(await Promise.all(found.map(cmsProblem))),
      ...partProblems(found, slicesOf(present(made.entries, program))),
      ...made.entries.map((entry) => entryProblem(entry, files, found)),
    ]);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    list.fail(id, `it cannot be signed again: ${error.message}`);
  }
}

/** Returns a file's bytes. Throws FormatError `BUNDLE_UNSIGNABLE` when it is missing, or a link. */
function present(files: readonly BundleEntry[], path: string): Buffer {
  const data = fileAt(files, path);
  if (!data) throw new FormatError('BUNDLE_UNSIGNABLE', 'Bundle', 0, `${path} is missing, or is a link`);
  return data;
}

/** The signature of one slice. */
interface FoundSlice {
  readonly architecture: string;
  /** Bytes from the start of the file to the slice, and from there to its signature. */
  readonly offset: number;
  readonly signatureOffset: number;
  /** Bytes set aside for it. */
  readonly room: number;
  readonly blobs: readonly { readonly type: number; readonly data: Buffer }[];
  readonly cms: Buffer;
}

function slicesOf(program: Buffer): FoundSlice[] {
  const slices = isUniversal(program) ? parseFat(program) : [{ data: program, offset: 0 }];
  return slices.map(({ data, offset }) => {
    const { architecture, codeSignature } = parseMacho(data);
    if (!codeSignature)
      throw new FormatError('MACHO_INVALID', 'MachO', 0, `no signature in the code for ${architecture}`);
    const { dataOffset: signatureOffset, dataSize: room } = codeSignature;
    const region = data.subarray(signatureOffset, signatureOffset + room);
    const { blobs } = parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE);
    const wrapper = blobs.find(({ type }) => type === SLOT_CMS);
    const cms = wrapper ? blobContent(wrapper.data, MAGIC_BLOB_WRAPPER) : Buffer.alloc(0);
    return { architecture, offset, signatureOffset, room, blobs, cms };
  });
}

function strayBlobs(architecture: string, blobs: FoundSlice['blobs']): string[] {
  return blobs
    .filter(({ type }) => SLOT_NAMES[type] === undefined)
    .map(
      ({ type }) =>
        `the signature of ${architecture} holds a blob of type 0x${type.toString(16)}, which we write none of`,
    );
}

/** What people ask first of a signature; the comparison of bytes finds it too, but with other words. */
function partProblems(found: readonly FoundSlice[], made: readonly FoundSlice[]): (string | false)[] {
  return made.flatMap(({ blobs, room }, index) => {
    const slice = found[index];
    if (!slice) return [];
    const { architecture } = slice;
    return [
      slice.room !== room && `the signature of ${architecture} has room for ${slice.room} bytes, expected ${room}`,
      ...blobs.map(({ type, data }) => {
        const other = slice.blobs.find((blob) => blob.type === type);
        return !other?.data.equals(data) && `the ${SLOT_NAMES[type]} of ${architecture} is not the one we make`;
      }),
    ];
  });
}

/** The CMS over a CodeDirectory is the one that our signer makes, with the two attributes that name its hash. */
async function cmsProblem({ architecture, blobs, cms }: FoundSlice): Promise<string | undefined> {
  const data = blobs.find(({ type }) => type === SLOT_CODE_DIRECTORY)?.data;
  if (!data || cms.length === 0) return undefined;
  const difference = await cmsDifference(
    cms,
    data,
    encodeCdHashAttributes([codeDirectoryDigest({ hashType: 2, data })]),
  );
  return difference && `signature of ${architecture}: ${difference}`;
}

/**
 * Returns a signer that hands out the signatures that a program has, in the order of its slices: whatever it signs again says the
 * same of who signed, and differs wherever the bytes did.
 *
 * @throws FormatError when a signature cannot be read
 */
export function signerOfProgram(program: Buffer): BundleSigner {
  return signerOfSlices(slicesOf(program));
}

function signerOfSlices(slices: readonly FoundSlice[]): BundleSigner {
  const [first] = slices;
  const directory = first?.blobs.find(({ type }) => type === SLOT_CODE_DIRECTORY);
  const teamIdentifier = directory ? parseCodeDirectory(directory.data).teamIdentifier : null;
  if (!first || first.cms.length === 0 || teamIdentifier === null) return { kind: 'ad-hoc' };
  const pending = slices.map(({ cms }) => cms);
  const root = parseCms(first.cms).certificates.find(({ subject, issuer }) => subject.der.equals(issuer.der));
  const isApples = appleTrust().roots.some(({ der }) => root?.der.equals(der));
  return {
    kind: 'identity',
    teamIdentifier,
    requirement: (identifier) =>
      root && !isApples
        ? rootRequirement(identifier, Buffer.from(root.sha1, 'hex'))
        : developerIdRequirement(identifier, teamIdentifier),
    signCms: async () => pending.shift() ?? Buffer.alloc(0),
  };
}

function infoProblems(
  information: ReturnType<typeof parsePropertyListDictionary>,
  { id, shortVersion, version }: BundleRecord,
): (string | false)[] {
  const wanted = { CFBundleIdentifier: id, CFBundleShortVersionString: shortVersion, CFBundleVersion: version };
  return Object.entries(wanted).map(
    ([key, value]) => information.get(key) !== value && `Info.plist: ${key} ${information.get(key)}, expected ${value}`,
  );
}

function entryProblem(
  made: BundleEntry,
  files: readonly BundleEntry[],
  slices: readonly FoundSlice[],
): string | undefined {
  const found = fileAt(files, made.path);
  if (!('data' in made) || !found) return `${made.path} is missing, or is a link`;
  const at = firstDifference(found, made.data);
  if (at === undefined) return undefined;
  return `${made.path}, byte ${at}${partOf(slices, made.path, at)}: expected ${bytesAt(made.data, at)}, found ${bytesAt(found, at)}`;
}

/** Names the part of the executable that a byte lies in. */
function partOf(slices: readonly FoundSlice[], path: string, at: number): string {
  const slice = path.includes('/MacOS/') ? slices.findLast(({ offset }) => offset <= at) : undefined;
  if (!slice) return '';
  const { architecture, offset, signatureOffset, blobs } = slice;
  let end = offset + signatureOffset + 12 + blobs.length * 8;
  if (at < offset + signatureOffset) return ` (${architecture}, before its signature)`;
  if (at < end) return ` (${architecture}, list of blobs)`;
  for (const { type, data } of blobs) {
    if (at < end + data.length) return ` (${architecture}, ${SLOT_NAMES[type] ?? 'a blob'}${fieldOf(type, at - end)})`;
    end += data.length;
  }
  return ` (${architecture}, behind its signature)`;
}

function fieldOf(type: number, at: number): string {
  if (type !== SLOT_CODE_DIRECTORY) return '';
  const field = CODE_DIRECTORY.fields.find(({ offset, width }) => at >= offset && at < offset + width);
  return field ? `, field ${field.name}` : '';
}
