import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sbomProblems } from '../../../build/sbom/check-sbom.ts';
import { buildSbom, contentComponents, type SbomInput, serialNumberOf } from '../../../build/sbom/cyclonedx.ts';
import { type ContentFile, type PackageContent, readPackageContent } from '../../../build/sbom/package-content.ts';
import { buildProduct } from '../../../src/package/product.ts';
import { deflatedFile, emitXar, layoutXar } from '../../../src/xar/write.ts';
import { sampleSlice } from '../../code-signature/sample.ts';
import { collect, directory, file as entry } from '../../support/payload.ts';
import { productOf } from '../../verify/others.ts';

const file = (path: string, change: Partial<ContentFile> = {}): ContentFile => ({
  ...{ path, sha256: `digest of ${path}`, kind: 'other', slices: [] },
  ...change,
});
const slice = (architecture: string, ...libraries: string[]) => ({
  ...{ architecture, sha256: 'aa', cdHash: null, uuid: 'UUID', minimumMacOS: '11.0', sdk: null },
  libraries,
});
const CONTENT: PackageContent = {
  ...{ sha256: 'package', identifier: 'com.example.a', version: '1.0', installLocation: '/Library' },
  bundles: [
    { path: 'A.bundle', id: 'com.example.a', version: '1.0' },
    { path: 'B.bundle', id: null, version: null },
  ],
  payload: [
    file('A.bundle/run', {
      kind: 'mach-o',
      slices: [slice('x86_64', '/usr/lib/b', '/usr/lib/a'), slice('arm64', '/usr/lib/a')],
    }),
    file('A.bundle/Info.plist', { kind: 'property-list' }),
    file('B.bundle/x'),
    file('C/A.bundle/y', { kind: 'script' }),
    file('A.bundle.old'),
  ],
  scripts: [
    file('postinstall', { kind: 'script' }),
    file('tool', { kind: 'mach-o', slices: [slice('arm64', '/usr/lib/c')] }),
  ],
};
const INPUT: SbomInput = {
  product: { title: 'A', file: 'a.pkg', license: 'MIT' },
  ...{ content: CONTENT, commit: 'c0ffee', sourceDateEpoch: 1_700_000_000, tools: { clang: '14', lld: '15' } },
  npmPackages: [
    { name: '@scope/a', version: '1.0.0', sha512: 'ff', license: 'MIT' },
    { name: 'b', version: '2.0.0', sha512: null, license: null },
  ],
};
const refs = (list: readonly { readonly 'bom-ref': string }[] = []) => list.map((one) => one['bom-ref']);

describe('the components of a package', () => {
  const components = contentComponents(CONTENT);

  it('are its bundles, what lies beside them, its scripts, and libraries of macOS by name', () => {
    expect(refs(components)).toEqual([
      ...['payload/A.bundle', 'payload/B.bundle', 'payload/C/A.bundle/y', 'payload/A.bundle.old'],
      ...['scripts/postinstall', 'scripts/tool', 'macOS/usr/lib/a', 'macOS/usr/lib/b', 'macOS/usr/lib/c'],
    ]);
    expect(refs(components[0]!.components)).toEqual(['payload/A.bundle/run', 'payload/A.bundle/Info.plist']);
    expect(refs(components[1]!.components)).toEqual(['payload/B.bundle/x']);
  });

  it('say of a bundle what is known of it', () => {
    const [known, unknown] = components;
    const location = { name: 'apple:installLocation', value: '/Library' };
    expect([known!.version, known!.properties]).toEqual([
      '1.0',
      [{ name: 'apple:CFBundleIdentifier', value: 'com.example.a' }, location],
    ]);
    expect(['version' in unknown!, unknown!.properties]).toEqual([false, [location]]);
  });

  it('say of a file its kind, and of a program its slices', () => {
    const [run, list] = components[0]!.components!;
    expect(list).toEqual({
      ...{
        type: 'file',
        'bom-ref': 'payload/A.bundle/Info.plist',
        'mime-type': 'application/x-plist',
        name: 'A.bundle/Info.plist',
      },
      hashes: [{ alg: 'SHA-256', content: 'digest of A.bundle/Info.plist' }],
    });
    expect(run!['mime-type']).toBe('application/x-mach-binary');
    expect(run!.components![0]).toEqual({
      ...{ type: 'file', 'bom-ref': 'payload/A.bundle/run#x86_64', 'mime-type': 'application/x-mach-binary' },
      ...{ name: 'A.bundle/run (x86_64)', hashes: [{ alg: 'SHA-256', content: 'aa' }] },
      properties: [
        { name: 'apple:architecture', value: 'x86_64' },
        { name: 'apple:minimumMacOS', value: '11.0' },
        { name: 'apple:uuid', value: 'UUID' },
      ],
    });
    expect([components[2]!['mime-type'], components[3]!['mime-type']]).toEqual([
      'application/x-sh',
      'application/octet-stream',
    ]);
    expect(components.at(-1)).toMatchObject({ type: 'library', name: '/usr/lib/c', scope: 'required' });
  });
});

describe('the document', () => {
  const sbom = buildSbom(INPUT);

  it('is version 1 of itself, of the time of the sources, and names package, commit and tools', () => {
    expect([sbom.version, sbom.metadata.timestamp, sbom.metadata.lifecycles]).toEqual([
      1,
      '2023-11-14T22:13:20.000Z',
      [{ phase: 'post-build' }],
    ]);
    expect(sbom.metadata.component).toMatchObject({
      name: 'A',
      version: '1.0',
      licenses: [{ expression: 'MIT' }],
      pedigree: { commits: [{ uid: 'c0ffee' }] },
    });
    expect(buildSbom({ ...INPUT, commit: null }).metadata.component).not.toHaveProperty('pedigree');
    expect(refs(sbom.metadata.tools.components)).toEqual(['tool/clang', 'tool/lld']);
  });

  it('tells what depends on what, and what is complete', () => {
    expect(sbom.dependencies).toEqual([
      {
        ref: 'package',
        dependsOn: [
          ...['payload/A.bundle', 'payload/B.bundle', 'payload/C/A.bundle/y', 'payload/A.bundle.old'],
          ...['scripts/postinstall', 'scripts/tool'],
        ],
      },
      { ref: 'payload/A.bundle/run#x86_64', dependsOn: ['macOS/usr/lib/b', 'macOS/usr/lib/a'] },
      { ref: 'payload/A.bundle/run#arm64', dependsOn: ['macOS/usr/lib/a'] },
      { ref: 'scripts/tool#arm64', dependsOn: ['macOS/usr/lib/c'] },
    ]);
    expect(sbom.compositions).toEqual([
      { aggregate: 'complete', assemblies: ['package', 'payload/A.bundle', 'payload/B.bundle'] },
    ]);
  });

  it('names packages of npm by purl, with digest and license where they are known', () => {
    expect(sbom.components.slice(-2)).toEqual([
      {
        ...{
          type: 'library',
          'bom-ref': 'pkg:npm/%40scope/a@1.0.0',
          name: '@scope/a',
          version: '1.0.0',
          scope: 'excluded',
        },
        ...{
          hashes: [{ alg: 'SHA-512', content: 'ff' }],
          licenses: [{ expression: 'MIT' }],
          purl: 'pkg:npm/%40scope/a@1.0.0',
        },
      },
      {
        type: 'library',
        'bom-ref': 'pkg:npm/b@2.0.0',
        name: 'b',
        version: '2.0.0',
        scope: 'excluded',
        purl: 'pkg:npm/b@2.0.0',
      },
    ]);
  });

  it('describes this package and no other', () => {
    const problems = (change: object, content: Partial<PackageContent> = {}) => {
      const changed = { ...sbom, ...change };
      return sbomProblems({ ...changed, serialNumber: serialNumberOf(changed) }, { ...CONTENT, ...content });
    };
    expect(problems({})).toEqual([]);
    expect(sbomProblems({ ...sbom, serialNumber: 'urn:uuid:1' }, CONTENT)).toEqual([
      'its serial number is not that of its content',
    ]);
    for (const other of [null, {}, { ...sbom, bomFormat: 'SPDX' }, { ...sbom, specVersion: '1.5' }])
      expect(sbomProblems(other, CONTENT)).toEqual(['it is not a CycloneDX 1.6 document']);
    expect(problems({}, { sha256: 'other' })).toEqual(['it is of another package']);
    expect(problems({}, { version: '2.0' })).toEqual(['it is of version 1.0, the package of 2.0']);
    expect(problems({ metadata: {} })).toEqual([
      'it is of another package',
      'it is of version undefined, the package of 1.0',
    ]);
    expect(problems({}, { scripts: CONTENT.scripts.slice(1) })).toEqual(['scripts/postinstall differs']);
    expect(problems({ components: sbom.components.slice(1) })).toEqual(['payload/A.bundle differs']);
    expect(problems({ components: undefined })).toHaveLength(contentComponents(CONTENT).length);
    const more = (change: object) =>
      problems({ components: [...sbom.components, { ...sbom.components[0], ...change }] });
    expect(more({ 'bom-ref': 'scripts/more' })).toEqual(['scripts/more differs']);
    expect(more({ version: '9' })).toEqual(['payload/A.bundle differs']);
    expect(more({ scope: 'excluded' })).toEqual([]);
  });
});

describe('what is read of a package', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'sbom-content-'));
  afterAll(() => rmSync(scratch, { recursive: true }));

  it('is every file with its kind, by name', async () => {
    const component = {
      ...{ identifier: 'com.example.a', version: '1.0', installLocation: '/Library', bundles: [] },
      payload: [
        directory('.'),
        entry('./a', `${' '.repeat(506)}<plist`),
        entry('./b', `${' '.repeat(507)}<plist`),
        entry('./c', '#!/bin/sh\n', 0o755),
        entry('./d', ' #!/bin/sh\n'),
        entry('./e', sampleSlice('arm64'), 0o755),
        entry('./f', '<plist'),
      ],
      scripts: [directory('.'), entry('./postinstall', '#!/bin/sh\n', 0o755)],
    };
    const product = {
      identifier: 'com.example.a',
      version: '1.0',
      title: 'A',
      minimumSystemVersion: '11.0',
      creationTime: 1,
    };
    const path = join(scratch, 'a.pkg');
    await buildProduct({ ...product, component }, path, new AbortController().signal);
    const found = await readPackageContent(path);
    expect(found).toMatchObject({
      identifier: 'com.example.a',
      version: '1.0',
      installLocation: '/Library',
      bundles: [],
    });
    expect(found.payload.map(({ path: name, kind }) => `${name} ${kind}`)).toEqual([
      'a property-list',
      'b other',
      'c script',
      'd other',
      'e mach-o',
      'f property-list',
    ]);
    expect(found.scripts.map(({ path: name, kind }) => `${name} ${kind}`)).toEqual(['postinstall script']);
    expect(found.payload[4]!.slices).toMatchObject([{ architecture: 'arm64', cdHash: null, minimumMacOS: '11.0' }]);
  });

  it('is null where it says nothing, and installs into the root', async () => {
    const info =
      '<pkg-info identifier="a" version="1"><payload numberOfFiles="1" installKBytes="0"/><bundle path="./A.bundle"/></pkg-info>';
    const path = join(scratch, 'bare.pkg');
    writeFileSync(path, await collect(emitXar(layoutXar([deflatedFile('PackageInfo', Buffer.from(info))], { creationTime: 1 })))); // biome-ignore format: short
    expect(await readPackageContent(path)).toMatchObject({
      ...{ identifier: 'a', installLocation: '/', payload: [], scripts: [] },
      bundles: [{ path: expect.stringContaining('A.bundle'), id: null, version: null }],
    });
  });

  it('is that of one component', async () => {
    const path = join(scratch, 'two.pkg');
    const parts = { 'a.pkg': { identifier: 'com.example.a' }, 'b.pkg': { identifier: 'com.example.b' } };
    writeFileSync(path, await productOf(null, parts));
    await expect(readPackageContent(path)).rejects.toThrow('2 components instead of one');
  });
});
