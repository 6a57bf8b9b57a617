import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Check } from '../../src/base/check.ts';
import { CODE_RESOURCES_PATH, fileAt } from '../../src/code-signature/bundle-entry.ts';
import { parseCodeDirectory } from '../../src/code-signature/code-directory.ts';
import { parseRequirement } from '../../src/code-signature/requirement/decode.ts';
import { encodeRequirement } from '../../src/code-signature/requirement/encode.ts';
import { parseRequirementText } from '../../src/code-signature/requirement/grammar.ts';
import { developerIdRequirement } from '../../src/code-signature/requirement/requirement.ts';
import { parseRequirementSet } from '../../src/code-signature/requirement/requirement-set.ts';
import { renderRequirement } from '../../src/code-signature/requirement/text.ts';
import { parseCodeResources } from '../../src/code-signature/seal/code-resources.ts';
import { signBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import {
  MAGIC_CODE_DIRECTORY,
  MAGIC_EMBEDDED_SIGNATURE,
  MAGIC_REQUIREMENTS,
  parseSuperBlob,
} from '../../src/code-signature/super-blob.ts';
import { verifyProgram } from '../../src/code-signature/verify/verify-code.ts';
import { bindTableProblems } from '../../src/macho/bind-tables.ts';
import { buildFat, slicesOf } from '../../src/macho/fat.ts';
import { isCode, MACHO_HEAD_SIZE, machoSlices } from '../../src/macho/first-bytes.ts';
import { linkeditProblem } from '../../src/macho/linkedit.ts';
import { parseMacho } from '../../src/macho/macho.ts';
import { listExports, listSymbols } from '../../src/macho/symbols.ts';
import { AD_HOC, rehearsalSigner } from '../code-signature/signers.ts';
import type { Reader } from './reader.ts';

const EXECUTABLE = 'Contents/MacOS/Example';
const INFO =
  '<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleExecutable</key><string>Example</string><key>CFBundleIdentifier</key><string>com.example</string></dict></plist>';

const slice = (name: string) => gunzipSync(readFileSync(`test/fixtures/code-signature/${name}.bundle.gz`));

/** A bundle with a signature that has certificates and a timestamp. */
async function signed() {
  const { signer } = await rehearsalSigner();
  const program = { path: EXECUTABLE, mode: 0o755, data: buildFat([slice('x86_64'), slice('arm64')]) };
  const info = { path: 'Contents/Info.plist', mode: 0o644, data: Buffer.from(INFO) };
  const { entries } = await signBundle([info, program], signer);
  return entries;
}

async function program(): Promise<Buffer> {
  return fileAt(await signed(), EXECUTABLE) as Buffer;
}

/** The signature of one slice. */
export async function superBlob(): Promise<Buffer> {
  const [first] = slicesOf(await program());
  const { dataOffset, dataSize } = parseMacho(first as Buffer).codeSignature as {
    dataOffset: number;
    dataSize: number;
  };
  const area = (first as Buffer).subarray(dataOffset, dataOffset + dataSize);
  return area.subarray(0, area.readUInt32BE(4));
}

function readProgram(data: Buffer): void {
  machoSlices(data.subarray(0, MACHO_HEAD_SIZE), data.length);
  isCode(data.subarray(0, MACHO_HEAD_SIZE));
  for (const one of slicesOf(data)) {
    const macho = parseMacho(one);
    bindTableProblems(one, macho);
    linkeditProblem(one, macho);
    listSymbols(one, macho);
    listExports(one, macho);
  }
}

function readSignature(data: Buffer): void {
  for (const { data: blob } of parseSuperBlob(data, MAGIC_EMBEDDED_SIGNATURE).blobs) {
    const magic = blob.readUInt32BE(0);
    if (magic === MAGIC_CODE_DIRECTORY) parseCodeDirectory(blob);
    if (magic === MAGIC_REQUIREMENTS) for (const one of parseRequirementSet(blob).values()) renderRequirement(one);
  }
}

/** The checks that failed, and why. */
function failed(checks: readonly Check[]): string {
  return checks.map((check) => (check.status === 'fail' ? `${check.id} ${check.reason}` : '')).join(' ');
}

const REQUIREMENTS = [
  'anchor apple generic and certificate leaf[field.1.2.840.113635.100.6.1.13] exists',
  'identifier "a" and (certificate root = H"0123456789012345678901234567890123456789" or ! info[CFBundleVersion] > "1")',
  'cdhash H"0123456789012345678901234567890123456789" or certificate 1[subject.CN] = "x*" or platform = 2',
];

export const CODE: readonly Reader[] = [
  {
    name: 'macho',
    seeds: async () => [slice('x86_64'), slice('arm64'), buildFat([slice('x86_64').subarray(0, 9000)])],
    read: readProgram,
  },
  {
    name: 'program',
    seeds: async () => [await program()],
    read: (data) => failed(verifyProgram(data, AD_HOC).checks),
  },
  { name: 'code-signature', seeds: async () => [await superBlob()], read: readSignature },
  {
    name: 'requirement',
    seeds: async () => [
      encodeRequirement(developerIdRequirement('com.example', 'ABCDE12345')),
      ...REQUIREMENTS.map((text) => encodeRequirement(parseRequirementText(text))),
    ],
    read: (data) => renderRequirement(parseRequirement(data)),
  },
  {
    name: 'requirement-text',
    seeds: async () => REQUIREMENTS.map((text) => Buffer.from(text)),
    read: (data) => renderRequirement(parseRequirementText(data.toString())),
  },
  {
    name: 'code-resources',
    seeds: async () => [fileAt(await signed(), CODE_RESOURCES_PATH) as Buffer],
    read: parseCodeResources,
  },
];
