import type { Check } from '../../base/check.ts';
import { PipelineError } from '../../base/errors.ts';
import { type BundleEntry, fileAt, INFO_PLIST_PATH } from '../../code-signature/bundle-entry.ts';
import { bestCodeDirectory, FLAG_RUNTIME, parseCodeDirectory } from '../../code-signature/code-directory.ts';
import {
  MAGIC_CODE_DIRECTORY,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
  SLOT_ENTITLEMENTS,
} from '../../code-signature/super-blob.ts';
import { codeCmsVerifier } from '../../code-signature/verify/verify-cms.ts';
import { type CodeReport, verifyBundle, verifyProgram } from '../../code-signature/verify/verify-code.ts';
import { slicesOf } from '../../macho/fat.ts';
import { MH_EXECUTE } from '../../macho/layout.ts';
import { parseMacho } from '../../macho/macho.ts';
import { parsePropertyListDictionary } from '../../xml/property-list.ts';
import type { NotaryIssue } from '../log.ts';
import { issue, MESSAGES } from './messages.ts';
import type { PredictOptions } from './options.ts';

/** What was found of one piece of code. */
export interface CheckedCode {
  readonly issues: readonly NotaryIssue[];
  readonly code: readonly { readonly path: string; readonly cdhash: string; readonly architecture: string }[];
}

/** The oldest SDK the notary takes, packed. Source: the message itself. */
const OLDEST_SDK = 0x000a0900;
const SHA1 = 1;
/** A CMS blob that holds nothing but its header. */
const EMPTY_BLOB = 8;

/** Checks of src/code-signature that say whom the signature is by, or when it was made; all others say whether it is whole. */
const MEANINGS: Readonly<Record<string, string>> = {
  'code-chain': MESSAGES.notDeveloperId,
  'code-team': MESSAGES.notDeveloperId,
  'code-timestamp': MESSAGES.noTimestamp,
};
/** Fails for the demands of the code's own author, which the notary does not check. */
const NOT_CHECKED = new Set(['code-designated-requirement', 'code-slices-agree', 'bundle-places']);

/**
 * Returns what the notary would say of a bundle's main executable and its seal; code inside it is checked by itself.
 *
 * @param entries all files of the bundle, paths relative to it
 * @param path of the bundle in the log
 * @returns `executable` is its path in the bundle, null when Info.plist names no file that is there
 */
export function checkBundle(
  entries: readonly BundleEntry[],
  path: string,
  options: PredictOptions,
): CheckedCode & { readonly executable: string | null } {
  const executable = executableOf(entries);
  const data = executable === null ? undefined : fileAt(entries, executable);
  if (executable === null || !data) return { executable: null, issues: [], code: [] };
  const report = verifyBundle(entries, expectations(options), '');
  const own = report.checks.filter(({ subject }) => subject === '' || subject?.startsWith(`/${executable}`));
  return { executable, ...check(data, `${path}/${executable}`, { ...report, checks: own }) };
}

/** Returns what the notary would say of a Mach-O file that belongs to no bundle as its main executable. */
export function checkFile(data: Buffer, path: string, options: PredictOptions): CheckedCode {
  return check(data, path, verifyProgram(data, expectations(options), ''));
}

const expectations = ({ trust, now }: PredictOptions) => ({
  verifyCms: codeCmsVerifier(trust, now),
  ours: false,
  asNotary: true,
  allowAdHoc: false,
});

function executableOf(entries: readonly BundleEntry[]): string | null {
  const information = unlessBroken(() =>
    parsePropertyListDictionary(fileAt(entries, INFO_PLIST_PATH) ?? Buffer.alloc(0)),
  );
  const name = information?.get('CFBundleExecutable');
  return typeof name === 'string' ? `Contents/MacOS/${name}` : null;
}

/** Returns what `read` returns; null when it throws an error about the file. */
function unlessBroken<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return null;
  }
}

function check(data: Buffer, path: string, report: CodeReport): CheckedCode {
  const slices = unlessBroken(() => slicesOf(data));
  if (!slices) return { issues: [issue(path, MESSAGES.invalid, null)], code: [] };
  const issues = slices.flatMap((slice) => checkSlice(slice, path, report.checks));
  const code = report.slices.map(({ architecture, cdHash }) => ({ path, architecture, cdhash: cdHash }));
  return { issues, code };
}

function checkSlice(slice: Buffer, path: string, checks: readonly Check[]): NotaryIssue[] {
  const facts = unlessBroken(() => readSlice(slice));
  if (!facts) return [issue(path, MESSAGES.invalid, null)];
  const { architecture } = facts;
  const own = checks.filter(({ status, subject }) => status === 'fail' && concerns(subject, architecture));
  const messages = new Set(signatureMessages(facts, own));
  if (facts.executable && facts.signed && !facts.runtime) messages.add(MESSAGES.noRuntime);
  if (facts.getTaskAllow) messages.add(MESSAGES.getTaskAllow);
  if (facts.sdk < OLDEST_SDK) messages.add(MESSAGES.oldSdk);
  return [...messages].map((message) => issue(path, message, architecture));
}

/** A check of the whole bundle or file concerns every slice. */
function concerns(subject: string | undefined, architecture: string): boolean {
  const named = /\(([^()]+)\)$/.exec(subject ?? '')?.[1];
  return named === undefined || named === architecture;
}

function signatureMessages(facts: SliceFacts, failed: readonly Check[]): string[] {
  if (!facts.signed) return [MESSAGES.notSigned];
  const whole = failed
    .filter(({ id }) => !NOT_CHECKED.has(id) && !(id === 'code-cms' && !facts.cms))
    .filter(({ id }) => MEANINGS[id] === undefined);
  // Logs about ad-hoc signed code name both: electron-builder#4637.
  const nobody = facts.cms ? [] : [MESSAGES.notDeveloperId, MESSAGES.noTimestamp];
  const meanings = failed.flatMap(({ id }) => MEANINGS[id] ?? []);
  return [
    ...(whole.length > 0 ? [MESSAGES.invalid] : []),
    ...nobody,
    ...meanings,
    ...(facts.weak ? [MESSAGES.weak] : []),
  ];
}

interface SliceFacts {
  readonly architecture: string;
  readonly executable: boolean;
  readonly signed: boolean;
  /** Whether there is a CMS; without one the signature is ad-hoc. */
  readonly cms: boolean;
  readonly runtime: boolean;
  readonly getTaskAllow: boolean;
  /** Packed; 0 without one. */
  readonly sdk: number;
  /** Signed with SHA-1 alone. */
  readonly weak: boolean;
}

/** Returns what a slice says of itself. */
function readSlice(slice: Buffer): SliceFacts {
  const macho = parseMacho(slice);
  const common = {
    architecture: macho.architecture,
    executable: macho.fileType === MH_EXECUTE,
    sdk: macho.version?.sdk ?? 0,
  };
  const place = macho.codeSignature;
  if (!place) return { ...common, signed: false, cms: false, runtime: false, getTaskAllow: false, weak: false };
  const region = slice.subarray(place.dataOffset, place.dataOffset + place.dataSize);
  const { blobs } = parseSuperBlob(region, MAGIC_EMBEDDED_SIGNATURE);
  const directories = blobs
    .filter(({ data }) => data.readUInt32BE(0) === MAGIC_CODE_DIRECTORY)
    .map(({ data }) => parseCodeDirectory(data));
  const entitlements = blobs.find(({ type }) => type === SLOT_ENTITLEMENTS)?.data.subarray(EMPTY_BLOB);
  return {
    ...common,
    signed: true,
    cms: blobs.some(({ type, data }) => type === SLOT_CMS && data.length > EMPTY_BLOB),
    runtime: ((bestCodeDirectory(directories)?.flags ?? 0) & FLAG_RUNTIME) !== 0,
    getTaskAllow: entitlements !== undefined && allowsDebugging(entitlements),
    weak: directories.length > 0 && directories.every(({ hashType }) => hashType === SHA1),
  };
}

function allowsDebugging(entitlements: Buffer): boolean {
  return parsePropertyListDictionary(entitlements).get('com.apple.security.get-task-allow') === true;
}
