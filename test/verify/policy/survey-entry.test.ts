import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { CpioEntry } from '../../../src/cpio/read.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import { FAT_ARCH, FAT_HEADER } from '../../../src/macho/layout.ts';
import { allowedMechanisms } from '../../../src/verify/policy/mechanisms.ts';
import { type Eyes, entryBounds, type Findings, surveyEntry } from '../../../src/verify/policy/survey-entry.ts';
import { renderPropertyList } from '../../../src/xml/property-list.ts';
import { sampleSlice } from '../../code-signature/sample.ts';
import { inPieces } from '../../support/payload.ts';

interface Made {
  readonly kind?: CpioEntry['kind'];
  readonly name?: string;
  readonly pieces?: number;
  readonly eyes?: Partial<Eyes>;
}

async function seen(
  content: Buffer | string,
  { kind = 'file', name = 'Payload: ./x', pieces = 65_536, eyes = {} }: Made,
) {
  const data = Buffer.from(content);
  const findings: Findings = { code: [], versions: [], mechanisms: [], unread: [], closed: [] };
  let spent = 0;
  const all: Eyes = {
    findings,
    allowed: allowedMechanisms([], []),
    verifyCms: () => expect.fail('nothing is signed'),
    codeBytes: 1_000_000,
    spend: (characters) => {
      spent += characters;
    },
    ofScripts: false,
    ...eyes,
  };
  const header = { fileSize: data.length } as CpioEntry['header'];
  const target = await surveyEntry({ kind, header, data: inPieces(data, pieces) } as unknown as CpioEntry, name, all);
  const found = Object.fromEntries(Object.entries(findings).filter(([, list]) => list.length > 0));
  return { found, target, spent };
}

let arm64: Buffer;
beforeAll(() => {
  arm64 = sampleSlice('arm64');
});

describe('an entry, looked at with a policy’s eyes', () => {
  it('may be nothing that a policy asks about', async () => {
    expect(await seen('x', {})).toEqual({ found: {}, target: undefined, spent: 2 });
    expect((await seen('', {})).found).toEqual({});
  });

  it('is a link, whose end is told and which is nothing else', async () => {
    expect(await seen('../Info.plist', { kind: 'symlink', name: 'Payload: ./Info.plist', pieces: 1 })).toMatchObject({
      found: {},
      target: '../Info.plist',
    });
    expect((await seen('xar!', { kind: 'symlink' })).found).toEqual({});
    const long = 'x/'.repeat(5000);
    expect((await seen(long, { kind: 'symlink', pieces: 1000 })).target).toBe(long);
  });

  it('is kept in memory no further than its first bytes tell that it is no code, or too much of it', async () => {
    const most = async (content: Buffer, codeBytes: number) => {
      const concat = vi.spyOn(Buffer, 'concat');
      await seen(content, { pieces: 2048, eyes: { codeBytes } });
      const held = concat.mock.calls.map(([parts]) => parts.reduce((sum, { length }) => sum + length, 0));
      concat.mockRestore();
      return Math.max(...held);
    };
    // 4088 bytes tell: a universal header and 204 records; mach-o/fat.h.
    expect(await most(Buffer.alloc(20_480, 'x'), 1_000_000)).toBe(4096);
    expect(await most(arm64, arm64.length - 1)).toBe(4096);
    expect(await most(arm64, arm64.length)).toBeGreaterThanOrEqual(arm64.length);
  });

  it('costs what is looked at of each piece', async () => {
    expect((await seen('ab', { pieces: 1 })).spent).toBe(2 * (1 + 2));
  });

  it('names mechanisms, of scripts also what nobody can follow', async () => {
    const words = 'runs a text that it puts together (eval), so that nobody can tell which mechanisms it names';
    expect((await seen('"Evil:x,privileged"', {})).found).toEqual({
      mechanisms: ['Payload: ./x names the mechanism Evil:x,privileged'],
    });
    expect((await seen('eval x', {})).found).toEqual({});
    expect((await seen('eval x', { eyes: { ofScripts: true } })).found).toEqual({
      mechanisms: [`Payload: ./x ${words}`],
    });
  });

  it.each(['xar!', 'xar!\0\x1c...'])('is an archive inside: %j', async (text) => {
    expect((await seen(text, { pieces: 3 })).found).toEqual({
      unread: ['Payload: ./x is an archive, which was not looked into'],
    });
    expect((await seen(` ${text}`, {})).found).toEqual({});
  });

  it('is closed', async () => {
    expect((await seen('PK\x03\x04....', {})).found).toEqual({
      closed: ['Payload: ./x is a zip archive, which was not looked into'],
    });
  });
});

describe('code', () => {
  const facts = (architecture: string, minimumOs: number) => ({
    name: `Payload: ./x (${architecture})`,
    architecture,
    minimumOs,
    teamIdentifier: null,
  });

  it.each([65_536, 4000, 4096, 1000])('is read whole, in pieces of %i bytes', async (pieces) => {
    expect((await seen(arm64, { pieces })).found).toEqual({ code: [facts('arm64', 0x0b0000)] });
    const fat = buildFat([sampleSlice('x86_64'), arm64]);
    expect((await seen(fat, { pieces })).found).toMatchObject({
      code: [{ architecture: 'x86_64' }, { architecture: 'arm64' }],
    });
  });

  it('is read as far as memory is set aside for it', async () => {
    const at = (codeBytes: number) => seen(arm64, { pieces: 4096, eyes: { codeBytes } });
    expect((await at(arm64.length)).found).toHaveProperty('code');
    expect((await at(arm64.length - 1)).found).toEqual({
      unread: [`Payload: ./x is code of more than ${arm64.length - 1} bytes`],
    });
  });

  it.each([
    ['begins like it', Buffer.concat([Buffer.from('cffaedfe', 'hex'), Buffer.alloc(28, 0xff)])],
    ['has too many slices for one and none for a Mac', Buffer.concat([Buffer.from('cafebabe00000001', 'hex'), Buffer.alloc(20)])],
  ])('that %s and cannot be read is told', async (_, data) => {
    expect((await seen(data, {})).found).toEqual({
      unread: [expect.stringMatching(/^Payload: \.\/x looks like code and cannot be read: /)],
    });
  }); // biome-ignore format: a table

  it('is no Java class, and is a universal file of as many slices', async () => {
    const java = Buffer.from('cafebabe00000034001d0a0006000f09', 'hex');
    expect((await seen(java, {})).found).toEqual({});
    const record = { cpuType: 0x0100000c, cpuSubtype: 0, offset: 0x4000, size: 1, alignment: 14 };
    const records = Array.from({ length: 60 }, () => FAT_ARCH.encode(record));
    const many = Buffer.concat([FAT_HEADER.encode({ magic: 0xcafebabe, count: 60 }), ...records, Buffer.alloc(0x4000)]);
    expect((await seen(many, {})).found).toHaveProperty('unread');
  });
});

describe('an Info.plist', () => {
  const KEY = 'LSMinimumSystemVersion';
  const list = (...entries: readonly (readonly [string, string | Map<string, string>])[]) =>
    renderPropertyList(new Map(entries));
  const versions = async (name: string, text: string) => (await seen(text, { name, pieces: 100 })).found;
  const from = 'Payload: ./A.app/Contents/Info.plist';

  it('asks for versions under several keys', async () => {
    const keys = [KEY, `${KEY}-macos`, `${KEY}~x`, `${KEY}-`, `${KEY}~`, `${KEY}s`, `x${KEY}`, 'CFBundleVersion'];
    expect(await versions(from, list(...keys.map((key, at) => [key, `1${at}.0`] as const)))).toEqual({
      versions: ['10.0', '13.0', '11.0', '14.0', '12.0'].map((version) => ({ from, version })),
    });
  });

  it('asks for versions by architecture', async () => {
    const each = new Map([['arm64', '12.0'], ['x86_64', '11.0']]);
    expect(await versions(from, list([`${KEY}ByArchitecture`, each]))).toEqual({
      versions: [{ from: `${from} (arm64)`, version: '12.0' }, { from: `${from} (x86_64)`, version: '11.0' }],
    });
    expect(await versions(from, list([`${KEY}ByArchitecture`, '12.0']))).toEqual({
      unread: [`${from}: its versions by architecture are not a dictionary`],
    });
  }); // biome-ignore format: short

  it('asks for nothing', async () => {
    expect(await versions(from, list(['a', 'b']))).toEqual({});
  });

  it.each([
    ['Payload: ./Info.plist', true],
    ['Payload: ./a/info.PLIST', true],
    ['Payload: ./a/Info-macos.plist', true],
    ['Payload: ./a/Info-.plist', false],
    ['Payload: ./a/Info-a b.plist', false],
    ['Payload: ./a/Infoxplist', false],
    ['Payload: ./a/MyInfo.plist', false],
    ['Payload: ./a/Info.plist.bak', false],
    ['Payload: ./a/Info.strings', false],
  ])('is %s: %s', async (name, is) => {
    expect(await versions(name, 'x')).toEqual(
      is ? { unread: [expect.stringContaining(`${name} was not read: `)] } : {},
    );
  });

  it('is read up to 4 MiB', async () => {
    const text = list([KEY, '12.0']).trimEnd();
    const padded = (size: number) => seen(text.padEnd(size, ' '), { name: from });
    expect((await padded(4 * 1024 * 1024)).found).toHaveProperty('versions');
    expect((await padded(4 * 1024 * 1024 + 1)).found).toEqual({
      unread: [`${from} has more than 4194304 bytes`],
    });
  });
});

describe('the bounds of entries', () => {
  const REFUSED = { code: 'SIZE_LIMIT' };

  it('are on how many there are', () => {
    const take = entryBounds(2);
    take('a', undefined);
    take('a', undefined);
    expect(() => take('a', undefined)).toThrow(expect.objectContaining(REFUSED));
  });

  it('are on the bytes of paths and of links, 300 for each', () => {
    const of = (path: number, target?: number) => () =>
      entryBounds(2)('p'.repeat(path), target === undefined ? undefined : 't'.repeat(target));
    expect(of(600)).not.toThrow();
    expect(of(601)).toThrow(expect.objectContaining(REFUSED));
    expect(of(500, 100)).not.toThrow();
    expect(of(500, 101)).toThrow(expect.objectContaining(REFUSED));
  });
});
