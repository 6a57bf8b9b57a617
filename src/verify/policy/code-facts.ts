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
import { isUniversal } from '../../macho/first-bytes.ts';
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

/** Returns who signed each slice of a file of code and on which macOS it runs, or why that is unknown. */
export function codeFacts(path: string, data: Buffer, verifyCms: VerifyCodeCms): CodeDemands[] | string {
  try {
    const slices = isUniversal(data) ? parseFat(data) : [{ data }];
    return slices.map((slice) => sliceFacts(path, slice.data, verifyCms));
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
    .toSorted((one, other) => one.type - other.type)
    .map(({ data }) => parseCodeDirectory(data));
  const verdict = verifyCms({ cms, codeDirectories, subject: name, exact: false, demanding: false });
  const right = verdict.checks.every(({ status }) => status !== 'fail');
  return { ...facts, teamIdentifier: right ? verdict.teamIdentifier : null };
}
