import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { BindContext } from '../../src/macho/bind-context.ts';
import { bindTableProblems } from '../../src/macho/bind-tables.ts';
import { chainedFixupProblem } from '../../src/macho/chained-fixups.ts';
import { LC_DYLD_CHAINED_FIXUPS, LINKEDIT_DATA_COMMAND } from '../../src/macho/layout.ts';
import { builtSince, parseMacho } from '../../src/macho/macho.ts';
import { sampleSlice } from '../code-signature/sample.ts';

const slice = sampleSlice('x86_64');
const macho = parseMacho(slice);
const commandOf = (number: number) => macho.commands.find(({ command }) => command === number)!;

/** The slice with one load command longer or shorter by some bytes; nothing in the file moves but the commands behind it. */
function resized(number: number, by: number): Buffer {
  const { offset, size } = commandOf(number);
  const header = Buffer.from(slice.subarray(0, 32));
  header.writeUInt32LE(header.readUInt32LE(20) + by, 20);
  const command = Buffer.alloc(size + by);
  slice.copy(command, 0, offset, offset + Math.min(size, size + by));
  command.writeUInt32LE(size + by, 4);
  const commands = [slice.subarray(32, offset), command, slice.subarray(offset + size, macho.commandsEnd)];
  const end = 32 + commands.reduce((sum, part) => sum + part.length, 0);
  const rest = slice.subarray(macho.commandsEnd + Math.max(0, by));
  const room = Buffer.alloc(slice.length - end - rest.length);
  return Buffer.concat([header, ...commands, room, rest]);
}

// Numbers and sizes from mach-o/loader.h, not from our own table.
const UUID = 0x1b; // 24 bytes
const BUILD_VERSION = 0x32; // 24 bytes, then its tools
const LC_SEGMENT_64 = 0x19;
const LOAD_DYLIB = 0xc;

describe('a load command at the edge of its size', () => {
  it('UuidCommand is read at its size, refused with eight bytes less or more', () => {
    expect(parseMacho(resized(UUID, 0))).toEqual(macho);
    for (const by of [-8, 8])
      expect(() => parseMacho(resized(UUID, by))).toThrow(
        `UuidCommand, offset ${commandOf(UUID).offset + 4}: expected command size 24, found ${24 + by}`,
      );
  });

  it('BuildVersionCommand may be longer than its structure, never shorter', () => {
    const { offset, size } = commandOf(BUILD_VERSION);
    expect(parseMacho(resized(BUILD_VERSION, 24 - size)).version).toEqual(macho.version);
    expect(() => parseMacho(resized(BUILD_VERSION, 16 - size))).toThrow(
      `BuildVersionCommand, offset ${offset + 4}: expected command size 24, found 16`,
    );
  });

  it('DylibCommand may be longer than its structure, never shorter', () => {
    const { offset, size } = commandOf(LOAD_DYLIB);
    expect(parseMacho(resized(LOAD_DYLIB, 8)).dylibs).toEqual(macho.dylibs);
    expect(() => parseMacho(resized(LOAD_DYLIB, 16 - size))).toThrow(
      `DylibCommand, offset ${offset + 4}: expected command size 24, found 16`,
    );
  });
});

describe('libraries that a program loads', () => {
  const loaded = (number: number) => {
    const changed = Buffer.from(slice);
    changed.writeUInt32LE(number, commandOf(LOAD_DYLIB).offset);
    return parseMacho(changed).dylibs;
  };

  // LC_LOAD_DYLIB, weak, re-exported, upward, lazy.
  it.each([0xc, 0x80000018, 0x8000001f, 0x80000023, 0x20])('are those of command %i', (number) => {
    expect(loaded(number)).toEqual(['/usr/lib/libSystem.B.dylib']);
  });

  // LC_ID_DYLIB names the file itself.
  it.each([0xd, 0x18, 0x1f])('are not those of command %i', (number) => {
    expect(loaded(number)).toEqual([]);
  });
});

describe('the versions that code is built for', () => {
  const BUILD_VERSION = 0x32;
  const VERSION_MIN_MACOSX = 0x24;
  const build = (platform: number, minimumOs: number) => {
    const command = Buffer.alloc(24);
    for (const [at, value] of [BUILD_VERSION, 24, platform, minimumOs, 0x000f0000].entries())
      command.writeUInt32LE(value, at * 4);
    return command;
  };
  const minimum = Buffer.alloc(16);
  for (const [at, value] of [VERSION_MIN_MACOSX, 16, 0x000a0e00, 0x000f0000].entries())
    minimum.writeUInt32LE(value, at * 4);
  /** A file that is a header and these commands. */
  const withCommands = (...commands: Buffer[]) => {
    const header = Buffer.from(slice.subarray(0, 32));
    header.writeUInt32LE(commands.length, 16);
    header.writeUInt32LE(
      commands.reduce((sum, { length }) => sum + length, 0),
      20,
    );
    return parseMacho(Buffer.concat([header, ...commands])).version;
  };

  it('are those of macOS where Mac Catalyst has its own', () => {
    const macOS = { platform: 1, minimumOs: 0x000d0000, sdk: 0x000f0000 };
    expect(withCommands(build(6, 0x00100000), build(1, 0x000d0000))).toEqual(macOS);
    expect(withCommands(build(1, 0x000d0000), build(6, 0x00100000))).toEqual(macOS);
  });

  it('are those of another platform where macOS has none', () =>
    expect(withCommands(build(6, 0x00100000))).toMatchObject({ platform: 6 }));

  it('are refused when macOS has two', () => {
    expect(() => withCommands(build(1, 0x000a0e00), build(1, 0x001a0000))).toThrow('a second LC_BUILD_VERSION');
    expect(() => withCommands(build(1, 0x001a0000), minimum)).toThrow('LC_VERSION_MIN_MACOSX beside LC_BUILD_VERSION');
    expect(withCommands(minimum)).toMatchObject({ platform: 1, minimumOs: 0x000a0e00 });
  });
});

describe('the segment __LINKEDIT', () => {
  it('is missed when it has another name', () => {
    const changed = Buffer.from(slice);
    const { commandOffset } = macho.segments.find(({ name }) => name === '__LINKEDIT')!;
    changed.write('__LINKEDIX', commandOffset + 8, 'latin1');
    expect(bindTableProblems(changed)).toContainEqual(
      expect.stringContaining('LINKEDIT: bad or unknown file offset or size'),
    );
  });
});

describe('the tables of a file', () => {
  it('pass on an error that is none of the file', () => {
    const broken = Object.assign([...macho.commands], {
      find: () => {
        throw new TypeError('ours');
      },
    });
    expect(() => bindTableProblems(slice, { ...macho, commands: broken })).toThrow(TypeError);
  });

  it.each([
    [null, 0, false],
    [0x000a0eff, 0x000a0f00, false],
    [0x000a0f00, 0x000a0f00, true],
    [0x000a0f01, 0x000a0f00, true],
  ])('are held to what its SDK asks for: built with %s, since %i', (sdk, least, expected) => {
    const version = sdk === null ? null : { platform: 1, minimumOs: 0, sdk };
    expect(builtSince({ ...macho, version }, least)).toBe(expected);
  });
});

describe('a Mach-O with segments and nothing else', () => {
  it('says that __LINKEDIT holds nothing', () => {
    const segments = macho.commands
      .filter(({ command }) => command === LC_SEGMENT_64)
      .map(({ offset, size }) => slice.subarray(offset, offset + size));
    const commands = Buffer.concat(segments);
    const header = Buffer.from(slice.subarray(0, 32));
    header.writeUInt32LE(segments.length, 16);
    header.writeUInt32LE(commands.length, 20);
    const room = Buffer.alloc(macho.commandsEnd - 32 - commands.length);
    const bare = Buffer.concat([header, commands, room, slice.subarray(macho.commandsEnd)]);
    expect(bindTableProblems(bare)).toEqual(['LINKEDIT: no information']);
  });
});

describe('chained fixups at their edge', () => {
  const file = readFileSync(fileURLToPath(new URL('../fixtures/login-host/chained-fixups-x86_64', import.meta.url)));
  const image = parseMacho(file);
  const { offset } = image.commands.find(({ command }) => command === LC_DYLD_CHAINED_FIXUPS)!;
  const { dataOffset, dataSize } = LINKEDIT_DATA_COMMAND.decode(file, offset);
  const data = file.subarray(dataOffset, dataOffset + dataSize);
  const segments = image.segments.map(({ name, vmAddress, vmSize }) => ({
    name,
    vmAddress,
    size: vmSize,
    writable: name.startsWith('__DATA'),
    executable: name === '__TEXT',
  }));
  const context: BindContext = { segments, dylibCount: image.dylibs.length, onlyInData: false };
  const changed = (at: number, value: number) => {
    const copy = Buffer.from(data);
    copy.writeUInt32LE(value, at);
    return copy;
  };
  const startsOffset = data.readUInt32LE(4);

  it('follows those of the linker', () => expect(chainedFixupProblem(data, context)).toBeNull());

  it('refuses starts that lie at the very end of their table', () => {
    expect(chainedFixupProblem(changed(4, data.length), context)).toMatch(/starts_offset exceeds/);
  });

  it('looks at as many segments as it says, and at none behind', () => {
    const count = data.readUInt32LE(startsOffset);
    const more = [...segments, { ...segments[0]!, name: '__CTF' }];
    // The word behind the last segment's is the first of the next structure, not an offset.
    const behind = changed(startsOffset + 4 + 4 * count, 0x7fffff00);
    expect(chainedFixupProblem(behind, { ...context, segments: more })).toBe(chainedFixupProblem(behind, context));
  });
});
