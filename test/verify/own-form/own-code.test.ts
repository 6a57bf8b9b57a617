import { beforeAll, describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import { type BundleEntry, fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { developerIdRequirement } from '../../../src/code-signature/requirement/requirement.ts';
import { type BundleSigner, signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import {
  type Blob,
  encodeBlob,
  encodeSuperBlob,
  MAGIC_BLOB_WRAPPER,
  MAGIC_EMBEDDED_SIGNATURE,
  parseSuperBlob,
  SLOT_CMS,
} from '../../../src/code-signature/super-blob.ts';
import { parseFat } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { signCms } from '../../../src/pki/cms/cms.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/x509/certificate.ts';
import { checkOwnBundle, signerOfProgram } from '../../../src/verify/own-form/own-code.ts';
import { SAMPLE_EXECUTABLE, SAMPLE_IDENTIFIER, sampleBundle, sampleSlice } from '../../code-signature/sample.ts';
import { NOW, rehearsalSigner } from '../../code-signature/signers.ts';

let signer: BundleSigner;
let signed: readonly BundleEntry[];
beforeAll(async () => {
  ({ signer } = await rehearsalSigner());
  signed = (await signBundle(BUNDLE, signer)).entries;
});

/** Ours has no links. */
const BUNDLE = sampleBundle().filter((entry) => 'data' in entry);
const RECORD = { path: 'A.bundle', id: SAMPLE_IDENTIFIER, shortVersion: '1.1.0', version: '1.1.0' };

async function problems(files: readonly BundleEntry[], madeBy: 'portable' | 'apple' = 'portable', record = RECORD) {
  const list = new CheckList('a');
  await checkOwnBundle(list, files, record as Parameters<typeof checkOwnBundle>[2], madeBy);
  return list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`).join('\n');
} // biome-ignore format: short

const withFile = (path: string, change: (data: Buffer) => Buffer, files = signed): BundleEntry[] =>
  files.map((entry) => (entry.path === path && 'data' in entry ? { ...entry, data: change(entry.data) } : entry));
const flip = (data: Buffer, at: number) => {
  const copy = Buffer.from(data);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};

/** Where the parts of a slice's signature lie in the file. */
function places(architecture: string) {
  const program = fileAt(signed, SAMPLE_EXECUTABLE) as Buffer;
  const slice = parseFat(program).find((one) => one.architecture === architecture);
  if (!slice) throw new Error(architecture);
  const { dataOffset, dataSize } = parseMacho(slice.data).codeSignature as { dataOffset: number; dataSize: number };
  const start = slice.offset + dataOffset;
  const { blobs } = parseSuperBlob(slice.data.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
  let at = start + 12 + 8 * blobs.length;
  const found = new Map<number, number>();
  for (const { type, data } of blobs) {
    found.set(type, at);
    at += data.length;
  }
  return { slice: slice.offset, start, end: start + dataSize, directory: found.get(0) as number, requirements: found.get(2) as number, cms: found.get(0x10000) as number };
} // biome-ignore format: short

describe('the code of ours', () => {
  it('is signed again as it is: by a certificate, and by nobody', async () => {
    expect(await problems(signed)).toBe('form-code pass');
    expect(await problems(signed, 'apple')).toBe('form-code pass');
    expect(await problems((await signBundle(BUNDLE, { kind: 'ad-hoc' })).entries)).toBe('form-code pass');
    const thin = withFile(SAMPLE_EXECUTABLE, () => sampleSlice('arm64'), BUNDLE);
    expect(await problems((await signBundle(thin, signer)).entries)).toBe('form-code pass');
  });

  it.each([
    ['id', 'CFBundleIdentifier'],
    ['shortVersion', 'CFBundleShortVersionString'],
    ['version', 'CFBundleVersion'],
  ] as const)('says in Info.plist what PackageInfo says: %s', async (key, name) => {
    for (const madeBy of ['portable', 'apple'] as const)
      expect(await problems(signed, madeBy, { ...RECORD, [key]: 'x' })).toContain(`form-code fail: Info.plist: ${name} `);
  }); // biome-ignore format: short

  it.each(['x86_64', 'arm64'])('names the part that differs in the slice for %s', async (name) => {
    const { slice, start, end, directory, requirements, cms } = places(name);
    const at = async (offset: number) => problems(withFile(SAMPLE_EXECUTABLE, (data) => flip(data, offset)));
    const place = (offset: number, words: string) =>
      `${SAMPLE_EXECUTABLE}, byte ${offset} (${name}, ${words}): expected `;
    expect(await at(directory + 15)).toContain(place(directory + 15, 'CodeDirectory, field flags'));
    expect(await at(directory + 12)).toContain(place(directory + 12, 'CodeDirectory, field flags'));
    expect(await at(directory + 15)).toContain(`the CodeDirectory of ${name} is not the one we make`);
    expect(await at(requirements + 20)).toContain(`the requirement set of ${name} is not the one we make`);
    expect(await at(requirements + 20)).toContain(place(requirements + 20, 'requirement set'));
    expect(await at(end - 1)).toContain(place(end - 1, 'behind its signature'));
    // What is signed changes with the code, so the first byte that differs is behind the code.
    expect(await at(slice + 0x1000)).toContain(`the CodeDirectory of ${name} is not the one we make`);
    expect(await at(cms + 200)).toMatch(/form-code fail: /);
    expect(await at(start - 1)).toMatch(/form-code fail: /);
  });

  it.each<[string, () => BundleEntry[], RegExp]>([
    ['its seal changed', () => withFile('Contents/_CodeSignature/CodeResources', (data) => flip(data, 100)), /CodeResources, byte 100: expected \w+, found/],
    ['a resource changed', () => withFile('Contents/Resources/AuthDBSetup.sh', (data) => flip(data, 3)), /CodeResources, byte \d+: expected/],
    ['its seal missing', () => signed.filter(({ path }) => !path.endsWith('CodeResources')), /CodeResources is missing, or is a link/],
    ['its program missing', () => signed.filter(({ path }) => path !== SAMPLE_EXECUTABLE), /it cannot be signed again: .*Contents\/MacOS\/.* is missing, or is a link/],
    ['no program of its own', () => withFile(SAMPLE_EXECUTABLE, () => Buffer.from('x')), /it cannot be signed again/],
    ['no signature', () => withFile(SAMPLE_EXECUTABLE, () => sampleSlice('arm64')), /it cannot be signed again: .*no signature in the code for arm64/],
    ['no Info.plist', () => signed.filter(({ path }) => path !== 'Contents/Info.plist'), /it cannot be signed again: .*Contents\/Info.plist is missing, or is a link/],
  ])('is refused with %s', async (_, files, words) => {
    expect(await problems(files())).toMatch(words);
  }); // biome-ignore format: a table

  /** The signed program with other blobs in the signature of a slice. */
  const withBlobs = (files: readonly BundleEntry[], name: string, change: (blobs: readonly Blob[]) => readonly Blob[]) =>
    withFile(SAMPLE_EXECUTABLE, (program) => {
      const copy = Buffer.from(program);
      for (const { architecture, offset, data } of parseFat(program)) {
        if (architecture !== name) continue;
        const { dataOffset, dataSize } = parseMacho(data).codeSignature as { dataOffset: number; dataSize: number };
        const { blobs } = parseSuperBlob(data.subarray(dataOffset, dataOffset + dataSize), MAGIC_EMBEDDED_SIGNATURE);
        copy.fill(0, offset + dataOffset, offset + dataOffset + dataSize);
        encodeSuperBlob(MAGIC_EMBEDDED_SIGNATURE, change(blobs)).copy(copy, offset + dataOffset);
      }
      return copy;
    }, files); // biome-ignore format: short

  it('has a CMS in each slice, an empty one where nobody signed', async () => {
    const without = (blobs: readonly Blob[]) => blobs.filter(({ type }) => type !== SLOT_CMS);
    const adHoc = (await signBundle(BUNDLE, { kind: 'ad-hoc' })).entries;
    for (const [files, name] of [[adHoc, 'x86_64'], [adHoc, 'arm64'], [signed, 'arm64']] as const) {
      const found = await problems(withBlobs(files, name, without));
      expect(found).toContain(`the CMS of ${name} is not the one we make`);
      expect(found).toContain(`(${name}, list of blobs)`);
    } // biome-ignore format: short
  });

  it('has no blob of another kind, which is named by its number', async () => {
    const more = (blobs: readonly Blob[]) => [...blobs, { type: 0x10001, data: encodeBlob(MAGIC_BLOB_WRAPPER, Buffer.alloc(0)) }];
    for (const madeBy of ['portable', 'apple'] as const)
      expect(await problems(withBlobs(signed, 'arm64', more), madeBy)).toContain('the signature of arm64 holds a blob of type 0x10001');
  }); // biome-ignore format: short

  it('ends at a fault of ours', async () => {
    const broken = { path: 'Contents/Info.plist', mode: 0, get data(): Buffer { throw new TypeError('ours'); } }; // biome-ignore format: short
    await expect(problems([broken as BundleEntry])).rejects.toThrow('ours');
  });
});

describe('signerOfProgram', () => {
  it('hands out the signatures that a program has, and its team', async () => {
    const found = signerOfProgram(fileAt(signed, SAMPLE_EXECUTABLE) as Buffer);
    if (found.kind !== 'identity' || signer.kind !== 'identity') throw new Error('no identity');
    expect(found.teamIdentifier).toBe(signer.teamIdentifier);
    expect(found.requirement('a')).toEqual(signer.requirement('a'));
    const input = { content: Buffer.alloc(0), extraSignedAttributes: [] };
    const [one, two, three] = [await found.signCms(input), await found.signCms(input), await found.signCms(input)];
    expect([one.equals(two), one.length > 1000, two.length > 1000, three.length]).toEqual([false, true, true, 0]);
  });

  it.each([
    ['without its root', []],
    ['with the root of Apple', appleTrust().roots.slice(0, 1)],
  ])('asks for a Developer ID of the team where a CMS came %s', async (_, roots) => {
    const { authority } = await rehearsalSigner();
    const { certificateChain, signer: key } = authority.identitySource('application');
    const [leaf, intermediate] = certificateChain.map(parseCertificate) as [Certificate, Certificate];
    const chain = [leaf, intermediate, ...roots];
    const teamIdentifier = 'ABCDE12345';
    const other: BundleSigner = {
      kind: 'identity',
      teamIdentifier,
      requirement: (identifier) => developerIdRequirement(identifier, teamIdentifier),
      signCms: ({ content, extraSignedAttributes: attributes }) =>
        signCms({ content, attributes, identity: { certificate: leaf, chain, signer: key }, signingTime: NOW }),
    };
    const { entries } = await signBundle(BUNDLE, other);
    const found = signerOfProgram(fileAt(entries, SAMPLE_EXECUTABLE) as Buffer);
    if (found.kind !== 'identity') throw new Error('no identity');
    expect(found.requirement('a')).toEqual(developerIdRequirement('a', teamIdentifier));
  }); // biome-ignore format: short

  it('signs for nobody where nobody signed', async () => {
    const adHoc = (await signBundle(BUNDLE, { kind: 'ad-hoc' })).entries;
    expect(signerOfProgram(fileAt(adHoc, SAMPLE_EXECUTABLE) as Buffer)).toEqual({ kind: 'ad-hoc' });
  });
});
