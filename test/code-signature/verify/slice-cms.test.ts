import { beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../../src/base/check.ts';
import { FormatError } from '../../../src/base/errors.ts';
import { cdHash, FLAG_ADHOC, FLAG_RUNTIME, parseCodeDirectory } from '../../../src/code-signature/code-directory.ts';
import type { Requirement } from '../../../src/code-signature/requirement/requirement.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { type Blob, encodeBlob } from '../../../src/code-signature/super-blob.ts';
import type { CodeExpectations } from '../../../src/code-signature/verify/code-expectations.ts';
import type { CmsVerdict, VerifyCodeCms } from '../../../src/code-signature/verify/verify-cms.ts';
import { verifySlice } from '../../../src/code-signature/verify/verify-slice.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { AD_HOC } from '../signers.ts';
import { AROUND, type SignedSlice, signedSlice } from './signed-slice.ts';

const CERTIFICATE = {
  sha1: Buffer.alloc(20, 1),
  subject: new Map(),
  extensions: new Set<string>(),
  policies: new Set<string>(),
};
const VERDICT: CmsVerdict = {
  checks: [{ id: 'code-chain', status: 'pass', subject: 'slice' }],
  certificates: [CERTIFICATE],
  anchoredByApple: true,
  signerName: 'signer',
  teamIdentifier: 'TEAM',
  signingTime: new Date(1000),
  timestamp: new Date(2000),
};
const OURS: CodeExpectations = { verifyCms: () => VERDICT, ours: true, allowAdHoc: false };

/** As our own signer leaves it, with a CMS that nobody looks into: `verifyCms` is the test's. */
const signed = (flags = FLAG_RUNTIME, teamIdentifier: string | null = 'TEAM', requirement: Requirement | null = null) =>
  signedSlice({
    flags,
    teamIdentifier,
    requirements: encodeRequirementSet(requirement),
    cms: async () => Buffer.alloc(100, 'c'),
  });
const told = ({ status, reason }: Check) => (reason === undefined ? status : `${status}: ${reason}`);
const said = (id: string, slice: Buffer, expectations: CodeExpectations = OURS, around = AROUND) =>
  verifySlice(slice, 'slice', around, expectations)
    .checks.filter((check) => check.id === id)
    .map(told);

let sample: SignedSlice;
beforeAll(async () => {
  sample = await signed();
});

describe('the CMS of a slice', () => {
  it('is checked with all that belongs to it', () => {
    const asked: Parameters<VerifyCodeCms>[0][] = [];
    const verifyCms: VerifyCodeCms = (input) => {
      asked.push(input);
      return VERDICT;
    };
    const { checks } = verifySlice(sample.data, 'the slice', AROUND, { ...OURS, verifyCms });
    expect(checks).toContainEqual(VERDICT.checks[0]);
    expect(asked).toEqual([
      {
        cms: Buffer.alloc(100, 'c'),
        codeDirectories: [parseCodeDirectory(sample.blobs[0]!.data)],
        subject: 'the slice',
        exact: true,
        demanding: true,
      },
    ]);
  });

  it('is over the code directory of the first slot, wherever the index names it', () => {
    const asked: number[][] = [];
    const verifyCms: VerifyCodeCms = ({ codeDirectories }) => {
      asked.push(codeDirectories.map(({ flags }) => flags));
      return VERDICT;
    };
    const second = Buffer.from(sample.blobs[0]!.data);
    second.writeUInt32BE(FLAG_RUNTIME | 0x200, 12);
    const all = [...sample.blobs, { type: 0x1000, data: second }];
    for (const blobs of [all, all.toReversed()]) verifySlice(sample.withBlobs(blobs), 'slice', AROUND, { ...OURS, verifyCms });
    expect(asked).toEqual([[FLAG_RUNTIME, FLAG_RUNTIME | 0x200], [FLAG_RUNTIME, FLAG_RUNTIME | 0x200]]);
  }); // biome-ignore format: short

  it.each<[Partial<CodeExpectations>, boolean, boolean]>([
    [{ ours: true }, true, true],
    [{ ours: true, appleMade: true }, false, true],
    [{ ours: false }, false, false],
    [{ ours: false, asNotary: true }, false, true],
    [{ ours: false, asNotary: false }, false, false],
  ])('with %j: exact %s, demanding %s', (change, exact, demanding) => {
    const seen: unknown[] = [];
    const verifyCms: VerifyCodeCms = (input) => {
      seen.push([input.exact, input.demanding]);
      return VERDICT;
    };
    verifySlice(sample.data, 'slice', AROUND, { ...OURS, ...change, verifyCms });
    expect(seen).toEqual([[exact, demanding]]);
  });

  it('may be missing in an ad-hoc signature, where that is allowed', async () => {
    const adHoc = await signedSlice();
    const words = 'ad-hoc: signed by nobody';
    expect(said('code-cms', adHoc.data, AD_HOC)).toEqual([`skipped: ${words}`]);
    expect(said('code-cms', adHoc.data, { ...AD_HOC, allowAdHoc: false })).toEqual([`fail: ${words}`]);
    const without = adHoc.withBlobs(adHoc.blobs.slice(0, 2));
    expect(said('code-cms', without, { ...AD_HOC, ours: false })).toEqual([`skipped: ${words}`]);
    const empty = sample.withBlobs([...sample.blobs.slice(0, 2), { type: 0x10000, data: encodeBlob(0xfade0b01, Buffer.alloc(0)) }]);
    for (const allowAdHoc of [true, false])
      expect(said('code-cms', empty, { ...OURS, allowAdHoc })).toEqual(['fail: the signature has no CMS']);
  }); // biome-ignore format: a table

  it('is passed over where nobody asks for it, and a blob that is none is not', () => {
    expect(said('code-cms', sample.data, { ...OURS, verifyCms: null })).toEqual(['skipped: not asked for']);
    const wrong = sample.withBlobs([...sample.blobs.slice(0, 2), { type: 0x10000, data: encodeBlob(1, Buffer.alloc(9)) }]);
    expect(said('code-cms', wrong)).toEqual([expect.stringMatching(/^fail: Blob.*expected magic 0xfade0b01/)]);
    expect(said('code-team', wrong)).toEqual([]);
  }); // biome-ignore format: a table

  it('is of the team that the code directory names', async () => {
    const team = (slice: SignedSlice, teamIdentifier: string | null, ours = true) =>
      said('code-team', slice.data, { ...OURS, ours, verifyCms: () => ({ ...VERDICT, teamIdentifier }) });
    const none = await signed(FLAG_RUNTIME, null);
    const adHoc = await signed(FLAG_RUNTIME | FLAG_ADHOC, 'TEAM');
    expect(team(sample, 'TEAM')).toEqual(['pass']);
    expect(team(sample, 'TEAM', false)).toEqual(['pass']);
    expect(team(sample, 'OTHER', false)).toEqual(['fail: team TEAM, the certificate is of OTHER']);
    expect(team(sample, null)).toEqual(['fail: team TEAM, the certificate is of none']);
    expect(team(none, 'TEAM')).toEqual(['fail: no team identifier']);
    expect(team(none, 'TEAM', false)).toEqual(['pass']);
    expect(team(adHoc, 'TEAM', false)).toEqual(['fail: marked ad-hoc, but signed with a certificate']);
  });

  it.each([[0], [1]])('is of the team that each code directory names, number %i too', (number) => {
    const [first, ...others] = sample.blobs as [Blob, ...Blob[]];
    const other = Buffer.from(first.data);
    other.write('MEAT', other.indexOf('TEAM'));
    const [one, two] = number === 0 ? [other, first.data] : [first.data, other];
    const slice = sample.withBlobs([{ type: 0, data: one }, ...others.slice(0, 1), { type: 0x1000, data: two }, ...others.slice(1)]);
    expect(said('code-team', slice, { ...OURS, ours: false })).toEqual(['fail: team MEAT, the certificate is of TEAM']);
  }); // biome-ignore format: short
});

describe('the designated requirement of a slice', () => {
  const id = 'code-designated-requirement';
  const hash = (slice: SignedSlice) => cdHash(parseCodeDirectory(slice.blobs[0]!.data));

  it.each<[Requirement, string]>([
    [{ op: 'identifier', value: 'com.example.plug-in' }, 'pass'],
    [{ op: 'identifier', value: 'other' }, 'fail: the code does not meet: identifier other'],
    [{ op: 'anchorAppleGeneric' }, 'pass'],
    [{ op: 'infoPlistValue', key: 'key', value: 'value' }, 'pass'],
    [{ op: 'certificateHash', slot: 0, sha1: CERTIFICATE.sha1 }, 'pass'],
    [{ op: 'certificateHash', slot: 1, sha1: CERTIFICATE.sha1 }, `fail: the code does not meet: certificate 1 = H"${'01'.repeat(20)}"`],
    [{ op: 'notarized' }, 'skipped: cannot be known without a Mac: notarized'],
  ])('%j: %s', async (requirement, words) => {
    const slice = await signed(FLAG_RUNTIME, 'TEAM', requirement);
    expect(said(id, slice.data)).toEqual([words]);
    expect(said(id, slice.data, { ...OURS, verifyCms: null })).toEqual(['skipped: needs the certificates']);
  }); // biome-ignore format: a table

  it('may ask for the hash of a code directory', async () => {
    const other = await signed(FLAG_RUNTIME, 'TEAM', { op: 'cdHash', hash: Buffer.alloc(20, 9) });
    expect(said(id, other.data)).toEqual([expect.stringContaining('does not meet: cdhash')]);
    // What a directory seals cannot name its own hash: a set in another file can, and slots are checked elsewhere.
    const own = other.withBlobs([
      other.blobs[0]!,
      { type: 2, data: encodeRequirementSet({ op: 'cdHash', hash: hash(other) }) },
      other.blobs[2]!,
    ]);
    expect(said(id, own)).toEqual(['pass']);
  });

  it('is not demanded, and must be readable', () => {
    expect(said(id, sample.data)).toEqual(['skipped: none is written down']);
    const none = sample.withBlobs([sample.blobs[0]!, sample.blobs[2]!]);
    expect(said(id, none, { ...OURS, ours: false })).toEqual(['skipped: none is written down']);
    const broken = sample.withBlobs([sample.blobs[0]!, { type: 2, data: encodeBlob(0xfade0c01, Buffer.alloc(3)) }, sample.blobs[2]!]);
    expect(said(id, broken)).toEqual([expect.stringMatching(/^fail: SuperBlob/)]);
  }); // biome-ignore format: a table
});

describe('the facts of a slice', () => {
  it('are those of its directory, its certificates and its load commands', async () => {
    const requirement: Requirement = { op: 'identifier', value: 'x' };
    const slice = await signed(FLAG_RUNTIME, 'TEAM', requirement);
    const directory = parseCodeDirectory(slice.blobs[0]!.data);
    const hash = cdHash(directory).toString('hex');
    const facts = {
      architecture: 'x86_64',
      identifier: 'com.example.plug-in',
      teamIdentifier: 'TEAM',
      flags: FLAG_RUNTIME,
      cdHash: hash,
      cdHashes: [hash],
      hashType: 2,
      runtimeVersion: 0x0e0400,
      minimumOs: 0x0a0e00,
      sdk: 0x0e0400,
      designatedRequirement: 'identifier x',
      signerName: 'signer',
      signingTime: new Date(1000),
      timestamp: new Date(2000),
      sharedSlots: directory.specialSlots.map((slot) => slot.toString('hex')),
    };
    expect(verifySlice(slice.data, 'slice', AROUND, OURS).facts).toEqual(facts);
    expect(verifySlice(slice.data, 'slice', AROUND, { ...OURS, verifyCms: null }).facts).toEqual({
      ...facts,
      signerName: null,
      signingTime: null,
      timestamp: null,
    });
  });

  it('leave out what is not there, and slots beyond the third', async () => {
    const slice = await signedSlice();
    const old = slice.changed((data) => {
      const { offset } = parseMacho(data).commands.find(({ command }) => command === 0x32)!;
      data.writeUInt32LE(0x2a, offset); // LC_SOURCE_VERSION
    });
    const { facts } = verifySlice(old, 'slice', AROUND, AD_HOC);
    expect(facts).toMatchObject({ minimumOs: null, sdk: null, designatedRequirement: null, teamIdentifier: null });
    expect(facts?.sharedSlots).toHaveLength(3);
  });
});

describe('what a check costs', () => {
  /** Costs stand beside `WORK` in src/base/input/limits.ts. */
  const [HASH, FIXUPS, CMS, LARGE_CMS] = [0.5, 40, 200, 400];

  it.each<[number, readonly [number, number]]>([
    [100, [108, 0]],
    [12_280, [12_288, 0]],
    [12_281, [12_288, 1]],
  ])('is said before, with a CMS of %i bytes', async (size, [usual, large]) => {
    const { data } = await signedSlice({ cms: async () => Buffer.alloc(size, 'c'), flags: FLAG_RUNTIME });
    const spent: [number, number][] = [];
    verifySlice(data, 'slice', AROUND, { ...OURS, spend: (bytes, cost) => void spent.push([bytes, cost]) });
    // Of LC_DYLD_INFO_ONLY, mach-o/loader.h: rebase, bind, weak and lazy binds.
    const { offset } = parseMacho(data).commands.find(({ command }) => command === 0x80000022)!;
    const opcodes = [12, 20, 28, 36].reduce((sum, at) => sum + data.readUInt32LE(offset + at), 0);
    expect(spent).toEqual([
      [opcodes, FIXUPS],
      [8448, HASH],
      [usual, CMS],
      [large, LARGE_CMS],
    ]);
  });

  it('ends the check where it is too much, and any other error ends it all', () => {
    const at = (cost: number, error: Error) => ({
      ...OURS,
      spend: (_: number, found: number) => {
        if (found === cost) throw error;
      },
    });
    const tooMuch = new FormatError('SIZE_LIMIT', 'flat package', 0, 'too much');
    const words = 'fail: flat package, offset 0: too much';
    expect(said('code-pages', sample.data, at(HASH, tooMuch))).toEqual([words]);
    expect(said('code-cms', sample.data, at(CMS, tooMuch))).toEqual([words]);
    expect(said('code-bind-tables', sample.data, at(FIXUPS, tooMuch))).toEqual([words]);
    expect(() => verifySlice(sample.data, 'slice', AROUND, at(HASH, new TypeError('ours')))).toThrow('ours');
  });
});

describe('tables that dyld does not load', () => {
  it('are a failure of ours, and a remark of others', () => {
    const loose = sample.changed((data) => {
      const { offset } = parseMacho(data).commands.find(({ command }) => command === 0x2)!; // LC_SYMTAB
      data.writeUInt32LE(data.readUInt32LE(offset + 8) + 4, offset + 8);
    });
    const id = 'code-bind-tables';
    const words = "LINKEDIT: mis-aligned content 'symbol table'";
    expect(said(id, loose)).toEqual([`fail: ${words}`]);
    expect(said(id, loose, { ...OURS, ours: false })).toEqual([`skipped: macOS 27 does not load it: ${words}`]);
    expect(said(id, sample.data, { ...OURS, ours: false })).toEqual(['pass']);
  });

  it('are looked for in code of 64 bits alone', () => {
    const header = Buffer.alloc(28);
    for (const [index, word] of [0xfeedface, 7, 3, 2, 0, 0, 0].entries()) header.writeUInt32LE(word, index * 4);
    const { checks } = verifySlice(header, 'slice', AROUND, OURS);
    expect(checks.map(({ id, status }) => `${id} ${status}`).slice(0, 2)).toEqual(['code-macho pass', 'code-layout fail']);
  }); // biome-ignore format: a table
});
