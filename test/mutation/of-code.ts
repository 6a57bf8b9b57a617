import { CODE_DIRECTORY } from '../../src/code-signature/code-directory.ts';
import {
  BLOB_INDEX,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
  SLOT_CODE_DIRECTORY,
  SLOT_REQUIREMENTS,
  SUPER_BLOB_HEADER,
} from '../../src/code-signature/super-blob.ts';
import { buildFat, parseFat } from '../../src/macho/fat.ts';
import { FAT_ARCH, FAT_HEADER } from '../../src/macho/layout.ts';
import { parseMacho } from '../../src/macho/macho.ts';
import type { Mutation } from './outcome.ts';
import { changeFile, contentOf, flip, type Sample, withPayload } from './sample.ts';

const EXECUTABLE = './Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy';
const PAGE = 4096;

/** Changes inside the executable; everything around it, the package's signature too, is made anew. */
export async function codeMutations(sample: Sample): Promise<Mutation[]> {
  const program = await contentOf(sample.payload, EXECUTABLE);
  return [
    ...fatCases(program),
    ...parseFat(program).flatMap(({ architecture, offset, data }) => [
      ...pageCases(architecture, offset, data),
      ...signatureCases(architecture, offset, data),
    ]),
  ];
}

function changed(region: string, what: string, expected: string[], change: (program: Buffer) => Buffer): Mutation {
  return {
    region,
    what,
    expected,
    make: async (sample) => withPayload(sample, await changeFile(sample.payload, EXECUTABLE, change)),
  };
}

function fatCases(program: Buffer): Mutation[] {
  const region = 'universal file';
  const expected = ['code-universal'];
  const slices = parseFat(program).map(({ data }) => data);
  const [first, second] = slices as [Buffer, Buffer];
  const end = parseFat(program).at(-1)!;
  const fields = [FAT_HEADER, FAT_ARCH, FAT_ARCH].flatMap((part, at) => {
    const base = at === 0 ? 0 : FAT_HEADER.size + (at - 1) * FAT_ARCH.size;
    return part.fields.map(({ name, offset, width }) => ({
      name: `${part.name}${at === 0 ? '' : ` ${at}`} ${name}`,
      offset: base + offset + width - 1,
    }));
  });
  return [
    ...fields.map(({ name, offset }) =>
      // Without its magic it is not code any more: what is missed then is the bundle's executable.
      changed(region, name, [...expected, 'code-macho', 'seal', 'code-layout'], (data) => flip(data, offset)),
    ),
    changed(region, 'slices swapped', expected, () => buildFat([second, first])),
    changed(region, 'arm64 alone', expected, () => buildFat([second])),
    changed(region, 'x86_64 alone', expected, () => buildFat([first])),
    changed(region, 'not universal any more', expected, () => Buffer.from(first)),
    changed(region, 'the same slice twice', expected, () => buildFat([first, first])),
    changed(region, 'a byte between header and first slice', expected, (data) => flip(data, 0x1000)),
    changed(region, 'a byte between the slices', expected, (data) => flip(data, end.offset - 1)),
    changed(region, 'bytes behind the last slice', expected, (data) => Buffer.concat([data, Buffer.alloc(16)])),
  ];
}

/** One bit in every page that the CodeDirectory covers; the first one holds the load commands. */
function pageCases(architecture: string, offset: number, slice: Buffer): Mutation[] {
  const limit = parseMacho(slice).codeSignature!.dataOffset;
  const pages = Math.ceil(limit / PAGE);
  return Array.from({ length: pages }, (_, page) => {
    const at = Math.min(page * PAGE + 1 + ((page * 997) % (PAGE - 1)), limit - 1);
    return changed('pages', `${architecture} page ${page}, byte ${at}`, ['code-pages', 'code-macho'], (data) =>
      flip(data, offset + at),
    );
  });
}

function signatureCases(architecture: string, sliceOffset: number, slice: Buffer): Mutation[] {
  const { dataOffset, dataSize } = parseMacho(slice).codeSignature!;
  const start = sliceOffset + dataOffset;
  const { blobs, length } = parseSuperBlob(slice.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
  const region = `signature of ${architecture}`;
  const place = (slot: number) => {
    const blob = blobs.find(({ type }) => type === slot)!;
    return { offset: start + blob.data.byteOffset - slice.byteOffset - dataOffset, size: blob.data.length };
  };
  const bit = (what: string, at: number, ...expected: string[]) =>
    changed(region, `${what}, byte ${at - start}`, expected, (data) => flip(data, at));
  const spread = (
    what: string,
    { offset, size }: { offset: number; size: number },
    count: number,
    ...expected: string[]
  ) => Array.from({ length: count }, (_, at) => bit(what, offset + Math.floor((at * size) / count), ...expected));
  const directory = place(SLOT_CODE_DIRECTORY);
  const broken = ['code-super-blob', 'code-directory', 'code-cms', 'code-layout'];
  const cms = place(SLOT_CMS);
  return [
    ...spread('SuperBlob', { offset: start, size: SUPER_BLOB_HEADER.size + 3 * BLOB_INDEX.size }, 12, ...broken),
    ...CODE_DIRECTORY.fields.map(({ name, offset, width }) =>
      bit(`CodeDirectory ${name}`, directory.offset + offset + width - 1, ...broken),
    ),
    ...spread(
      'CodeDirectory',
      { offset: directory.offset + CODE_DIRECTORY.size, size: directory.size - CODE_DIRECTORY.size },
      12,
      'code-cms',
      'code-directory',
    ),
    ...spread(
      'requirement',
      place(SLOT_REQUIREMENTS),
      8,
      'code-slots',
      'code-super-blob',
      'code-designated-requirement',
    ),
    ...spread('CMS', cms, 30, 'code-cms', 'code-timestamp', 'code-chain', 'code-super-blob'),
    bit('padding', start + length, 'code-padding'),
    bit('padding', start + dataSize - 1, 'code-padding'),
  ];
}
