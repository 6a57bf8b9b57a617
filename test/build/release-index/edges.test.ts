import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type Config, readConfig } from '../../../build/plan/config.ts';
import { type Manifest, readManifest } from '../../../build/plan/manifest.ts';
import {
  parseReleaseIndex,
  type ReleaseIndex,
  refuseRewritten,
  withRelease,
} from '../../../build/release-index/release-index.ts';

const EMPTY: ReleaseIndex = { schema: 1, product: 'P', releases: [] };
let manifest: Manifest;
let config: Config;
beforeAll(async () => {
  manifest = { ...((await readManifest(inject('releaseFolder'))) as Manifest), mode: 'release' };
  const read = await readConfig('.');
  config = { ...read, services: { ...read.services, downloads: 'https://dl.example.org/v{version}' } };
});
const release = (change: Partial<Manifest> = {}) => withRelease(EMPTY, { ...manifest, ...change }, config).releases[0]!;
const parsed = (index: unknown) => parseReleaseIndex(JSON.stringify(index), 'index.json');

describe('a release in the index', () => {
  it('has no time without a ticket, and no cdhash of a slice without one', () => {
    const code = [
      { ...manifest.code[0]!, architecture: 'x86_64', cdhash: 'a' },
      { ...manifest.code[0]!, architecture: 'arm64', cdhash: null },
    ] as Manifest['code'];
    expect(release({ ticket: null, code })).toMatchObject({ notarizedAt: null, cdHashes: { x86_64: 'a', arm64: '' } });
  });

  it('names package and kit by what they are, the first of each', () => {
    const file = (role: string, path: string) => ({ ...manifest.files[0]!, role, path }) as Manifest['files'][number];
    const files = [
      file('report', 'r'),
      file('mdm-kit', 'k'),
      file('package', 'p'),
      file('package', 'q'),
      file('mdm-kit', 'l'),
    ];
    const { package: made, kit } = release({ files });
    expect([made.name, made.url, kit.name]).toEqual(['p', 'https://dl.example.org/v1.1.0/p', 'k']);
  });

  const signed = (change: object) => ({ package: { ...manifest.package!, ...change } }) as Partial<Manifest>;
  it.each<[string, () => Partial<Manifest>]>([
    ['no signer', () => signed({ signer: null })],
    ['no team', () => signed({ teamIdentifier: null })],
    ['a version for trying out', () => ({ version: '1.1.0-rc1' })],
    ['no package', () => ({ package: null })],
    ['no list of a package', () => ({ files: manifest.files.filter(({ role }) => role !== 'package') })],
    ['no list of a kit', () => ({ files: manifest.files.filter(({ role }) => role !== 'mdm-kit') })],
  ])('must be whole: %s', (_, change) => {
    expect(() => release(change())).toThrow(expect.objectContaining({ code: 'INDEX_INCOMPLETE' }));
  });

  it('is compared with the one of its version, wherever that stands', () => {
    const one = release();
    const index = { ...EMPTY, releases: [{ ...one, version: '1.0.0' }, one, { ...one, version: '1.2.0' }] };
    expect(withRelease(index, manifest, config)).toBe(index);
    const other = { ...index, releases: index.releases.map((each) => ({ ...each, commit: 'x' })) };
    expect(() => withRelease(other, manifest, config)).toThrow(/1\.1\.0 is there with other facts/);
  });
});

describe('an index', () => {
  it('is read back as it was written', () => {
    const index = { ...EMPTY, releases: [release()] };
    expect(parsed(index)).toEqual(index);
    const small = { ...index, releases: [{ ...release(), package: { ...release().package, size: 1 } }] };
    expect(parsed(small)).toEqual(small);
    expect(parsed(EMPTY)).toEqual(EMPTY);
  });

  it.each<[string, (one: ReleaseIndex['releases'][number]) => unknown, RegExp]>([
    ['an empty file', (one) => ({ ...one, package: { ...one.package, size: 0 } }), /size/],
    ['a file without a name', (one) => ({ ...one, kit: { ...one.kit, name: '' } }), /name/],
    ['an address without TLS', (one) => ({ ...one, kit: { ...one.kit, url: 'http://a' } }), /url/],
    ['half a digest', (one) => ({ ...one, kit: { ...one.kit, sha256: 'ab' } }), /sha256/],
    ['a version for trying out', (one) => ({ ...one, version: '1.1.0-rc1' }), /version/],
  ])('is refused with %s', (_, change, words) => {
    expect(() => parsed({ ...EMPTY, releases: [change(release())] })).toThrow(words);
  });

  it('names each version once that is there again, and no other', () => {
    const versions = (...names: unknown[]) => {
      try {
        parsed({ ...EMPTY, releases: names.map((version) => ({ ...release(), version })) });
        return [];
      } catch (error) {
        return String(error).match(/\S+ is there twice/g) ?? [];
      }
    };
    expect(versions('1.0.0', '1.1.0')).toEqual([]);
    expect(versions('1.0.0', '1.1.0', '1.0.0')).toEqual(['1.0.0 is there twice']);
    expect(versions('1.0.0', '1.0.0', '1.0.0')).toHaveLength(2);
    expect(versions(7, 7)).toEqual([]);
    expect(() => parsed({ ...EMPTY, releases: 'none' })).toThrow(expect.objectContaining({ code: 'INDEX_INVALID' }));
    expect(() => parsed({ ...EMPTY, releases: [null] })).toThrow(expect.objectContaining({ code: 'INDEX_INVALID' }));
  });

  it('held to an earlier one says of each release what became of it', () => {
    const versions = ['1.0.0', '1.1.0', '1.2.0'].map((version) => ({ ...release(), version }));
    const earlier = { ...EMPTY, releases: versions };
    const said = (releases: ReleaseIndex['releases'], product = 'P') => {
      try {
        refuseRewritten(earlier, { ...EMPTY, product, releases });
        return [];
      } catch (error) {
        return (error as Error).message
          .split('\n')
          .slice(1)
          .map((line) => line.trim());
      }
    };
    const [a, b, c] = versions as [(typeof versions)[0], (typeof versions)[0], (typeof versions)[0]];
    expect(said([a, b, c])).toEqual([]);
    expect(said([a, c, b])).toEqual(['1.1.0 was moved', '1.2.0 was moved']);
    expect(said([a, { ...b, commit: 'x' }, c])).toEqual(['1.1.0 was changed']);
    expect(said([a, c])).toEqual(['1.1.0 was removed', '1.2.0 was moved']);
    expect(said([a, b, c], 'Q')).toEqual(['the product was P, it is Q']);
    expect(said([b], 'Q')).toEqual([
      '1.0.0 was removed',
      '1.1.0 was moved',
      '1.2.0 was removed',
      'the product was P, it is Q',
    ]);
  });
});
