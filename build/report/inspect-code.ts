import { bestCodeDirectory, cdHash, parseCodeDirectory } from '../../src/code-signature/code-directory.ts';
import { MAGIC_CODE_DIRECTORY, MAGIC_EMBEDDED_SIGNATURE, parseSuperBlob } from '../../src/code-signature/super-blob.ts';
import { slicesOf } from '../../src/macho/fat.ts';
import { versionText } from '../../src/macho/layout.ts';
import { type Macho, parseMacho } from '../../src/macho/macho.ts';
import { listExports } from '../../src/macho/symbols.ts';
import type { Inspection } from './inspection.ts';

/** Shows a Mach-O file: architectures, versions, libraries, exports, and what each slice's signature says. */
export function inspectCode(data: Buffer): Inspection {
  const slices = slicesOf(data).map(sliceFacts);
  return { document: { slices }, lines: slices.flatMap(sliceLines) };
}

/** Returns what a slice is and what its signature says. */
export function sliceFacts(slice: Buffer) {
  const macho = parseMacho(slice);
  return {
    architecture: macho.architecture,
    size: slice.length,
    uuid: macho.uuid,
    minimumMacOS: macho.version && versionText(macho.version.minimumOs),
    sdk: macho.version && versionText(macho.version.sdk),
    libraries: macho.dylibs,
    exports: listExports(slice, macho),
    signature: signatureFacts(slice, macho),
  };
}

function signatureFacts(slice: Buffer, macho: Macho) {
  if (!macho.codeSignature) return null;
  const { dataOffset, dataSize } = macho.codeSignature;
  const { blobs } = parseSuperBlob(slice.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
  const directories = blobs
    .filter(({ data }) => data.readUInt32BE(0) === MAGIC_CODE_DIRECTORY)
    .map(({ data }) => parseCodeDirectory(data));
  const best = bestCodeDirectory(directories);
  if (!best) return null;
  const { identifier, teamIdentifier, flags } = best;
  return { identifier, teamIdentifier, flags, flagNames: flagNames(flags), cdHash: cdHash(best).toString('hex') };
}

/** Flags of a CodeDirectory. Source: xnu osfmk/kern/cs_blobs.h. */
const FLAG_NAMES: readonly (readonly [number, string])[] = [
  [0x2, 'adhoc'],
  [0x100, 'hard'],
  [0x200, 'kill'],
  [0x10000, 'runtime'],
  [0x20000, 'linker-signed'],
];

function flagNames(flags: number): string[] {
  return FLAG_NAMES.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

function sliceLines(slice: ReturnType<typeof sliceFacts>): string[] {
  const { signature } = slice;
  return [
    `${slice.architecture}, ${slice.size} bytes`,
    `  macOS      ${slice.minimumMacOS ?? 'unknown'} or later, SDK ${slice.sdk ?? 'unknown'}`,
    `  uuid       ${slice.uuid ?? 'none'}`,
    `  libraries  ${slice.libraries.join(', ') || 'none'}`,
    `  exports    ${slice.exports.join(', ') || 'none'}`,
    ...(signature === null
      ? ['  signature  none']
      : [
          `  signature  ${signature.identifier}, team ${signature.teamIdentifier ?? 'none'}, ${signature.flagNames.join(' ') || 'no flags'}`,
          `  cdhash     ${signature.cdHash}`,
        ]),
  ];
}
