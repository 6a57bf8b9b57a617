import { FormatError, UsageError } from '../../base/errors.ts';
import { buildFat, parseFat } from '../../macho/fat.ts';
import { isUniversal } from '../../macho/first-bytes.ts';
import { parseMacho } from '../../macho/macho.ts';
import { type PropertyListDictionary, parsePropertyListDictionary } from '../../xml/property-list.ts';
import { type BundleEntry, CODE_RESOURCES_PATH, fileAt, INFO_PLIST_PATH } from '../bundle-entry.ts';
import { codeDirectoryDigest, FLAG_ADHOC, FLAG_RUNTIME } from '../code-directory.ts';
import type { Requirement } from '../requirement/requirement.ts';
import { encodeRequirementSet } from '../requirement/requirement-set.ts';
import { sealResources } from '../seal/code-resources.ts';
import { encodeCdHashAttributes } from './cdhash-attributes.ts';
import { type SignedSlice, signSlice } from './sign-macho.ts';

/** Makes a detached CMS (DER) over `content` whose signed attributes include the given ones, with its timestamp. */
export type SignCms = (input: {
  readonly content: Buffer;
  readonly extraSignedAttributes: readonly Buffer[];
}) => Promise<Buffer>;

/** Who signs a bundle: a certificate, or nobody (ad-hoc: for development, runs on no other Mac). */
export type BundleSigner =
  | { readonly kind: 'ad-hoc'; readonly signatureSize?: number }
  | {
      readonly kind: 'identity';
      /** Organizational unit of the leaf certificate. */
      readonly teamIdentifier: string;
      /** Returns the designated requirement for an identifier: `developerIdRequirement` or `rootRequirement`. */
      readonly requirement: (identifier: string) => Requirement;
      readonly signCms: SignCms;
    };

/** A signed bundle and what is known of each slice, in the order of the file. */
export interface SignedBundle {
  readonly entries: readonly BundleEntry[];
  readonly identifier: string;
  readonly slices: readonly { readonly architecture: string; readonly cdHash: Buffer; readonly flags: number }[];
}

/** Keys that would make codesign sign in another way than Info.plist's readers expect. Source: Security-61901 signer.cpp. */
const FORBIDDEN_KEYS = ['CSFlags', 'CFBundleResourceSpecification'];
/** Emptied before signing: a foreign file in it makes codesign refuse the bundle (errSecCSUnsealedAppRoot). */
const SIGNATURE_FOLDER = 'Contents/_CodeSignature/';
const SEAL_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;

/**
 * Returns a bundle with its resources sealed and every slice of its executable signed with the hardened runtime, as
 * `codesign --force --options runtime` does it.
 *
 * @param entries all files of the bundle; those of an old `_CodeSignature` are replaced. Info.plist must be XML
 * @throws UsageError when the bundle cannot be signed as it is, FormatError when a file in it is malformed
 * @example (await signBundle(entries, { kind: 'ad-hoc' })).slices[0].cdHash.toString('hex')
 */
export async function signBundle(entries: readonly BundleEntry[], signer: BundleSigner): Promise<SignedBundle> {
  const infoPlist = fileAt(entries, INFO_PLIST_PATH);
  if (!infoPlist) throw unsignable(`it has no ${INFO_PLIST_PATH}`);
  const information = parsePropertyListDictionary(infoPlist);
  for (const key of FORBIDDEN_KEYS) if (information.has(key)) throw unsignable(`Info.plist has the key ${key}`);
  const identifier = textAt(information, 'CFBundleIdentifier');
  const executable = textAt(information, 'CFBundleExecutable');
  const executablePath = `Contents/MacOS/${executable}`;
  const program = fileAt(entries, executablePath);
  if (!program) throw unsignable(`it has no file ${executablePath}`);
  const others = entries.filter(({ path }) => !path.startsWith(SIGNATURE_FOLDER) && path !== executablePath);
  const codeResources = sealResources(others, executable);
  const signed = await signProgram(program, { identifier, infoPlist, codeResources, signer });
  return {
    identifier,
    slices: signed.slices,
    entries: [
      ...others,
      { path: executablePath, mode: EXECUTABLE_MODE, data: signed.data },
      { path: CODE_RESOURCES_PATH, mode: SEAL_MODE, data: codeResources },
    ].sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

interface ProgramSigning {
  readonly identifier: string;
  readonly infoPlist: Buffer;
  readonly codeResources: Buffer;
  readonly signer: BundleSigner;
}

async function signProgram(
  program: Buffer,
  signing: ProgramSigning,
): Promise<{ data: Buffer; slices: SignedBundle['slices'] }> {
  const fat = isUniversal(program);
  const slices = fat ? parseFat(program).map(({ data }) => data) : [program];
  const { signer, identifier } = signing;
  const flags = FLAG_RUNTIME | (signer.kind === 'ad-hoc' ? FLAG_ADHOC : 0);
  const requirements = encodeRequirementSet(signer.kind === 'ad-hoc' ? null : signer.requirement(identifier));
  const signed: SignedSlice[] = [];
  for (const slice of slices) {
    // One after the other: a key in a token or a service may take one request at a time.
    signed.push(
      await signSlice(slice, {
        identifier,
        teamIdentifier: signer.kind === 'ad-hoc' ? null : signer.teamIdentifier,
        flags,
        infoPlist: signing.infoPlist,
        codeResources: signing.codeResources,
        requirements,
        cms: signer.kind === 'ad-hoc' ? null : (codeDirectory) => signDirectory(codeDirectory, signer.signCms),
        signatureSize: signer.kind === 'ad-hoc' ? signer.signatureSize : undefined,
      }),
    );
  }
  return {
    data: fat ? buildFat(signed.map(({ data }) => data)) : (signed[0] as SignedSlice).data,
    slices: signed.map(({ data, cdHash }) => ({ architecture: parseMacho(data).architecture, cdHash, flags })),
  };
}

function signDirectory(codeDirectory: Buffer, signCms: SignCms): Promise<Buffer> {
  const digest = codeDirectoryDigest({ hashType: 2, data: codeDirectory });
  return signCms({ content: codeDirectory, extraSignedAttributes: encodeCdHashAttributes([digest]) });
}

function textAt(information: PropertyListDictionary, key: string): string {
  const value = information.get(key);
  if (typeof value === 'string' && value !== '' && !/[\0/]/.test(value)) return value;
  throw new FormatError('PLIST_INVALID', 'Info.plist', 0, `expected text for the key ${key}`);
}

function unsignable(problem: string): UsageError {
  return new UsageError('BUNDLE_UNSIGNABLE', `The bundle cannot be signed: ${problem}.`);
}
