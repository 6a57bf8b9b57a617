import { describe, expect, it } from 'vitest';
import {
  EXEC_SEGMENT_MAIN_BINARY,
  FLAG_ADHOC,
  FLAG_RUNTIME,
  parseCodeDirectory,
} from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { parseSuperBlob } from '../../../src/code-signature/super-blob.ts';
import { parseMacho, segmentNamed } from '../../../src/macho/macho.ts';
import { sampleSlice } from '../sample.ts';

const OPTIONS: SliceSigning = {
  identifier: 'com.example.plug-in',
  teamIdentifier: null,
  flags: FLAG_ADHOC | FLAG_RUNTIME,
  infoPlist: Buffer.from('INFO'),
  codeResources: Buffer.from('RES'),
  requirements: encodeRequirementSet(null),
  cms: null,
};
const slice = sampleSlice('x86_64');
const { commandsEnd } = parseMacho(slice);
const signed = async (change: Partial<SliceSigning> = {}) => (await signSlice(slice, { ...OPTIONS, ...change })).data;
const said = (data: Buffer, change: Partial<SliceSigning> = {}) =>
  signSlice(data, { ...OPTIONS, ...change }).then(
    ({ data: made }) => parseMacho(made).codeSignature?.dataOffset,
    (error: Error) => error.message,
  );
const directoryOf = (data: Buffer) =>
  parseCodeDirectory(
    parseSuperBlob(data.subarray(parseMacho(data).codeSignature?.dataOffset), 0xfade0cc0).blobs[0]!.data,
  );

describe('where a new signature goes', () => {
  // 8440 bytes of the sample; codesign pads to a multiple of 16.
  const OFFSET = 8448;

  it('is behind all that is there, or where the old one is', async () => {
    expect(await said(slice)).toBe(OFFSET);
    expect(await said(await signed())).toBe(OFFSET);
  });

  it('is nowhere when the old one lies where codesign puts none', async () => {
    const old = await signed({ signatureSize: 0x400 });
    const { commandOffset } = parseMacho(old).codeSignature!;
    const linkedit = segmentNamed(parseMacho(old), '__LINKEDIT');
    const placed = (offset: number, size: number, from = linkedit.fileOffset) => {
      const data = Buffer.from(old);
      data.writeUInt32LE(offset, commandOffset + 8);
      data.writeUInt32LE(size, commandOffset + 12);
      data.writeBigUInt64LE(BigInt(from), linkedit.commandOffset + 40);
      data.writeBigUInt64LE(BigInt(data.length - from), linkedit.commandOffset + 48);
      return said(data);
    };
    const words = (from: number, to: number) =>
      `Mach-O, offset ${commandOffset + 8}: a signature from ${from} to ${to} of ${OFFSET + 0x400}`;
    expect(await placed(OFFSET, 0x400)).toBe(OFFSET);
    // Up to 7 bytes of padding may follow it.
    expect(await placed(OFFSET, 0x400 - 7)).toBe(OFFSET);
    expect(await placed(OFFSET, 0x400 - 8)).toBe(words(OFFSET, OFFSET + 0x400 - 8));
    expect(await placed(OFFSET + 16, 0x400 - 16)).toBe(OFFSET + 16);
    expect(await placed(OFFSET + 8, 0x400 - 8)).toBe(words(OFFSET + 8, OFFSET + 0x400));
    expect(await placed(OFFSET, 0x400, OFFSET)).toBe(OFFSET);
    expect(await placed(OFFSET, 0x400, OFFSET + 1)).toBe(words(OFFSET, OFFSET + 0x400));
  });

  it('is never beyond a __LINKEDIT that ends early', async () => {
    const { commandOffset, fileSize } = segmentNamed(parseMacho(slice), '__LINKEDIT');
    const data = Buffer.from(slice);
    data.writeBigUInt64LE(BigInt(fileSize - 1), commandOffset + 48);
    expect(await said(data)).toBe(`Mach-O, offset ${commandOffset + 40}: __LINKEDIT ends at 8439 of 8440`);
  });
});

describe('what is set aside for a signature', () => {
  it('is what an ad-hoc one takes, up to a multiple of 16', async () => {
    for (const identifier of ['a', 'ab', 'a'.repeat(8), 'a'.repeat(15), 'a'.repeat(16)]) {
      const data = await signed({ identifier });
      const { dataOffset, dataSize } = parseMacho(data).codeSignature!;
      const { length } = parseSuperBlob(data.subarray(dataOffset), 0xfade0cc0);
      expect(dataSize).toBe(Math.ceil(length / 16) * 16);
    }
  });

  it('is 18,000 bytes more for a CMS, whatever its size', async () => {
    const sizes = [0, 1, 17_000].map(async (size) => {
      const data = await signed({ cms: async () => Buffer.alloc(size, 1) });
      return parseMacho(data).codeSignature?.dataSize;
    });
    // Index of 36 bytes, directory of 96 + 20 + 6 × 32, set of 12.
    const expected = Math.ceil((36 + 96 + 20 + 6 * 32 + 12 + 18_000) / 16) * 16;
    expect(await Promise.all(sizes)).toEqual([expected, expected, expected]);
  });

  it('is as much as another signer chose, and no less than is needed', async () => {
    const { length } = parseSuperBlob((await signed()).subarray(8448), 0xfade0cc0);
    expect(parseMacho(await signed({ signatureSize: length })).codeSignature?.dataSize).toBe(length);
    await expect(signed({ signatureSize: length - 1 })).rejects.toMatchObject({
      code: 'SIGNATURE_TOO_LARGE',
      message: expect.stringContaining(`the signature has ${length} bytes, ${length - 1} were set aside`),
    });
  });
});

describe('room for a load command', () => {
  const first = 1136; // the first section, __text
  const room = (free: number, change: (data: Buffer) => void = () => undefined) => {
    const data = Buffer.from(slice);
    // Its section table says that it begins earlier; 80 bytes each, the file offset at 48 (mach-o/loader.h).
    data.writeUInt32LE(commandsEnd + free, 32 + 72 + 48);
    change(data);
    return said(data);
  };

  it('is 16 bytes of zero before the first section', async () => {
    expect(slice.readUInt32LE(32 + 72 + 48)).toBe(first);
    expect(await room(16)).toBe(8448);
    expect(await room(15)).toContain(`MachHeader64, offset ${commandsEnd}: 15 free bytes for a load command of 16`);
    expect(await room(16, (data) => data.writeUInt8(1, commandsEnd + 15))).toContain('16 free bytes');
    expect(await room(16, (data) => data.writeUInt8(1, commandsEnd + 16))).toBe(8448);
    expect(await room(16, (data) => data.writeUInt8(1, commandsEnd))).toContain('16 free bytes');
  });

  it('is taken by one more, which the header counts', async () => {
    const data = await signed();
    expect([16, 20].map((at) => data.readUInt32LE(at) - slice.readUInt32LE(at))).toEqual([1, 16]);
    expect(parseMacho(data).codeSignature?.commandOffset).toBe(commandsEnd);
    const again = (await signSlice(data, OPTIONS)).data;
    expect([16, 20].map((at) => again.readUInt32LE(at) - data.readUInt32LE(at))).toEqual([0, 0]);
  });
});

describe('what a code directory says of its slice', () => {
  it('is its executable segment, and whether it is a main program', async () => {
    const program = Buffer.from(slice);
    program.writeUInt32LE(2, 12); // MH_EXECUTE
    const segment = { base: 0n, limit: 4096n };
    expect(directoryOf(await signed()).execSegment).toEqual({ ...segment, flags: 0n });
    const { data } = await signSlice(program, OPTIONS);
    expect(directoryOf(data).execSegment).toEqual({ ...segment, flags: EXEC_SEGMENT_MAIN_BINARY });
  });

  it('is the SDK, with the hardened runtime alone', async () => {
    expect(directoryOf(await signed()).runtimeVersion).toBe(0x0e0400);
    expect(directoryOf(await signed({ flags: FLAG_ADHOC }))).toMatchObject({ runtimeVersion: 0, version: 0x20400 });
  });

  it('ends with the last slot that is used', async () => {
    const slots = async (change: Partial<SliceSigning>) => directoryOf(await signed(change)).specialSlots.map((slot) => slot.some(Boolean));
    expect(await slots({})).toEqual([true, true, true]);
    expect(await slots({ codeResources: null })).toEqual([true, true]);
    expect(await slots({ codeResources: null, infoPlist: null })).toEqual([false, true]);
  }); // biome-ignore format: a table
});

describe('the segment __LINKEDIT of a signed slice', () => {
  it('ends with the file, and is a multiple of 0x4000 in memory', async () => {
    const sizes = async (signatureSize: number) => {
      const { fileOffset, fileSize, vmSize } = segmentNamed(parseMacho(await signed({ signatureSize })), '__LINKEDIT');
      return [fileOffset, fileSize, Number(vmSize)];
    };
    expect(await sizes(0x4000 - 256)).toEqual([8192, 0x4000, 0x4000]);
    expect(await sizes(0x4000 - 255)).toEqual([8192, 0x4001, 0x8000]);
  });
});
