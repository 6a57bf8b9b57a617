import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeCodeDirectory, FLAG_ADHOC, FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { rootRequirement } from '../../../src/code-signature/requirement/requirement.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { encodeCdHashAttributes } from '../../../src/code-signature/sign/cdhash-attributes.ts';
import type { BundleSigner } from '../../../src/code-signature/sign/sign-bundle.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { encodeBlob, encodeSuperBlob } from '../../../src/code-signature/super-blob.ts';
import type { CodeExpectations } from '../../../src/code-signature/verify/code-expectations.ts';
import { verifySlice } from '../../../src/code-signature/verify/verify-slice.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { sampleSlice } from '../sample.ts';
import { AD_HOC, rehearsalSigner } from '../signers.ts';

const AROUND = {
  infoPlist: Buffer.from('INFO'),
  codeResources: Buffer.from('RES'),
  identifier: 'com.example.plug-in',
  information: new Map<string, string>(),
};
const AD_HOC_OPTIONS: SliceSigning = {
  identifier: AROUND.identifier,
  teamIdentifier: null,
  flags: FLAG_ADHOC | FLAG_RUNTIME,
  infoPlist: AROUND.infoPlist,
  codeResources: AROUND.codeResources,
  requirements: encodeRequirementSet(null),
  cms: null,
};

function failures(slice: Buffer, expectations: CodeExpectations): string[] {
  return verifySlice(slice, 'slice', AROUND, expectations)
    .checks.filter(({ status }) => status === 'fail')
    .map(({ id, reason }) => `${id}: ${reason}`);
}

/** Signs with the rehearsal's identity; `attributes` makes the signed attributes out of the digest, and options may differ. */
async function signWith(
  attributes: (digest: Buffer) => Buffer[],
  options: Partial<SliceSigning> = {},
): Promise<{ data: Buffer; expectations: CodeExpectations }> {
  const { signer, expectations, authority } = await rehearsalSigner();
  const { signCms, teamIdentifier } = signer as Extract<BundleSigner, { kind: 'identity' }>;
  const root = Buffer.from(authority.members.root.certificate.sha1, 'hex');
  const { data } = await signSlice(sampleSlice('x86_64'), {
    ...AD_HOC_OPTIONS,
    teamIdentifier,
    flags: FLAG_RUNTIME,
    requirements: encodeRequirementSet(rootRequirement(AROUND.identifier, root)),
    cms: (content) =>
      signCms({ content, extraSignedAttributes: attributes(createHash('sha256').update(content).digest()) }),
    ...options,
  });
  return { data, expectations };
}

const right = (digest: Buffer) => encodeCdHashAttributes([digest]);
const other = (digest: Buffer) => encodeCdHashAttributes([Buffer.from(digest).reverse()]);

describe('verifySlice', () => {
  it('passes a slice with all that is expected', async () => {
    const { data, expectations } = await signWith(right);
    expect(failures(data, expectations)).toEqual([]);
  });

  it.each([
    [
      'property list',
      (digest: Buffer) => [other(digest)[0]!, right(digest)[1]!],
      'code-cdhash-attributes: attribute 9.1 names',
    ],
    [
      'list of hashes',
      (digest: Buffer) => [right(digest)[0]!, other(digest)[1]!],
      'code-cdhash-attributes: attribute 9.2 names',
    ],
    ['absence of both', () => [], 'code-cdhash-attributes: no attribute 9.1; no attribute 9.2'],
  ])('checks the cdhash attributes: a wrong %s', async (_, attributes, problem) => {
    const { data, expectations } = await signWith(attributes);
    expect(failures(data, expectations)).toEqual([expect.stringContaining(problem)]);
  });

  it('tolerates signatures of others without these attributes', async () => {
    const { data, expectations } = await signWith(() => []);
    expect(failures(data, { ...expectations, ours: false })).toEqual([]);
  });

  it('refuses a certificate where the code calls itself ad-hoc, and another team than the certificate’s', async () => {
    const adHoc = await signWith(right, { flags: FLAG_ADHOC | FLAG_RUNTIME });
    expect(failures(adHoc.data, adHoc.expectations)).toContainEqual(
      expect.stringContaining('code-team: marked ad-hoc'),
    );
    const team = await signWith(right, { teamIdentifier: 'ABCDE12345' });
    expect(failures(team.data, team.expectations)).toEqual([
      'code-team: team ABCDE12345, the certificate is of REHEARSAL0',
    ]);
  });

  it('refuses code that does not meet its own requirement', async () => {
    const requirements = encodeRequirementSet(rootRequirement(AROUND.identifier, Buffer.alloc(20)));
    const { data, expectations } = await signWith(right, { requirements });
    expect(failures(data, expectations)).toEqual([
      expect.stringContaining('code-designated-requirement: the code does not'),
    ]);
  });

  it('demands the hardened runtime of our code alone', async () => {
    const { data } = await signSlice(sampleSlice('x86_64'), { ...AD_HOC_OPTIONS, flags: FLAG_ADHOC });
    expect(failures(data, AD_HOC)).toEqual([expect.stringContaining('not signed with the hardened runtime')]);
    expect(failures(data, { ...AD_HOC, ours: false })).toEqual([]);
  });

  it('refuses hashes that end before the signature begins', async () => {
    const { data } = await signSlice(sampleSlice('x86_64'), AD_HOC_OPTIONS);
    const { dataOffset } = parseMacho(data).codeSignature!;
    const directory = encodeCodeDirectory({
      identifier: AROUND.identifier,
      teamIdentifier: null,
      flags: AD_HOC_OPTIONS.flags,
      code: data.subarray(0, dataOffset - 16),
      specialSlots: [AROUND.infoPlist, AD_HOC_OPTIONS.requirements, AROUND.codeResources],
      execSegment: { base: 0n, limit: BigInt(parseMacho(data).segments[0]!.fileSize), flags: 0n },
      runtimeVersion: 0x000e0400,
    });
    const signature = encodeSuperBlob(0xfade0cc0, [
      { type: 0, data: directory },
      { type: 2, data: AD_HOC_OPTIONS.requirements },
      { type: 0x10000, data: encodeBlob(0xfade0b01, Buffer.alloc(0)) },
    ]);
    signature.copy(data, dataOffset);
    expect(failures(data, AD_HOC)).toEqual([
      `code-directory: codeLimit ${dataOffset - 16}, the signature begins at ${dataOffset}`,
    ]);
  });
});
