import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { buildSbom, type Sbom, type SbomComponent, serialNumberOf } from '../../../build/sbom/cyclonedx.ts';
import { readBuildPackages } from '../../../build/sbom/npm-packages.ts';
import { readPackageContent } from '../../../build/sbom/package-content.ts';
import { builtPackage } from '../../support/built-package.ts';
import { sha256 } from '../../support/file-digest.ts';
import { inProcess } from '../../support/in-process.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'sbom-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const written = (): Sbom => JSON.parse(readFileSync(join(inject('releaseFolder'), 'EscrowBuddy.cdx.json'), 'utf8'));
const all = (components: readonly SbomComponent[]): SbomComponent[] =>
  components.flatMap((component) => [component, ...all(component.components ?? [])]);
/** The project's own validator, which compiles the official schema once. */
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
const problems = (document: object) => validator.validate(JSON.stringify(document));

describe('EscrowBuddy.cdx.json', () => {
  it('is a document by the official schema of CycloneDX 1.6, which refuses others', async () => {
    expect(await problems(written())).toBeNull();
    expect(await problems({ ...written(), serialNumber: 'urn:uuid:1' })).not.toBeNull();
    expect(await problems({ ...written(), components: [{ type: 'bundle', name: 'a' }] })).not.toBeNull();
  });

  it('has the digest of every file that expand unpacks, and names no other', async () => {
    const folder = join(scratch, 'expanded');
    expect((await inProcess(['expand', builtPackage(), folder])).status).toBe(0);
    const files = (archive: 'payload' | 'scripts', from: string) =>
      readdirSync(from, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => `${sha256(path)} ${archive}/${path.slice(from.length + 1)}`);
    const component = join(folder, 'com.netflix.Escrow-Buddy.pkg');
    const expected = [...files('payload', join(component, 'Payload')), ...files('scripts', join(component, 'Scripts'))];
    const told = all(written().components)
      .filter(({ type, 'bom-ref': ref }) => type === 'file' && !ref.includes('#'))
      .map(({ 'bom-ref': ref, hashes }) => `${hashes?.[0]?.content} ${ref}`);
    expect(told.sort()).toEqual(expected.sort());
    expect(told).toHaveLength(10);
  });

  it('has both slices with the cdhash of release.json and the libraries that they link', async () => {
    const { code } = JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8'));
    const slices = all(written().components).filter((component) => component['bom-ref'].includes('#'));
    const property = (slice: SbomComponent, name: string) =>
      slice.properties?.find((candidate) => candidate.name === `apple:${name}`)?.value;
    expect(slices.map((slice) => [property(slice, 'architecture'), property(slice, 'cdhash')])).toEqual(
      code.map(({ architecture, cdhash }: { architecture: string; cdhash: string }) => [architecture, cdhash]),
    );
    const links = written().dependencies.filter(({ ref }) => ref.includes('#'));
    for (const { dependsOn } of links) {
      expect(dependsOn).toEqual([
        'macOS/usr/lib/libSystem.B.dylib',
        'macOS/System/Library/Frameworks/CoreFoundation.framework/Versions/A/CoreFoundation',
      ]);
    }
    expect(links).toHaveLength(2);
  });

  it('names the package, the commit, compiler and linker, and marks what only built it as excluded', async () => {
    const { metadata, components } = written();
    const { commit, tools } = JSON.parse(readFileSync(join(inject('releaseFolder'), 'release.json'), 'utf8'));
    expect(metadata.component.hashes).toEqual([{ alg: 'SHA-256', content: sha256(builtPackage()) }]);
    expect(metadata.component.pedigree?.commits).toEqual([{ uid: commit }]);
    expect(metadata.tools.components.map(({ name, version }) => [name, version])).toEqual(
      expect.arrayContaining(Object.entries(tools)),
    );
    const excluded = components.filter(({ scope }) => scope === 'excluded');
    expect(excluded.every(({ purl }) => purl?.startsWith('pkg:npm/'))).toBe(true);
    expect(excluded.map(({ name }) => name)).toContain('commander');
  });

  it('refers to nothing that it does not describe, and gives no name twice', async () => {
    const { metadata, components, dependencies, compositions } = written();
    const refs = all([metadata.component, ...metadata.tools.components, ...components]).map((part) => part['bom-ref']);
    expect(new Set(refs).size).toBe(refs.length);
    const named = [
      ...dependencies.flatMap(({ ref, dependsOn }) => [ref, ...dependsOn]),
      ...compositions.flatMap(({ assemblies }) => assemblies),
    ];
    expect(named.filter((ref) => !refs.includes(ref))).toEqual([]);
  });
});

describe('buildSbom', () => {
  const input = async () => ({
    product: { title: 'Example', file: 'Example.pkg', license: 'Apache-2.0' },
    content: await readPackageContent(builtPackage()),
    commit: null,
    sourceDateEpoch: 1_700_000_000,
    tools: { clang: '14.0.6' },
    npmPackages: await readBuildPackages('.'),
  });

  it('gives the same document for the same input, with a time and a number that come from it', async () => {
    const first = buildSbom(await input());
    expect(JSON.stringify(buildSbom(await input()))).toBe(JSON.stringify(first));
    expect(first.metadata.timestamp).toBe('2023-11-14T22:13:20.000Z');
    expect(first.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(buildSbom({ ...(await input()), commit: 'a' }).serialNumber).not.toBe(first.serialNumber);
    expect(await problems(first)).toBeNull();
  });

  it('keeps its number through a file', async () => {
    const sbom = buildSbom(await input());
    expect(serialNumberOf(JSON.parse(JSON.stringify(sbom)))).toBe(sbom.serialNumber);
  });
});
