import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import { FLAG_ADHOC, FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { type SliceSigning, signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { encodeBlob, encodeSuperBlob, parseSuperBlob } from '../../../src/code-signature/super-blob.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { checkBundle, checkFile } from '../../../src/notary/predict/check-code.ts';
import { checkPackageSignature } from '../../../src/notary/predict/check-package.ts';
import { issue, MESSAGES } from '../../../src/notary/predict/messages.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { readXar } from '../../../src/xar/read.ts';
import { sampleBundle, sampleSlice } from '../../code-signature/sample.ts';
import { NOW, rehearsalSigner } from '../../code-signature/signers.ts';
import { samplePackage } from '../sample-package.ts';

let authority: RehearsalAuthority;
beforeAll(async () => {
  ({ authority } = await rehearsalSigner());
});
const options = () => ({ archiveName: 'a.pkg', trust: authority.trust, now: NOW });
/** Words of the notary's own log, shortened. */
const [UNSIGNED, NOBODY, BROKEN, UNDATED, SOFT, OPEN, OLD, WEAK] = [
  'The binary is not signed.',
  'The binary is not signed with a valid Developer ID certificate.',
  'The signature of the binary is invalid.',
  'The signature does not include a secure timestamp.',
  'The executable does not have the hardened runtime enabled.',
  'The executable requests the com.apple.security.get-task-allow entitlement.',
  'The binary uses an SDK older than the 10.9 SDK.',
  'The signature algorithm used is too weak.',
] as const;
const SIGNING: SliceSigning = {
  identifier: 'tool',
  teamIdentifier: null,
  flags: FLAG_ADHOC | FLAG_RUNTIME,
  infoPlist: null,
  codeResources: null,
  requirements: encodeRequirementSet(null),
  cms: null,
  signatureSize: 0x4000,
};
const EXECUTABLE = 2;
const slice = (fileType = EXECUTABLE, sdk?: number) => {
  const data = Buffer.from(sampleSlice('arm64'));
  data.writeUInt32LE(fileType, 12);
  const { offset } = parseMacho(data).commands.find(({ command }) => command === 0x32)!; // LC_BUILD_VERSION
  if (sdk !== undefined) data.writeUInt32LE(sdk, offset + 16);
  return data;
};
const signed = async (data: Buffer, change: Partial<SliceSigning> = {}) =>
  (await signSlice(data, { ...SIGNING, ...change })).data;
const said = (data: Buffer) =>
  checkFile(data, 'tool', options()).issues.map(({ message, architecture }) => `${architecture}: ${message}`);
/** The same with other blobs in its signature. */
function withBlobs(data: Buffer, change: (blobs: { type: number; data: Buffer }[]) => { type: number; data: Buffer }[]): Buffer {
  const { dataOffset } = parseMacho(data).codeSignature!;
  const { blobs } = parseSuperBlob(data.subarray(dataOffset), 0xfade0cc0);
  const copy = Buffer.from(data).fill(0, dataOffset);
  encodeSuperBlob(0xfade0cc0, change([...blobs])).copy(copy, dataOffset);
  return copy;
} // biome-ignore format: short
const arm = (...messages: readonly string[]) => messages.map((message) => `arm64: ${message}`);

describe('what the notary says of a program', () => {
  it('that is not signed, ad-hoc, or by a CMS that is none', async () => {
    expect(said(slice())).toEqual(arm(UNSIGNED));
    expect(said(await signed(slice()))).toEqual(arm(NOBODY, UNDATED));
    expect(said(await signed(slice(), { flags: FLAG_RUNTIME, cms: async () => Buffer.from('x') }))).toEqual(
      arm(BROKEN),
    );
    expect(said(await signed(slice(), { cms: async () => Buffer.alloc(0) }))).toEqual(arm(NOBODY, UNDATED));
  });

  it('without hardened runtime, where it is an executable', async () => {
    const soft = { flags: FLAG_ADHOC };
    expect(said(await signed(slice(), soft))).toEqual(arm(NOBODY, UNDATED, SOFT));
    for (const type of [1, 3, 6, 8]) expect(said(await signed(slice(type), soft))).toEqual(arm(NOBODY, UNDATED));
    expect(said(slice())).not.toContain(SOFT);
  });

  it.each<[number, boolean]>([
    [0x000a08ff, true],
    [0x000a0900, false],
    [0x000a0901, false],
    [0, true],
  ])('of the SDK %i: old %s', async (sdk, old) => {
    expect(said(slice(EXECUTABLE, sdk))).toEqual(arm(UNSIGNED, ...(old ? [OLD] : [])));
  });

  it('without an SDK, which counts as old', () => {
    const data = slice();
    const { offset } = parseMacho(data).commands.find(({ command }) => command === 0x32)!;
    data.writeUInt32LE(0x2a, offset); // LC_SOURCE_VERSION
    expect(said(data)).toEqual(arm(UNSIGNED, OLD));
  });

  it('that others may attach to', async () => {
    const data = await signed(slice());
    const xml = (value: string) => Buffer.from(`<plist version="1.0"><dict><key>com.apple.security.get-task-allow</key>${value}</dict></plist>`);
    const entitled = (content: Buffer) => said(withBlobs(data, ([one, two, three]) => [one!, two!, { type: 5, data: encodeBlob(0xfade7171, content) }, three!]));
    // Nobody sealed them here, which is told too.
    expect(entitled(xml('<true/>'))).toEqual(arm(BROKEN, NOBODY, UNDATED, OPEN));
    for (const value of ['<false/>', '<string>true</string>']) expect(entitled(xml(value))).toEqual(arm(BROKEN, NOBODY, UNDATED));
    expect(entitled(Buffer.from('x'))).toEqual([`null: ${BROKEN}`]);
  }); // biome-ignore format: a table

  it('with SHA-1 alone, or beside the better one', async () => {
    const data = await signed(slice());
    const sha1 = (directory: Buffer) => {
      const copy = Buffer.from(directory);
      copy.set([20, 1], 36); // hashSize and hashType; the hashes are wrong then
      return copy;
    };
    const alone = withBlobs(data, ([one, ...rest]) => [{ type: 0, data: sha1(one!.data) }, ...rest]);
    expect(said(alone)).toEqual(arm(BROKEN, NOBODY, UNDATED, WEAK));
    const both = withBlobs(data, ([one, two, three]) => [{ type: 0, data: sha1(one!.data) }, two!, { type: 0x1000, data: one!.data }, three!]);
    expect(said(both)).toEqual(arm(BROKEN, NOBODY, UNDATED));
    expect(said(withBlobs(data, ([, two, three]) => [two!, three!]))).toEqual(arm(BROKEN, NOBODY, UNDATED, SOFT));
  }); // biome-ignore format: a table

  it('that cannot be read', async () => {
    const broken = slice();
    broken.writeUInt32LE(5000, 16);
    expect(said(broken)).toEqual([`null: ${BROKEN}`]);
    expect(said(buildFat([slice(), slice()]))).toEqual([`null: ${BROKEN}`]);
    const noBlobs = await signed(slice());
    noBlobs.writeUInt32BE(1, parseMacho(noBlobs).codeSignature!.dataOffset);
    expect(said(noBlobs)).toEqual([`null: ${BROKEN}`]);
  });

  it('of two slices, each by itself', async () => {
    const x86 = Buffer.from(sampleSlice('x86_64'));
    const data = buildFat([x86, await signed(slice())]);
    expect(said(data)).toEqual([`x86_64: ${UNSIGNED}`, ...arm(NOBODY, UNDATED)]);
    const { code } = checkFile(data, 'tool', options());
    expect(code.map(({ path, architecture, cdhash }) => [path, architecture, cdhash.length])).toEqual([['tool', 'arm64', 40]]);
    const changed = Buffer.from(buildFat([await signed(x86), await signed(slice())]));
    const at = 0x4000 + 0x1000;
    changed[at] = changed.readUInt8(at) ^ 1;
    expect(said(changed)).toEqual([`x86_64: ${BROKEN}`, `x86_64: ${NOBODY}`, `x86_64: ${UNDATED}`, ...arm(NOBODY, UNDATED)]);
  }); // biome-ignore format: a table
});

describe('what the notary says of a bundle', () => {
  it('is about its main executable and its seal', async () => {
    const { entries } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const of = (more: readonly BundleEntry[]) => {
      const { executable, issues, code } = checkBundle(more, 'B.bundle', options());
      return [executable, [...new Set(issues.map(({ path, message }) => `${path} ${message}`))], code.length];
    };
    const path = 'B.bundle/Contents/MacOS/Escrow Buddy';
    const usual = [NOBODY, UNDATED].map((message) => `${path} ${message}`);
    expect(of(entries)).toEqual(['Contents/MacOS/Escrow Buddy', usual, 2]);
    // What lies beside Contents, and code inside that is looked at by itself, is no issue of the bundle.
    const extra = (at: string): BundleEntry => ({ path: at, mode: 0o644, data: Buffer.from('x') });
    expect(of([...entries, extra('x')])).toEqual(['Contents/MacOS/Escrow Buddy', usual, 2]);
    expect(of([...entries, extra('Contents/Resources/x')])[1]).toEqual([`${path} ${BROKEN}`, ...usual]);
    expect(of(entries.filter((entry) => entry.path !== 'Contents/MacOS/Escrow Buddy'))).toEqual([null, [], 0]);
    expect(of([])).toEqual([null, [], 0]);
    expect(of([extra('Contents/Info.plist')])).toEqual([null, [], 0]);
    const nameless = { path: 'Contents/Info.plist', mode: 0o644, data: Buffer.from('<plist version="1.0"><dict/></plist>') };
    expect(of([nameless])).toEqual([null, [], 0]);
  }); // biome-ignore format: a table
});

describe('an issue', () => {
  // Sections of Apple's page "Resolving common notarization issues".
  it.each<[string, string | null]>([
    [UNSIGNED, '3087721'],
    [NOBODY, '3087721'],
    [BROKEN, '3087735'],
    [UNDATED, '3087733'],
    [SOFT, '3087724'],
    [OPEN, '3087731'],
    [OLD, '3087723'],
    [WEAK, null],
  ])('that says "%s" leads to section %s', (message, section) => {
    const { docUrl, ...rest } = issue('p', message, 'arm64');
    expect(docUrl?.split('#')[1] ?? null).toBe(section);
    expect(rest).toEqual({ severity: 'error', code: null, path: 'p', message, architecture: 'arm64' });
  });

  it('has the words of the log', () => {
    const { notExtracted, ...rest } = MESSAGES;
    expect(Object.values(rest).toSorted()).toEqual(
      [UNSIGNED, NOBODY, BROKEN, UNDATED, SOFT, OPEN, OLD, WEAK].toSorted(),
    );
    expect(notExtracted('x')).toBe('The contents of the package at x could not be extracted.');
  });
});

describe('an error of ours', () => {
  it('is no answer about a bundle', () => {
    const broken = { path: 'Contents/Info.plist', mode: 0o644, get data(): Buffer { throw new TypeError('ours'); } }; // biome-ignore format: short
    expect(() => checkBundle([broken as BundleEntry], 'A.bundle', options())).toThrow('ours');
  });
});

describe('what the notary says of a package', () => {
  it('is about its own signature, and an error of ours is no answer', async () => {
    const said = async (signing: object, now = NOW, trust = authority.trust) => {
      const archive = await readXar(accessBuffer(await samplePackage([], {}, { authority, ...signing })));
      return (await checkPackageSignature(archive, { ...options(), trust, now })).map(({ path, message }) => `${path} ${message}`);
    };
    expect(await said({})).toEqual([]);
    expect(await said({ role: null })).toEqual([`a.pkg ${UNSIGNED}`]);
    expect(await said({ role: 'application' })).toEqual([`a.pkg ${NOBODY}`]);
    const late = new Date(authority.members.installer.certificate.notAfter.getTime() + 1000);
    expect(await said({}, late)).toEqual([]);
    expect(await said({ timestamp: false }, late)).toEqual([`a.pkg ${NOBODY}`, `a.pkg ${UNDATED}`]);
    const elsewhere = { ...authority.trust, roots: [authority.members.ticketRoot.certificate] };
    expect(await said({}, NOW, elsewhere)).toEqual([`a.pkg ${NOBODY}`, `a.pkg ${UNDATED}`]);
    const ours = { ...authority.trust, get roots(): never { throw new TypeError('ours'); } }; // biome-ignore format: short
    await expect(said({}, NOW, ours)).rejects.toThrow('ours');
  }); // biome-ignore format: a table
});
