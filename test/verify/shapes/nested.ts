import { createHash } from 'node:crypto';
import { type BundleEntry, fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { FLAG_RUNTIME } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { RULES_1, RULES_2, rulesToPropertyList } from '../../../src/code-signature/seal/resource-rules.ts';
import type { BundleSigner } from '../../../src/code-signature/sign/sign-bundle.ts';
import { signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { verifySlice } from '../../../src/code-signature/verify/verify-slice.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { type PropertyListValue, renderPropertyList } from '../../../src/xml/property-list.ts';
import { SAMPLE_INFO_PLIST, sampleSlice } from '../../code-signature/sample.ts';
import { directory, file, symlink } from '../../support/payload.ts';

/** Code inside a bundle: a program, or a bundle or framework, paths below it. */
export type Nested = readonly BundleEntry[] | Buffer;

/** Where the bundles of these tests have their programs. */
const PROGRAMS = ['Contents/MacOS/Escrow Buddy', 'Versions/A/F'];

function programOf(code: Nested): Buffer {
  if (Buffer.isBuffer(code)) return code;
  return fileAt(code, PROGRAMS.find((path) => fileAt(code, path)) ?? '') as Buffer;
}

function sealOf(files2: ReadonlyMap<string, PropertyListValue>): Buffer {
  const parts: [string, PropertyListValue][] = [
    ['files', new Map()],
    ['files2', files2],
    ['rules', rulesToPropertyList(RULES_1)],
    ['rules2', rulesToPropertyList(RULES_2)],
  ];
  return Buffer.from(renderPropertyList(new Map(parts)));
}

const hash2 = (data: Buffer | string) => new Map([['hash2', createHash('sha256').update(data).digest()]]);

/** Signs the sample's slice under another name, with what the signature covers beside it. */
async function signed(
  by: BundleSigner,
  identifier: string,
  covered: { readonly infoPlist: Buffer; readonly codeResources: Buffer } | null,
): Promise<Buffer> {
  if (by.kind !== 'identity') throw new Error('no identity');
  const { signCms, teamIdentifier, requirement } = by;
  const { data } = await signSlice(sampleSlice('arm64'), {
    identifier,
    flags: FLAG_RUNTIME,
    teamIdentifier,
    infoPlist: null,
    codeResources: null,
    ...covered,
    requirements: encodeRequirementSet(covered ? requirement(identifier) : null),
    cms: (content: Buffer) => signCms({ content, extraSignedAttributes: [] }),
  });
  return data;
}

/** Returns a program that lies in no bundle of its own. */
export const tool = (by: BundleSigner) => signed(by, 'helper', null);

/** Returns `F.framework` with one version and the links of the current one, as Xcode lays it down and codesign seals it. */
export async function framework(by: BundleSigner, identifier = 'com.example.F'): Promise<BundleEntry[]> {
  const infoPlist = Buffer.from(
    renderPropertyList(
      new Map([
        ['CFBundleExecutable', 'F'],
        ['CFBundleIdentifier', identifier],
        ['CFBundlePackageType', 'FMWK'],
      ]),
    ),
  );
  const codeResources = sealOf(new Map([['Resources/Info.plist', hash2(infoPlist)], ['Resources/data', hash2('x')]])); // biome-ignore format: short
  return [
    { path: 'Versions/A/F', mode: 0o755, data: await signed(by, identifier, { infoPlist, codeResources }) },
    { path: 'Versions/A/Resources/Info.plist', mode: 0o644, data: infoPlist },
    { path: 'Versions/A/Resources/data', mode: 0o644, data: Buffer.from('x') },
    { path: 'Versions/A/_CodeSignature/CodeResources', mode: 0o644, data: codeResources },
    { path: 'Versions/Current', mode: 0o755, symlink: 'A' },
    { path: 'F', mode: 0o755, symlink: 'Versions/Current/F' },
    { path: 'Resources', mode: 0o755, symlink: 'Versions/Current/Resources' },
  ];
}

/**
 * Signs `A.app` with code inside it, sealed by its cdhash as codesign seals it; what is not code is sealed by its digest.
 *
 * @param nested by its place below `Contents`
 * @param sealedAs what the seal says lies there
 */
export async function outerBundle(
  signer: BundleSigner,
  nested: Readonly<Record<string, Nested>>,
  sealedAs: Readonly<Record<string, Nested>> = nested,
): Promise<PayloadEntry[]> {
  const files2 = new Map<string, PropertyListValue>();
  for (const [path, code] of Object.entries(sealedAs)) {
    const program = programOf(code);
    const slice = program.readUInt32BE(0) === 0xcafebabe ? firstSlice(program) : program;
    const information = { infoPlist: null, codeResources: null, identifier: null, information: new Map() };
    const { facts } = verifySlice(slice, path, information, { verifyCms: null, ours: false, allowAdHoc: true });
    if (!facts) throw new Error(`${path} has no signature`);
    const parts: [string, PropertyListValue][] = [
      ['cdhash', Buffer.from(facts.cdHash, 'hex')],
      ['requirement', facts.designatedRequirement ?? ''],
    ];
    files2.set(path, new Map(parts));
  }
  files2.set('Resources/data', hash2('x'));
  const seal = sealOf(files2);
  const covered = { infoPlist: SAMPLE_INFO_PLIST, codeResources: seal };
  const entries: BundleEntry[] = [
    { path: 'Contents/Info.plist', mode: 0o644, data: SAMPLE_INFO_PLIST },
    {
      path: 'Contents/MacOS/Escrow Buddy',
      mode: 0o755,
      data: await signed(signer, 'com.netflix.Escrow-Buddy', covered),
    },
    { path: 'Contents/Resources/data', mode: 0o644, data: Buffer.from('x') },
    { path: 'Contents/_CodeSignature/CodeResources', mode: 0o644, data: seal },
    ...Object.entries(nested).flatMap(([path, code]): BundleEntry[] =>
      Buffer.isBuffer(code)
        ? [{ path: `Contents/${path}`, mode: 0o755, data: code }]
        : code.map((entry) => ({ ...entry, path: `Contents/${path}/${entry.path}` })),
    ),
  ];
  return laidDown('./A.app', entries);
}

function firstSlice(fat: Buffer): Buffer {
  const [offset, size] = [fat.readUInt32BE(16), fat.readUInt32BE(20)];
  return fat.subarray(offset, offset + size);
}

function laidDown(root: string, entries: readonly BundleEntry[]): PayloadEntry[] {
  const folders = new Set([root]);
  for (const { path } of entries) {
    const names = `${root}/${path}`.split('/').slice(0, -1);
    for (let end = 2; end <= names.length; end++) folders.add(names.slice(0, end).join('/'));
  }
  return [
    ...[...folders].map((path) => directory(path)),
    ...entries.map((entry) =>
      'data' in entry
        ? file(`${root}/${entry.path}`, entry.data, entry.mode)
        : symlink(`${root}/${entry.path}`, entry.symlink),
    ),
  ];
}
