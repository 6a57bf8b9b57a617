import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { releaseIndex } from '../../../build/commands/release-index.ts';
import { type Config, readConfig } from '../../../build/plan/config.ts';
import { type Manifest, readManifest } from '../../../build/plan/manifest.ts';
import {
  parseReleaseIndex,
  RELEASE_INDEX_SCHEMA,
  type ReleaseIndex,
  refuseRewritten,
  withRelease,
} from '../../../build/release-index/release-index.ts';
import { jsonSchemaText } from '../../support/json-schema.ts';

const EMPTY: ReleaseIndex = { schema: 1, product: 'Escrow Buddy', releases: [] };
let manifest: Manifest;
let config: Config;
let scratch: string;
beforeEach(async () => {
  manifest = { ...((await readManifest(inject('releaseFolder'))) as Manifest), mode: 'release' };
  const read = await readConfig('.');
  config = { ...read, services: { ...read.services, downloads: 'https://dl.example.org/v{version}' } };
  scratch = mkdtempSync(join(tmpdir(), 'index-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const version = (name: string): Manifest => ({ ...manifest, version: name });
const two = () => withRelease(withRelease(EMPTY, version('1.1.0'), config), version('1.2.0'), config);

describe('the index of releases', () => {
  it('says of a release what release.json says', () => {
    const [release] = withRelease(EMPTY, manifest, config).releases;
    const file = manifest.files.find(({ role }) => role === 'package')!;
    expect(release).toMatchObject({
      version: '1.1.0',
      minimumMacOS: '10.14.4',
      identifier: 'com.netflix.Escrow-Buddy',
      teamIdentifier: manifest.package!.teamIdentifier,
      notarizedAt: manifest.ticket!.issuedAt,
      package: { name: file.path, size: file.size, sha256: file.sha256 },
      cdHashes: Object.fromEntries(manifest.code.map(({ architecture, cdhash }) => [architecture, cdhash])),
    });
    expect(release!.package.url).toBe(`https://dl.example.org/v1.1.0/${file.path}`);
  });

  it('keeps to its schema, which lies in the project and which another checker reads', () => {
    const text = jsonSchemaText(RELEASE_INDEX_SCHEMA, 'output');
    expect(readFileSync('docs/schemas/index.schema.json', 'utf8')).toBe(text);
    const validate = new Ajv2020().compile(JSON.parse(text));
    expect(validate(two())).toBe(true);
    expect(validate({ ...two(), schema: 2 })).toBe(false);
  });

  it('adds at the end, and the same release only once', () => {
    expect(two().releases.map((release) => release.version)).toEqual(['1.1.0', '1.2.0']);
    expect(withRelease(two(), version('1.1.0'), config)).toEqual(two());
  });

  it('refuses another release of a version that is there', () => {
    const other = { ...version('1.1.0'), commit: 'f'.repeat(40) };
    expect(() => withRelease(two(), other, config)).toThrow(expect.objectContaining({ code: 'INDEX_CHANGED' }));
  });

  it.each<[string, () => Manifest, RegExp]>([
    ['a rehearsal', () => ({ ...manifest, mode: 'rehearsal' }), /mode rehearsal/],
    ['a package that nobody signed', () => ({ ...manifest, package: null }), /nobody signed it/],
    ['a release without a kit', () => ({ ...manifest, files: manifest.files.slice(0, 1) }), /role mdm-kit/],
  ])('refuses %s', (_, made, words) => expect(() => withRelease(EMPTY, made(), config)).toThrow(words));

  it('refuses a release that nobody knows where to download', () => {
    const nowhere = { ...config, services: { ...config.services, downloads: null } };
    expect(() => withRelease(EMPTY, manifest, nowhere)).toThrow(/services\.downloads/);
  });
});

describe('an index held to an earlier one', () => {
  it('may have more at its end', () => {
    expect(() => refuseRewritten(EMPTY, two())).not.toThrow();
    expect(() => refuseRewritten(two(), withRelease(two(), version('1.3.0'), config))).not.toThrow();
  });

  it.each<[string, (index: ReleaseIndex) => ReleaseIndex, string]>([
    ['removed', (index) => ({ ...index, releases: index.releases.slice(1) }), '1.1.0 was removed'],
    ['moved', (index) => ({ ...index, releases: index.releases.toReversed() }), '1.2.0 was moved'],
    [
      'changed',
      (index) => ({ ...index, releases: index.releases.map((one) => ({ ...one, signer: 'x' })) }),
      '1.1.0 was changed',
    ],
    ['of another product', (index) => ({ ...index, product: 'x' }), 'the product was Escrow Buddy'],
  ])('is refused when something is %s', (_, change, words) => {
    expect(() => refuseRewritten(two(), change(two()))).toThrow(words);
  });

  it('finds every single value that was changed', () => {
    const values = Object.keys(two().releases[0]!);
    for (const key of values) {
      const [first, ...rest] = two().releases;
      const changed = { ...two(), releases: [{ ...first!, [key]: 'other' }, ...rest] } as ReleaseIndex;
      expect(() => refuseRewritten(two(), changed), key).toThrow();
    }
  });
});

describe('index FILE', () => {
  const root = process.cwd();

  it('reads what it is given, and names what is wrong in it', async () => {
    const path = join(scratch, 'index.json');
    writeFileSync(path, JSON.stringify(two()));
    expect((await releaseIndex({ root }, path, {})).text).toContain('2 releases (1.1.0, 1.2.0)');
    expect(() => parseReleaseIndex(JSON.stringify({ ...two(), schema: 2 }), 'index.json')).toThrow('schema');
    const twice = { ...two(), releases: [...two().releases, two().releases[0]] };
    expect(() => parseReleaseIndex(JSON.stringify(twice), 'index.json')).toThrow('1.1.0 is there twice');
  });

  it('leaves the file unchanged when a rehearsal is to be added, or an earlier one says otherwise', async () => {
    const path = join(scratch, 'index.json');
    const earlier = join(scratch, 'earlier.json');
    writeFileSync(path, JSON.stringify(EMPTY));
    writeFileSync(earlier, JSON.stringify(two()));
    await expect(releaseIndex({ root }, path, { add: inject('releaseFolder') })).rejects.toMatchObject({
      code: 'INDEX_REHEARSAL',
    });
    await expect(releaseIndex({ root }, path, { since: earlier })).rejects.toMatchObject({ code: 'INDEX_CHANGED' });
    expect(readFileSync(path, 'utf8')).toBe(JSON.stringify(EMPTY));
  });
});
