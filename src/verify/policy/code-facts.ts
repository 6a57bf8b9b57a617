import { PipelineError } from '../../base/errors.ts';
import { parseCodeDirectory } from '../../code-signature/code-directory.ts';
import {
  blobContent,
  MAGIC_BLOB_WRAPPER,
  MAGIC_CODE_DIRECTORY,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
} from '../../code-signature/super-blob.ts';
import type { VerifyCodeCms } from '../../code-signature/verify/verify-cms.ts';
import { parseFat } from '../../macho/fat.ts';
import { parseMacho } from '../../macho/macho.ts';

/** What a policy asks of one slice of code. */
export interface CodeDemands {
  /** Path of the file and the slice's processor. */
  readonly name: string;
  /** Of the certificate; null when nobody signed it. */
  readonly teamIdentifier: string | null;
  /** Packed; null when it names none. */
  readonly minimumOs: number | null;
  readonly architecture: string;
}

/** First words of Mach-O and universal files, in both byte orders and widths. Source: mach-o/loader.h and fat.h. */
const MAGICS = new Set([
  0xfeedface, 0xfeedfacf, 0xcefaedfe, 0xcffaedfe, 0xcafebabe, 0xcafebabf, 0xbebafeca, 0xbfbafeca,
]);
/** A Java class file begins like a universal file; its next word is a version from 45 on. */
const JAVA_VERSION = 45;

/** Returns whether a file may be code, by its first bytes. Whatever looks like it and cannot be read fails the policy. */
export function mayBeCode(head: Buffer): boolean {
  if (head.length < 8 || !MAGICS.has(head.readUInt32BE(0))) return false;
  const java =
    head.readUInt32BE(0) === 0xcafebabe && head.readUInt16BE(4) === 0 && head.readUInt16BE(6) >= JAVA_VERSION;
  return !java || head.readUInt32BE(4) > 100;
}

/** Returns who signed each slice of a file and on which macOS it runs, or why that is unknown. */
export function codeFacts(path: string, data: Buffer, verifyCms: VerifyCodeCms): CodeDemands[] | string {
  try {
    const fat = [0xcafebabe, 0xcafebabf].includes(data.readUInt32BE(0));
    const slices = fat ? parseFat(data).map((slice) => slice.data) : [data];
    return slices.map((slice) => sliceFacts(path, slice, verifyCms));
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return `${path} looks like code and cannot be read: ${error.message}`;
  }
}

function sliceFacts(path: string, slice: Buffer, verifyCms: VerifyCodeCms): CodeDemands {
  const { architecture, version, codeSignature } = parseMacho(slice);
  const name = `${path} (${architecture})`;
  const facts = { name, architecture, minimumOs: version?.minimumOs ?? null };
  if (!codeSignature) return { ...facts, teamIdentifier: null };
  const { dataOffset, dataSize } = codeSignature;
  const { blobs } = parseSuperBlob(slice.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
  const wrapper = blobs.find(({ type }) => type === SLOT_CMS);
  const cms = wrapper ? blobContent(wrapper.data, MAGIC_BLOB_WRAPPER) : Buffer.alloc(0);
  if (cms.length === 0) return { ...facts, teamIdentifier: null };
  const codeDirectories = blobs
    .filter(({ data }) => data.readUInt32BE(0) === MAGIC_CODE_DIRECTORY)
    .map(({ data }) => parseCodeDirectory(data));
  const verdict = verifyCms({ cms, codeDirectories, subject: name, exact: false, demanding: false });
  const right = verdict.checks.every(({ status }) => status !== 'fail');
  return { ...facts, teamIdentifier: right ? verdict.teamIdentifier : null };
}
