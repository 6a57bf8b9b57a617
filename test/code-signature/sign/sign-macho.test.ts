import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FLAG_ADHOC, FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { parseMacho, segmentNamed } from '../../../src/macho/macho.ts';
import { check, firstOnPath } from '../../support/needs.ts';
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

const folder = mkdtempSync(join(tmpdir(), 'sign-macho-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(['x86_64', 'arm64'] as const)('signSlice, %s', (architecture) => {
  const slice = sampleSlice(architecture);

  it('leaves the input alone and every byte before the signature but the load commands', async () => {
    const before = Buffer.from(slice);
    const { data } = await signSlice(slice, OPTIONS);
    expect(slice.equals(before)).toBe(true);
    const { commandsEnd, codeSignature } = parseMacho(data);
    expect(codeSignature?.dataOffset).toBe(Math.ceil(slice.length / 16) * 16);
    expect(data.subarray(commandsEnd, slice.length).equals(slice.subarray(commandsEnd))).toBe(true);
  });

  it('ends __LINKEDIT with the signature, in memory at a multiple of 0x4000', async () => {
    const { data } = await signSlice(slice, OPTIONS);
    const linkedit = segmentNamed(parseMacho(data), '__LINKEDIT');
    expect(linkedit.fileOffset + linkedit.fileSize).toBe(data.length);
    expect(Number(linkedit.vmSize) % 0x4000).toBe(0);
  });

  it('replaces a signature by the same bytes', async () => {
    const once = await signSlice(slice, OPTIONS);
    const twice = await signSlice(once.data, OPTIONS);
    expect(twice.data.equals(once.data)).toBe(true);
    const larger = await signSlice(once.data, { ...OPTIONS, cms: async () => Buffer.alloc(100, 1) });
    const back = await signSlice(larger.data, OPTIONS);
    expect(back.data.equals(once.data)).toBe(true);
  });

  it('refuses a CMS larger than what was set aside, at its edge', async () => {
    const signed = async (size: number) => signSlice(slice, { ...OPTIONS, cms: async () => Buffer.alloc(size, 1) });
    // 18000 bytes, of which the wrapper's header takes 8; up to 15 more come from rounding.
    await expect(signed(18000 - 8)).resolves.toBeDefined();
    await expect(signed(18000 + 8)).rejects.toThrow('were set aside');
  });

  it('needs the SDK version for the hardened runtime', async () => {
    const bad = Buffer.from(slice);
    const { offset } = parseMacho(slice).commands.find(({ command }) => command === 0x32)!;
    bad.writeUInt32LE(0x2a, offset); // LC_SOURCE_VERSION
    await expect(signSlice(bad, OPTIONS)).rejects.toThrow('no SDK version');
    await expect(signSlice(bad, { ...OPTIONS, flags: FLAG_ADHOC })).resolves.toBeDefined();
  });

  it('refuses bytes behind __LINKEDIT, and no room for a load command', async () => {
    await expect(signSlice(Buffer.concat([slice, Buffer.alloc(16)]), OPTIONS)).rejects.toThrow('__LINKEDIT ends at');
    const full = Buffer.from(slice);
    full[parseMacho(slice).commandsEnd + 3] = 1;
    await expect(signSlice(full, OPTIONS)).rejects.toMatchObject({
      code: 'MACHO_NO_ROOM',
      hint: 'Link with -headerpad 40.',
    });
  });

  const objdump = firstOnPath('llvm-objdump', 'llvm-objdump-19', 'llvm-objdump-14');
  const note = objdump ? '' : ' (skipped: needs llvm-objdump)';
  it.skipIf(!objdump)(`is read by llvm-objdump${note}`, async () => {
    const { data } = await signSlice(slice, OPTIONS);
    const path = join(folder, architecture);
    writeFileSync(path, data);
    const text = check(objdump as string, ['--macho', '--private-headers', path]).toString();
    const { codeSignature } = parseMacho(data);
    const found = /cmd LC_CODE_SIGNATURE\s+cmdsize 16\s+dataoff (\d+)\s+datasize (\d+)/.exec(text);
    expect(found?.slice(1).map(Number)).toEqual([codeSignature?.dataOffset, codeSignature?.dataSize]);
  });
});
