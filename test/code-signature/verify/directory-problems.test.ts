import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { CodeDirectory } from '../../../src/code-signature/code-directory.ts';
import {
  directoryProblems,
  pageProblem,
  slotProblems,
} from '../../../src/code-signature/verify/verify-code-directory.ts';
import type { Macho } from '../../../src/macho/macho.ts';

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest();
const DIRECTORY = {
  version: 0x20500,
  flags: 0x10000,
  identifier: 'a',
  teamIdentifier: 'TEAM',
  codeLimit: 0x5000,
  hashType: 2,
  platform: 0,
  pageSize: 4096,
  execSegment: { base: 0n, limit: 0x4000n, flags: 0n },
  runtimeVersion: 0x0e0400,
  specialSlots: [sha256('info'), sha256('requirements'), sha256('resources')],
  codeHashes: Buffer.alloc(0),
  hashSize: 32,
  packed: true,
} as unknown as CodeDirectory;
const MACHO = {
  fileType: 8,
  codeSignature: { dataOffset: 0x5000, dataSize: 0x100 },
  version: { sdk: 0x0e0400 },
  segments: [{ name: '__TEXT', fileOffset: 0, fileSize: 0x4000 }],
} as unknown as Macho;

describe('directoryProblems', () => {
  type Who = 'ours' | 'apple' | 'others';
  const problems = (who: Who, change: object, macho: object = {}, identifier: string | null = 'a') =>
    directoryProblems(
      { ...DIRECTORY, ...change },
      { ...MACHO, ...macho },
      { infoPlist: null, codeResources: null, identifier, information: new Map() },
      { verifyCms: null, ours: who !== 'others', appleMade: who === 'apple', allowAdHoc: true },
    ).filter((one) => one !== false);

  it('are none of a directory as we make it', () => {
    for (const who of ['ours', 'apple', 'others'] as const) expect(problems(who, {})).toEqual([]);
  });

  it.each<[object, string, string]>([
    [{ codeLimit: 0x4fff }, 'codeLimit 20479, the signature begins at 20480', 'ours apple others'],
    [{ platform: 1 }, 'platform 1', 'ours apple others'],
    [{ identifier: 'b' }, 'identifier b, Info.plist says a', 'ours apple'],
    [{ packed: false }, 'not in the form that codesign gives it', 'ours apple'],
    [{ runtimeVersion: 0x0e0500 }, 'runtime version 0xe0500, the SDK is 0xe0400', 'ours apple'],
    [{ runtimeVersion: 0 }, 'no runtime version', 'ours apple'],
    [{ flags: 0 }, 'not signed with the hardened runtime', 'ours apple'],
    [{ flags: 0x10100 }, 'flags 0x10100', 'ours apple'],
    [{ hashType: 1 }, 'hash type 1, expected SHA-256', 'ours apple'],
    [{ version: 0x20600 }, 'version 0x20600, expected 0x20500', 'ours'],
    [{ pageSize: 16384 }, 'page size 16384', 'ours'],
    [{ specialSlots: DIRECTORY.specialSlots.slice(0, 2) }, '2 special slots, expected 3', 'ours'],
    [{ flags: 0x10002 }, 'an ad-hoc signature with a team', 'ours apple others'],
    [{ execSegment: { base: 1n, limit: 0x4000n, flags: 0n } }, 'executable segment at 1', 'ours apple'],
    [{ execSegment: { base: 0n, limit: 0n, flags: 0n } }, 'executable segment of 0 bytes', 'ours apple'],
    [{ execSegment: { base: 0n, limit: 0x4000n, flags: 1n } }, 'executable segment flags 1', 'ours apple'],
  ])('are, of %s, %j: for %s', (change, words, whom) => {
    for (const who of ['ours', 'apple', 'others'] as const)
      expect(problems(who, change), who).toEqual(whom.split(' ').includes(who) ? [words] : []);
  });

  it('are none of what need not be there', () => {
    expect(problems('ours', { identifier: 'b' }, {}, null)).toEqual([]);
    expect(problems('ours', { flags: 0x10002, teamIdentifier: null })).toEqual([]);
    expect(problems('ours', { execSegment: null })).toEqual([]);
    expect(problems('ours', { execSegment: { base: 0n, limit: 0x4000n, flags: 1n } }, { fileType: 2 })).toEqual([]);
    expect(problems('ours', {}, { fileType: 2 })).toEqual(['executable segment flags 0']);
    expect(problems('ours', { execSegment: { base: 0n, limit: 0n, flags: 0n } }, { segments: [] })).toEqual([]);
    expect(problems('ours', { codeLimit: 0 }, { codeSignature: undefined })).toEqual([]);
    expect(problems('ours', {}, { version: undefined })).toEqual(['runtime version 0xe0400, the SDK is 0x0']);
  });
});

describe('pageProblem', () => {
  const slice = Buffer.alloc(10_000, 'x');
  const directory = (codeLimit: number, pageSize = 4096) => {
    const pages: Buffer[] = [];
    for (let at = 0; at < codeLimit; at += pageSize)
      pages.push(sha256(slice.subarray(at, Math.min(codeLimit, at + pageSize))));
    return { ...DIRECTORY, codeLimit, pageSize, codeHashes: Buffer.concat(pages) };
  };

  it.each([9000, 8192, 8193, 4096, 4095, 1, 10_000])('is none of %i bytes that are as they were', (limit) => {
    expect(pageProblem(slice, directory(limit))).toBeUndefined();
  });

  it.each<[number, string | undefined]>([
    [0, 'page 0 changed, of 3'],
    [4095, 'page 0 changed, of 3'],
    [4096, 'page 1 changed, of 3'],
    [8191, 'page 1 changed, of 3'],
    [8999, 'page 2 changed, of 3'],
    [9000, undefined],
  ])('of a byte changed at %i is %s', (at, words) => {
    const changed = Buffer.from(slice);
    changed[at] = 0;
    expect(pageProblem(changed, directory(9000))).toBe(words);
  });

  it('names eight pages at most, and a limit beyond the end', () => {
    expect(pageProblem(Buffer.alloc(10_000, 'y'), directory(10_000, 1000))).toBe(
      'page 0, 1, 2, 3, 4, 5, 6, 7 changed, of 10',
    );
    expect(pageProblem(slice.subarray(0, 8999), directory(9000))).toBe('codeLimit 9000 of 8999 bytes');
  });
});

describe('slotProblems', () => {
  const AROUND = {
    infoPlist: Buffer.from('info'),
    codeResources: Buffer.from('resources'),
    identifier: null,
    information: new Map(),
  };
  const BLOBS = [{ type: 2, data: Buffer.from('requirements') }];
  const problems = (slots: readonly Buffer[], blobs = BLOBS, around: object = {}) =>
    slotProblems({ ...DIRECTORY, specialSlots: slots }, blobs, { ...AROUND, ...around }).filter((one) => one !== false);
  const [info, requirements, resources] = DIRECTORY.specialSlots as [Buffer, Buffer, Buffer];
  const none = Buffer.alloc(32);

  it('are none where everything has its hash', () => {
    expect(problems([info, requirements, resources])).toEqual([]);
    expect(problems([info, requirements, resources, none, none])).toEqual([]);
    expect(problems([none, none, none], [], { infoPlist: null, codeResources: null })).toEqual([]);
    expect(problems([], [], { infoPlist: null, codeResources: null })).toEqual([]);
  });

  it.each<[string, readonly Buffer[], typeof BLOBS, object, string]>([
    [
      'another Info.plist',
      [info, requirements, resources],
      BLOBS,
      { infoPlist: Buffer.from('x') },
      'Info.plist changed since it was sealed',
    ],
    [
      'other resources',
      [info, requirements, resources],
      BLOBS,
      { codeResources: Buffer.from('x') },
      'CodeResources changed since it was sealed',
    ],
    [
      'other requirements',
      [info, requirements, resources],
      [{ type: 2, data: Buffer.from('x') }],
      {},
      'the requirement set changed since it was sealed',
    ],
    [
      'no Info.plist',
      [info, requirements, resources],
      BLOBS,
      { infoPlist: null },
      'Info.plist is sealed, but is not there',
    ],
    [
      'no resources',
      [info, requirements, resources],
      BLOBS,
      { codeResources: null },
      'CodeResources is sealed, but is not there',
    ],
    ['no requirements', [info, requirements, resources], [], {}, 'the requirement set is sealed, but is not there'],
    ['an Info.plist that nobody sealed', [none, requirements, resources], BLOBS, {}, 'Info.plist is not sealed'],
    ['resources that nobody sealed', [info, requirements], BLOBS, {}, 'CodeResources is not sealed'],
    [
      'a blob that nobody sealed',
      [info, requirements, resources],
      [...BLOBS, { type: 5, data: Buffer.from('x') }],
      {},
      'slot 5 is not sealed',
    ],
    ...[7, 8, 11].map((type): [string, readonly Buffer[], typeof BLOBS, object, string] => [
      `a blob of type ${type} that nobody sealed`,
      [info, requirements, resources],
      [...BLOBS, { type, data: Buffer.from('x') }],
      {},
      `slot ${type} is not sealed`,
    ]),
    [
      'a sealed blob that is not there',
      [info, requirements, resources, none, sha256('x')],
      BLOBS,
      {},
      'slot 5 is sealed, but is not there',
    ],
    [
      'a sealed blob that is not there, by a digest with a zero in it',
      [info, requirements, resources, none, Buffer.from('0001'.repeat(16), 'hex')],
      BLOBS,
      {},
      'slot 5 is sealed, but is not there',
    ],
  ])('tell of %s', (_, slots, blobs, around, words) => expect(problems(slots, blobs, around)).toEqual([words]));

  it('are none of a blob whose hash has a zero in it', () => {
    const text = Array.from({ length: 100 }, (_, number) => `${number}`).find((one) => sha256(one).includes(0));
    const data = Buffer.from(text as string);
    expect(problems([info, sha256(data), resources], [{ type: 2, data }])).toEqual([]);
  }); // biome-ignore format: short

  it('ask for no slot of further code directories and of the CMS', () => {
    const more = [0x1000, 0x10000].map((type) => ({ type, data: Buffer.from('x') }));
    expect(problems([info, requirements, resources], [...BLOBS, ...more])).toEqual([]);
  });
});
