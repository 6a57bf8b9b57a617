import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../../src/base/check.ts';
import { FLAG_ADHOC } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { depthOf, findBundles } from '../../../src/code-signature/verify/bundle-shape.ts';
import { CodeVerifier, type TreeOptions } from '../../../src/code-signature/verify/code-verifier.ts';
import { FileIndex, type IndexedEntry } from '../../../src/code-signature/verify/file-index.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import { sampleSlice } from '../sample.ts';
import { AD_HOC } from '../signers.ts';
import { INFO, link } from './indexed.ts';

const OTHERS = { ...AD_HOC, ours: false };
let tool: Buffer;
/** The same for Intel. */
let intel: Buffer;
beforeAll(async () => {
  const options = { identifier: 'tool', teamIdentifier: null, flags: FLAG_ADHOC, infoPlist: null, codeResources: null, cms: null };
  const made = async (name: 'arm64' | 'x86_64') =>
    (await signSlice(sampleSlice(name), { ...options, requirements: encodeRequirementSet(null) })).data;
  [tool, intel] = [await made('arm64'), await made('x86_64')];
}); // biome-ignore format: a table

const file = (path: string, text = 'x', code = false): IndexedEntry => ({
  path,
  sha1: createHash('sha1').update(text).digest(),
  sha256: createHash('sha256').update(text).digest(),
  code,
  content: Buffer.from(text),
});
const program = (path: string) => file(path, 'program', true);
const told = ({ id, status, reason, subject }: Check) => `${subject} ${id} ${status}${reason ? `: ${reason}` : ''}`;

/** What is said of a tree in which every program is the signed sample, but for those checks of one slice. */
function said(entries: readonly IndexedEntry[], expectations = OTHERS, options: TreeOptions = {}): string[] {
  const verifier = new CodeVerifier(new FileIndex(entries), expectations, options);
  for (const path of verifier.files) verifier.see(path, tool);
  return verifier.finish().checks.map(told).filter((words) => !/ \(arm64\) |code-(universal|slices-agree)/.test(words));
} // biome-ignore format: short

const plist = (...pairs: readonly (readonly [string, string])[]) =>
  `<plist version="1.0"><dict>${pairs.map(([key, value]) => `<key>${key}</key>${value}`).join('')}</dict></plist>`;
const text = (value: string) => `<string>${value}</string>`;
const USUAL = [
  ['CFBundleExecutable', text('tool')],
  ['CFBundleIdentifier', text('com.example.a')],
  ['CFBundlePackageType', text('APPL')],
] as const;

describe('CodeVerifier', () => {
  it('is shown every program, and as a bundle its main executable whatever that is', () => {
    const entries = [file('Contents/Info.plist', INFO), file('Contents/MacOS/tool'), program('Contents/MacOS/a'), file('b'), link('c', 'b')];
    const files = (options: TreeOptions, more: readonly IndexedEntry[] = entries) => new CodeVerifier(new FileIndex(more), OTHERS, options).files;
    expect(files({})).toEqual(['Contents/MacOS/a']);
    expect(files({ isBundle: true })).toEqual(['Contents/MacOS/a', 'Contents/MacOS/tool']);
    expect(files({ isBundle: true }, entries.slice(0, 1))).toEqual([]);
    expect(files({ isBundle: true }, [file('Contents/Info.plist', INFO), program('Contents/MacOS/tool')])).toEqual(['Contents/MacOS/tool']);
  }); // biome-ignore format: a table

  it('says how many slices it saw, and gives the facts of all, and of the main executable', () => {
    const index = new FileIndex([file('Contents/Info.plist', INFO), program('Contents/MacOS/tool'), program('other')]);
    const verifier = new CodeVerifier(index, OTHERS, { isBundle: true });
    expect(verifier.files.map((path) => verifier.see(path, tool))).toEqual([1, 1]);
    const { slices, mainSlices } = verifier.finish();
    expect([slices.length, mainSlices.length, mainSlices[0]?.identifier]).toEqual([2, 1, 'tool']);
    const none = new CodeVerifier(new FileIndex([program('other')]), OTHERS);
    expect(none.finish().mainSlices).toEqual([]);
  });

  it('says why a file could not be checked', () => {
    const verifier = new CodeVerifier(new FileIndex([program('a')]), OTHERS, { name: 'tree' });
    verifier.refuse('a', 'too large');
    expect(verifier.finish().checks.map(told)).toEqual(['tree/a code-macho fail: too large']);
  });

  it('names what it looks at', () => {
    const entries = [file('Contents/Info.plist', INFO), file('Contents/MacOS/tool')];
    const info = (options: TreeOptions) => said(entries, OTHERS, options).filter((words) => words.includes('bundle-places'));
    expect(info({ isBundle: true })).toEqual([' bundle-places pass']);
    expect(info({ isBundle: true, name: 'A' })).toEqual(['A bundle-places pass']);
    const inner = entries.map((entry) => ({ ...entry, path: `B.app/${entry.path}` }));
    const seal = file('B.app/Contents/_CodeSignature/CodeResources');
    expect(said([...inner, seal], OTHERS, { name: 'A' })[0]).toBe('A/B.app bundle-places pass');
    expect(said([...inner, seal])[0]).toBe('B.app bundle-places pass');
  }); // biome-ignore format: a table

  it('checks bundles with a program or a seal, and the tree itself where that is one', () => {
    const bundles = (entries: readonly IndexedEntry[], options: TreeOptions = {}) =>
      said(entries, OTHERS, options).filter((words) => words.includes('bundle-places')).length;
    const info = file('A.app/Contents/Info.plist', INFO);
    expect(bundles([info])).toBe(0);
    expect(bundles([info, file('A.app/Contents/MacOS/tool')])).toBe(0);
    expect(bundles([info, program('A.app/Contents/MacOS/tool')])).toBe(1);
    expect(bundles([info, file('A.app/Contents/_CodeSignature/CodeResources')])).toBe(1);
    expect(bundles([], { isBundle: true })).toBe(1);
    expect(bundles([file('Contents/Info.plist', INFO)], { isBundle: true })).toBe(1);
    expect(bundles([file('Contents/Info.plist', INFO)])).toBe(0);
  }); // biome-ignore format: a table

  it('says no more of a bundle without Info.plist, or without executable', () => {
    expect(said([], OTHERS, { isBundle: true })).toEqual([
      ' bundle-places fail: Contents/Info.plist is not a file',
      ' bundle-info fail: Info.plist is missing, or no file',
    ]);
    expect(said([file('Contents/Info.plist', plist())], OTHERS, { isBundle: true })).toEqual([
      ' bundle-places pass',
      ' bundle-info fail: no text for CFBundleExecutable',
    ]);
    expect(said([file('Contents/Info.plist', 'x')], OTHERS, { isBundle: true })[1]).toMatch(/^ bundle-info fail: property list, offset 1/);
  }); // biome-ignore format: a table
});

describe('what Info.plist says', () => {
  const info = (pairs: readonly (readonly [string, string])[], pkgInfo?: string, ours = true) =>
    said(
      [
        file('Contents/Info.plist', plist(...pairs)),
        file('Contents/MacOS/tool'),
        ...(pkgInfo === undefined ? [] : [file('Contents/PkgInfo', pkgInfo)]),
      ],
      { ...AD_HOC, ours },
      { isBundle: true, name: 'A' },
    ).filter((words) => words.includes('bundle-info'));
  const signature = ['CFBundleSignature', text('abcd')] as const;

  it.each<[string, readonly (readonly [string, string])[], string | undefined, string, boolean]>([
    ['as usual', USUAL, undefined, 'pass', false],
    ['with a PkgInfo that says the same', USUAL, 'APPL????', 'pass', false],
    ['with a signature', [...USUAL, signature], 'APPLabcd', 'pass', false],
    ['with another PkgInfo', USUAL, 'BNDL????', 'fail: PkgInfo is not APPL????', true],
    ['with an empty PkgInfo', USUAL, '', 'fail: PkgInfo is not APPL????', true],
    ['with a PkgInfo without its signature', [...USUAL, signature], 'APPL????', 'fail: PkgInfo is not APPLabcd', true],
    ['with flags', [...USUAL, ['CSFlags', '<integer>1</integer>']], undefined, 'fail: the key CSFlags would change how this bundle is signed', true],
    ['with rules', [...USUAL, ['CFBundleResourceSpecification', text('x')]], undefined, 'fail: the key CFBundleResourceSpecification would change how this bundle is signed', true],
    ['without identifier', [USUAL[0]], undefined, 'fail: no text for CFBundleIdentifier', false],
    ['with a number for it', [USUAL[0], ['CFBundleIdentifier', '<integer>1</integer>']], undefined, 'fail: no text for CFBundleIdentifier', false],
  ])('%s', (_, pairs, pkgInfo, words, oursAlone) => {
    expect(info(pairs, pkgInfo)).toEqual([`A bundle-info ${words}`]);
    expect(info(pairs, pkgInfo, false)).toEqual([`A bundle-info ${oursAlone ? 'pass' : words}`]);
  }); // biome-ignore format: a table
});

describe('a bundle whose main executable is no program', () => {
  const bundle = [file('Contents/Info.plist', plist(...USUAL)), file('Contents/MacOS/tool', '#!/bin/sh')];
  const blob = (entries: readonly IndexedEntry[]) => {
    const verifier = new CodeVerifier(new FileIndex(entries), OTHERS);
    return verifier.finish().checks.map(told).filter((words) => words.includes('code-super-blob'));
  }; // biome-ignore format: short
  const seal = file('Contents/_CodeSignature/CodeResources');

  it('has its signature in files of its own, or none', () => {
    const none = ' code-super-blob fail: the main executable is not a Mach-O file, and has no signature';
    expect(blob([...bundle, seal])).toEqual([none]);
    expect(blob([...bundle, seal, file('Contents/_CodeSignature/CodeDirectory')])).toEqual([
      ' code-super-blob skipped: signature of a script as main executable: not supported',
    ]);
    expect(blob([bundle[0]!, seal])).toEqual([]);
    expect(blob([bundle[0]!, program('Contents/MacOS/tool'), seal])).toEqual([none]);
  });
});

describe('code inside a bundle', () => {
  const outer = [
    file('Contents/Info.plist', plist(...USUAL)),
    program('Contents/MacOS/tool'),
    file('Contents/_CodeSignature/CodeResources'),
  ];
  const nested = (more: readonly IndexedEntry[], expectations = OTHERS, signedByAttributes = new Set<string>()) =>
    said([...outer, ...more], expectations, { isBundle: true, signedByAttributes })
      .filter((words) => words.startsWith(' code-nested'))
      .map((words) => words.slice(13));

  it('is a program, a bundle, or the current version of a framework', () => {
    expect(nested([program('Contents/MacOS/other')])).toEqual([]);
    expect(nested([file('Contents/Helpers/B.app/Contents/Info.plist', INFO), program('Contents/Helpers/B.app/Contents/MacOS/tool')])).toEqual([]);
    const framework = 'Contents/Frameworks/C.framework';
    const version = [file(`${framework}/Versions/A/Resources/Info.plist`, INFO), program(`${framework}/Versions/A/tool`)];
    const missing = [`skipped: ${framework} holds no bundle that can be checked`];
    expect(nested([...version, link(`${framework}/Versions/Current`, 'A')])).toEqual([]);
    expect(nested([...version, link(`${framework}/Versions/Current`, './A')])).toEqual([]);
    expect(nested([...version, link(`${framework}/Versions/Current`, 'B')])).toEqual(missing);
    expect(nested([...version, file(`${framework}/Versions/Current`)])).toEqual(missing);
    expect(nested(version)).toEqual(missing);
  }); // biome-ignore format: a table

  it('is none where it can be nothing else', () => {
    const path = 'Contents/MacOS/script';
    const words = [`fail: ${path} lies where only signed code may lie, and is none`];
    expect(nested([file(path)])).toEqual(words);
    expect(nested([file(path)], AD_HOC)).toEqual(words);
    expect(nested([file(path)], OTHERS, new Set([path]))).toEqual([
      `skipped: ${path}: its signature lies in extended attributes, which are not supported`,
    ]);
    expect(nested([file(path)], OTHERS, new Set(['MacOS/script']))).toEqual(words);
    const folder = 'Contents/PlugIns/B.plugin';
    expect(nested([file(`${folder}/x`)])).toEqual([`skipped: ${folder} holds no bundle that can be checked`]);
    expect(nested([file(`${folder}/x`)], AD_HOC)).toEqual([`fail: ${folder} lies where only signed code may lie, and is none`]);
  }); // biome-ignore format: a table

  it('is sealed by the hash of any of its slices, and of nothing else', () => {
    const nested = (cdHash: string) => {
      const data = Buffer.from(cdHash, 'hex').toString('base64');
      const pairs = `<key>cdhash</key><data>${data}</data><key>requirement</key><string>r</string>`;
      const files2 = `<dict><key>MacOS/other</key><dict>${pairs}</dict></dict>`;
      const seal = file('Contents/_CodeSignature/CodeResources', plist(['files2', files2]));
      const entries = [...outer.slice(0, 2), seal, program('Contents/MacOS/other')];
      const verifier = new CodeVerifier(new FileIndex(entries), OTHERS, { isBundle: true });
      for (const path of verifier.files) verifier.see(path, buildFat([intel, tool]));
      const { checks, slices } = verifier.finish();
      return { seal: checks.filter(({ id }) => id === 'seal-nested').map(({ status }) => status), slices };
    };
    const hashes = nested('00'.repeat(20)).slices.slice(0, 2).map(({ cdHash }) => cdHash);
    expect(new Set(hashes).size).toBe(2);
    expect(hashes.map((hash) => nested(hash).seal)).toEqual([['pass'], ['pass']]);
    expect(nested('00'.repeat(20)).seal).toEqual(['fail']);
  }); // biome-ignore format: short

  it('lies in eight other bundles at most', () => {
    const deep = (levels: number) =>
      Array.from({ length: levels + 1 }, (_, level) => {
        const root = 'Contents/PlugIns/a.xpc/'.repeat(level);
        return [file(`${root}Contents/Info.plist`, INFO), program(`${root}Contents/MacOS/tool`)];
      }).flat();
    const tooDeep = (levels: number) => said(deep(levels)).filter((words) => words.includes('nested too deep'));
    expect(tooDeep(8)).toEqual([]);
    expect(tooDeep(9)).toEqual([`${'Contents/PlugIns/a.xpc/'.repeat(9).slice(0, -1)} code-nested fail: nested too deep`]);
  }); // biome-ignore format: a table

  it('is as deep as there are bundles above it', () => {
    const roots = ['', 'A.app', 'A.app/x/B.app', 'C.app'];
    const bundles = findBundles(new FileIndex(roots.map((root) => file(`${root === '' ? '' : `${root}/`}Contents/Info.plist`, INFO))));
    const depths = (above: readonly string[]) => bundles.map((bundle) => depthOf(bundle, new Set(above)));
    expect(bundles.map(({ root }) => root)).toEqual(roots);
    expect(depths(roots)).toEqual([0, 1, 2, 1]);
    expect(depths(roots.slice(1))).toEqual([0, 0, 1, 0]);
    expect(depths([])).toEqual([0, 0, 0, 0]);
  }); // biome-ignore format: a table
});
