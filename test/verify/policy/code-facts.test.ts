import { beforeAll, describe, expect, it } from 'vitest';
import { FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { encodeSuperBlob, parseSuperBlob } from '../../../src/code-signature/super-blob.ts';
import type { CmsVerdict, VerifyCodeCms } from '../../../src/code-signature/verify/verify-cms.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { codeFacts } from '../../../src/verify/policy/code-facts.ts';
import { sampleSlice } from '../../code-signature/sample.ts';

const CMS = Buffer.from('3003020101', 'hex');

/** Signs a slice with bytes that stand for a CMS; none without. */
async function signed(cms: Buffer | null): Promise<Buffer> {
  const { data } = await signSlice(sampleSlice('arm64'), {
    identifier: 'tool',
    flags: FLAG_RUNTIME,
    teamIdentifier: 'TEAM000001',
    infoPlist: null,
    codeResources: null,
    requirements: encodeRequirementSet(null),
    cms: cms && (async () => cms),
  });
  return data;
}

let withCms: Buffer;
let adHoc: Buffer;
beforeAll(async () => {
  withCms = await signed(CMS);
  adHoc = await signed(null);
});

/** The signed slice with a second code directory, the index turned round or not. */
function withTwoDirectories(turn: boolean): Buffer {
  const slice = Buffer.from(withCms);
  const { dataOffset } = parseMacho(slice).codeSignature!;
  const { blobs } = parseSuperBlob(slice.subarray(dataOffset), 0xfade0cc0);
  const other = Buffer.from(blobs[0]!.data);
  other.writeUInt32BE(FLAG_RUNTIME | 0x200, 12);
  const all = [...blobs, { type: 0x1000, data: other }];
  encodeSuperBlob(0xfade0cc0, turn ? all.toReversed() : all).copy(slice, dataOffset);
  return slice;
}

type Asked = Parameters<VerifyCodeCms>[0];

/** Answers as a check of the CMS would, and keeps what it was asked. */
function verdict(statuses: readonly ('pass' | 'fail' | 'skipped')[], asked: Asked[] = []): VerifyCodeCms {
  return (question) => {
    asked.push(question);
    const checks = statuses.map((status) => ({ id: 'x', status }));
    return { checks, teamIdentifier: 'ABCDE12345' } as unknown as CmsVerdict;
  };
}

const never: VerifyCodeCms = () => expect.fail('there is nothing to ask about');

describe('codeFacts', () => {
  it('tell the team of the certificate, not the one that the signature claims', () => {
    const asked: Asked[] = [];
    expect(codeFacts('./t', withCms, verdict(['pass', 'skipped'], asked))).toEqual([
      { name: './t (arm64)', architecture: 'arm64', minimumOs: 0x0b0000, teamIdentifier: 'ABCDE12345' },
    ]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ subject: './t (arm64)', exact: false, demanding: false, cms: CMS });
    expect(asked[0]?.codeDirectories.map(({ teamIdentifier }) => teamIdentifier)).toEqual(['TEAM000001']);
  });

  it('ask for the code directory of the first slot first, wherever the index names it', () => {
    const asked: Asked[] = [];
    for (const turn of [false, true]) codeFacts('./t', withTwoDirectories(turn), verdict(['pass'], asked));
    expect(asked.map(({ codeDirectories }) => codeDirectories.map(({ flags }) => flags))).toEqual([
      [FLAG_RUNTIME, FLAG_RUNTIME | 0x200],
      [FLAG_RUNTIME, FLAG_RUNTIME | 0x200],
    ]);
  });

  it.each<[string, ('pass' | 'fail')[]]>([
    ['one check', ['fail']],
    ['one of several', ['pass', 'fail']],
  ])('tell no team where %s fails', (_, statuses) => {
    expect(codeFacts('./t', withCms, verdict(statuses))).toMatchObject([{ teamIdentifier: null }]);
  });

  it('tell no team where nobody signed it', () => {
    expect(codeFacts('./t', sampleSlice('arm64'), never)).toMatchObject([
      { teamIdentifier: null, minimumOs: 0x0b0000 },
    ]);
    expect(codeFacts('./t', adHoc, never)).toMatchObject([{ teamIdentifier: null }]);
  });

  it('tell no team where the signature has no CMS at all', () => {
    const bare = Buffer.from(adHoc);
    const wrapper = bare.indexOf(Buffer.from('fade0b01', 'hex'));
    if (wrapper >= 0) {
      const slot = bare.indexOf(Buffer.from('00010000', 'hex'), bare.indexOf(Buffer.from('fade0cc0', 'hex')));
      bare.writeUInt32BE(0x20000, slot);
    }
    expect(codeFacts('./t', bare, never)).toMatchObject([{ teamIdentifier: null }]);
  });

  it('are of each slice of a universal file', () => {
    const fat = buildFat([sampleSlice('x86_64'), withCms]);
    expect(codeFacts('./t', fat, verdict(['pass']))).toMatchObject([
      { name: './t (x86_64)', teamIdentifier: null },
      { name: './t (arm64)', teamIdentifier: 'ABCDE12345' },
    ]);
  });

  it('know of no version where the slice names none', () => {
    const slice = sampleSlice('arm64');
    // LC_BUILD_VERSION becomes a load command that nobody knows.
    const at = slice.indexOf(Buffer.from('32000000', 'hex'), 32);
    slice.writeUInt32LE(0x1f1f, at);
    expect(codeFacts('./t', slice, never)).toMatchObject([{ minimumOs: null }]);
  });

  it('are words where the file cannot be read, and nothing else is caught', () => {
    expect(codeFacts('./t', withCms.subarray(0, 4096), never)).toMatch(/^\.\/t looks like code and cannot be read: /);
    const broken: VerifyCodeCms = () => {
      throw new TypeError('a fault of ours');
    };
    expect(() => codeFacts('./t', withCms, broken)).toThrow('a fault of ours');
  });
});
