import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FormatError } from '../../src/base/errors.ts';
import { architectureName, MH_BUNDLE, versionText } from '../../src/macho/layout.ts';
import { firstSectionOffset, parseMacho, segmentNamed } from '../../src/macho/macho.ts';
import { listExports } from '../../src/macho/symbols.ts';
import { sampleSlice } from '../code-signature/sample.ts';

const ARCHITECTURES = ['x86_64', 'arm64'] as const;

describe.each(ARCHITECTURES)('parseMacho, %s', (architecture) => {
  const slice = sampleSlice(architecture);
  const macho = parseMacho(slice);

  it('reads what the linker was told', () => {
    expect(macho).toMatchObject({
      architecture,
      fileType: MH_BUNDLE,
      codeSignature: null,
      dylibs: ['/usr/lib/libSystem.B.dylib'],
    });
    const minimumOs = architecture === 'arm64' ? 0x000b0000 : 0x000a0e00;
    expect(macho.version).toEqual({ platform: 1, minimumOs, sdk: 0x000e0400 });
    expect(macho.uuid).toMatch(/^[0-9a-f]{32}$/);
  });

  it('finds the last segment and the room behind the load commands', () => {
    const linkedit = segmentNamed(macho, '__LINKEDIT');
    expect(linkedit.fileOffset + linkedit.fileSize).toBe(slice.length);
    expect(firstSectionOffset(macho, slice.length) - macho.commandsEnd).toBeGreaterThanOrEqual(16);
    expect(() => segmentNamed(macho, '__NONE')).toThrow('expected one segment __NONE, found none');
  });

  it('lists the one symbol that is exported', () => {
    expect(listExports(slice, macho)).toEqual(['_AuthorizationPluginCreate']);
  });

  it('refuses every truncation of header and load commands', () => {
    for (let length = 0; length < macho.commandsEnd; length++) {
      expect(() => parseMacho(slice.subarray(0, length)), `${length} bytes`).toThrow(FormatError);
    }
  });

  it('throws nothing but FormatError, whatever four bytes are changed', () => {
    const changes = fc.tuple(
      fc.integer({ min: 0, max: macho.commandsEnd / 4 - 1 }),
      fc.integer({ min: 0, max: 0xffffffff }),
    );
    fc.assert(
      fc.property(changes, ([word, value]) => {
        const bad = Buffer.from(slice);
        bad.writeUInt32LE(value, word * 4);
        try {
          const read = parseMacho(bad);
          listExports(bad, read);
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseMacho', () => {
  const slice = sampleSlice('arm64');
  const write = (offset: number, value: number) => {
    const bad = Buffer.from(slice);
    bad.writeUInt32LE(value, offset);
    return () => parseMacho(bad);
  };

  it.each([
    ['magic', 0, 0xfeedbeef, 'MachHeader64, offset 0: expected magic 0xfeedfacf, found 0xfeedbeef'],
    ['number of commands', 16, 5000, 'MachHeader64, offset 16: 5000 load commands'],
    ['size of commands', 20, 0x100000, 'MachHeader64, offset 20: load commands end at'],
    ['size of the first command', 36, 7, 'LoadCommand, offset 36: command 0 has size 7'],
    ['sections of the first segment', 96, 1, 'SegmentCommand64, offset 96: 1 sections do not fill'],
    ['size of the first segment in the file', 80, 0x1000000, 'SegmentCommand64, offset 72: segment ends at'],
  ])('names the structure and the place of a wrong %s', (_, offset, value, problem) => {
    expect(write(offset, value)).toThrow(problem);
  });

  it('refuses fewer commands than their size holds', () => {
    expect(write(16, slice.readUInt32LE(16) - 1)).toThrow('load commands end at');
  });
});

describe('architectureName', () => {
  it('uses the words of Apple’s tools', () => {
    expect([
      architectureName(0x01000007, 3),
      architectureName(0x0100000c, 0x80000002),
      architectureName(18, 0),
    ]).toEqual(['x86_64', 'arm64e', 'ppc']);
  });
});

describe('versionText', () => {
  it('leaves out a last part of zero', () => {
    expect([versionText(0x000e0400), versionText(0x000a0e06), versionText(0)]).toEqual(['14.4', '10.14.6', '0.0']);
  });
});
