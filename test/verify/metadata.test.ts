import { describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import type { SliceFacts } from '../../src/code-signature/verify/verify-slice.ts';
import { parseDistribution, renderDistribution } from '../../src/package/distribution.ts';
import type { OpenComponent, OpenPackage } from '../../src/package/open-package.ts';
import { NO_BUNDLE_LISTS, type PackageInfo } from '../../src/package/package-info.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { checkArchitectures, checkDistribution, checkPackageInfo } from '../../src/verify/metadata.ts';
import type { PayloadPath } from '../../src/verify/tree.ts';

const BUNDLE = { path: 'A.bundle', id: 'com.example.a', shortVersion: '1.0' };
const INFO: PackageInfo = {
  identifier: 'com.example.a',
  version: '1.0',
  installLocation: '/Library/A',
  overwritePermissions: true,
  relocatable: false,
  postinstallAction: 'none',
  auth: 'root',
  payload: { numberOfFiles: 3, installKBytes: 5 },
  bundles: [BUNDLE],
  lists: { ...NO_BUNDLE_LISTS, upgradeBundle: ['com.example.a'] },
  scripts: [],
};
const OURS = {
  identifier: 'com.example.a',
  version: '1.0',
  installLocation: '/Library/A',
  minimumSystemVersion: '10.14.4',
} as OurForm;
const component = (folder: string, info: Partial<PackageInfo> = {}): OpenComponent => ({
  folder,
  info: { ...INFO, ...info },
  bom: undefined,
  payload: undefined,
  scripts: undefined,
});
const DISTRIBUTION = renderDistribution({
  product: { id: 'com.example.a', version: '1.0' },
  title: 'A',
  minimumSystemVersion: '10.14.4',
  hostArchitectures: ['arm64', 'x86_64'],
  packages: [{ id: 'com.example.a', version: '1.0', installKBytes: 5, member: 'a.pkg', versionedBundles: [] }],
}).toString();

/** The outcome of the one check that a function makes: its status, and why. */
function outcome(check: (list: CheckList) => void): string {
  const list = new CheckList('package');
  check(list);
  return list.checks.map(({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`)).join('; ');
}

describe('checkDistribution', () => {
  const check = (text: string, ours: OurForm | null, components = [component('a.pkg')]) => {
    const distribution = parseDistribution(Buffer.from(text));
    return outcome((list) => checkDistribution(list, { distribution, components } as unknown as OpenPackage, ours));
  };
  it.each([
    ['a', ['a.pkg']],
    ['a.pkg', ['a.pkg.pkg']],
    ['a.pkg', ['A.pkg']],
    ['b/a.pkg', ['a.pkg']],
  ])('takes no other component for the one that is named: %s among %j', (member, folders) => {
    const words = check(
      DISTRIBUTION.replace('#a.pkg', `#${member}`),
      null,
      folders.map((name) => component(name)),
    );
    expect(words).toContain(`fail: com.example.a leads to ${member}, which is not there`);
  });

  const edited = (from: string | RegExp, to: string) => {
    const text = DISTRIBUTION.replace(from, to);
    expect(text).not.toBe(DISTRIBUTION);
    return text;
  };

  it('passes one that is whole, of ours and of others', () => {
    expect(check(DISTRIBUTION, OURS)).toBe('pass');
    expect(check(DISTRIBUTION, null)).toBe('pass');
  });

  it('is skipped for a bare component', () => {
    const opened = { distribution: undefined, components: [] } as unknown as OpenPackage;
    expect(outcome((list) => checkDistribution(list, opened, null))).toBe('skipped: a bare component has none');
  });

  it.each<[string, string | RegExp, string, string]>([
    ['no reference', '#a.pkg', 'http://example.com/', 'no reference leads to a component in this package'],
    ['a reference to nothing', '#a.pkg', '#b.pkg', 'com.example.a leads to b.pkg, which is not there'],
    ['another version', /version="1.0"(?=[^>]*>#a.pkg)/, 'version="2.0"', 'is version 2.0, its component 1.0'],
    ['a line without a choice', '<line choice="com.example.a"/>', '<line choice="x"/>', 'names the choice x, which'],
    [
      'a choice with a second package that is not there',
      /(<choice id="com[^>]*>\s*<pkg-ref id="[^"]*"\/>)/,
      '$1<pkg-ref id="y"/>',
      'names the package y, which',
    ],
    [
      'a choice without a package',
      /(<choice id="com[^>]*>\s*)<pkg-ref id="[^"]*"/,
      '$1<pkg-ref id="x"',
      'names the package x,',
    ],
  ])('refuses everybody’s with %s', (_, from, to, words) => {
    expect(check(edited(from, to), null)).toMatch(/^fail: /);
    expect(check(edited(from, to), null)).toContain(words);
  });

  it('refuses references to another component, and components that none leads to', () => {
    expect(check(DISTRIBUTION, null, [component('a.pkg', { identifier: 'com.example.b' })])).toBe(
      'fail: com.example.a leads to a.pkg, which is com.example.b',
    );
    expect(check(DISTRIBUTION, null, [component('a.pkg'), component('b.pkg')])).toBe(
      'fail: nothing refers to the component b.pkg',
    );
  });

  it('takes a reference that names no version, and another size, from others', () => {
    expect(check(edited(/ version="1.0"(?=[^>]*>#a.pkg)/, ''), null)).toBe('pass');
    expect(check(DISTRIBUTION.replace('installKBytes="5"', 'installKBytes="6"'), null)).toBe('pass');
  });

  it.each<[string, string | RegExp, string, string]>([
    ['another size', 'installKBytes="5"', 'installKBytes="6"', 'com.example.a says 6 KiB, its component 5'],
    ['another product', '<product id="com.example.a"', '<product id="x"', 'the product is x, expected com.example.a'],
    ['another version of the product', /(<product [^>]*)"1.0"/, '$1"1.1"', 'product and component differ'],
    ['an older macOS', 'min="10.14.4"', 'min="10.13"', 'it asks for macOS 10.13, expected 10.14.4'],
    ['two macOS', /(<os-version [^>]*>)/, '$1$1', 'it asks for macOS 10.14.4, 10.14.4, expected 10.14.4'],
    ['no macOS', /<os-version [^>]*>/, '', 'it asks for macOS none, expected 10.14.4'],
    ['other volumes', 'rootVolumeOnly="true"', 'rootVolumeOnly="false"', 'it can be installed on other volumes'],
    ['parts to choose', 'customize="never"', 'customize="allow"', 'parts of it can be left out'],
    ['JavaScript', '<product ', '<script/><product ', 'it runs JavaScript'],
  ])('refuses ours with %s, and takes it from others', (_, from, to, words) => {
    expect(check(edited(from, to), OURS)).toBe(
      `fail: ${words}${words.endsWith('differ') ? ' in identifier or version' : words.startsWith('the product is') ? '; product and component differ in identifier or version' : ''}`,
    );
    expect(check(edited(from, to), null)).toBe('pass');
  });

  it('refuses ours with two components', () => {
    const second =
      '<pkg-ref id="com.example.b" version="1.0" installKBytes="5">#b.pkg</pkg-ref></installer-gui-script>';
    const two = edited('</installer-gui-script>', second);
    const components = [component('a.pkg'), component('b.pkg', { identifier: 'com.example.b' })];
    expect(check(two, OURS, components)).toBe('fail: it holds 2 components, expected one');
    expect(check(two, null, components)).toBe('pass');
  });
});

describe('checkPackageInfo', () => {
  const PATHS = [{ path: '.' }, { path: './A.bundle' }] as PayloadPath[];
  const check = (info: Partial<PackageInfo>, ours: OurForm | null, paths: readonly PayloadPath[] | undefined = PATHS) =>
    outcome((list) => checkPackageInfo(list, component('', info), paths, ours));

  it('passes one that is right, and one whose payload nobody could read', () => {
    expect(check({}, OURS)).toBe('pass');
    expect(check({}, null)).toBe('pass');
    const list = new CheckList('a');
    checkPackageInfo(list, component(''), undefined, OURS);
    expect(list.checks[0]?.status).toBe('pass');
  });

  it.each(['B.bundle', 'A.bund', 'A.bundlex', 'a.bundle', 'x/A.bundle'])(
    'refuses a bundle that is not in the payload: %s',
    (path) => {
      const words = `fail: the bundle ${path} is not in the payload`;
      expect(check({ bundles: [BUNDLE, { ...BUNDLE, path }] }, null)).toBe(words);
    },
  );

  const other = { ...INFO.lists };
  it.each<[Partial<PackageInfo>, string]>([
    [{ identifier: 'x' }, 'identifier x, expected com.example.a'],
    [{ installLocation: '/' }, 'install-location /, expected /Library/A'],
    [{ lists: { ...other, upgradeBundle: [] } }, 'the bundles are not those that are replaced as a whole'],
    [{ lists: { ...other, relocate: ['x'] } }, 'a bundle may be installed elsewhere'],
    [{ lists: { ...other, bundleVersion: ['x'] } }, 'a bundle is skipped where a newer one is'],
    [{ lists: { ...other, updateBundle: ['x'] } }, 'a list of bundles is not empty'],
    [{ lists: { ...other, strictIdentifier: ['x'] } }, 'a list of bundles is not empty'],
    [{ lists: { ...other, atomicUpdateBundle: ['x'] } }, 'a list of bundles is not empty'],
    [{ auth: 'none' }, 'auth none, expected root'],
    [{ relocatable: true }, 'it is relocatable'],
    [{ postinstallAction: 'restart' }, 'postinstall-action restart, expected none'],
    [{ overwritePermissions: false }, 'overwrite-permissions is not set'],
    [{ bundles: [{ ...BUNDLE, shortVersion: '2.0' }] }, 'A.bundle is version 2.0, its package 1.0'],
  ])('refuses ours with %j, and takes it from others', (change, words) => {
    expect(check(change, OURS)).toBe(`fail: ${words}`);
    expect(check(change, null)).toBe('pass');
  });

  it('demands the version that is asked for, if any is', () => {
    const changed = { version: '1.1', bundles: [{ ...BUNDLE, shortVersion: '1.1' }] };
    expect(check(changed, OURS)).toBe('fail: version 1.1, expected 1.0');
    expect(check(changed, { ...OURS, version: null })).toBe('pass');
  });
});

describe('checkArchitectures', () => {
  const check = (host: string, ours: boolean, ...found: string[]) => {
    const text = DISTRIBUTION.replace('hostArchitectures="arm64,x86_64"', host && `hostArchitectures="${host}"`);
    const distribution = parseDistribution(Buffer.from(text));
    const slices = found.map((architecture) => ({ architecture }) as SliceFacts);
    return outcome((list) => checkArchitectures(list, { distribution } as unknown as OpenPackage, slices, ours));
  };

  it.each<[string, string[], string]>([
    ['arm64,x86_64', ['arm64', 'x86_64'], ''],
    ['arm64,x86_64', [], ''],
    ['arm64,i386', ['x86_64'], ''],
    ['i386', ['arm64'], 'arm64 in the payload, but hostArchitectures is i386'],
    ['x86_64', ['arm64', 'arm64', 'x86_64'], 'arm64 in the payload, but hostArchitectures is x86_64'],
    ['arm64', ['x86_64'], 'x86_64 in the payload, but hostArchitectures is arm64'],
    ['', ['arm64', 'x86_64'], 'arm64, x86_64 in the payload, but hostArchitectures is missing'],
  ])('with %j takes %j, or says why not', (host, found, words) => {
    expect(check(host, true, ...found)).toBe(words ? `fail: ${words}` : 'pass');
    expect(check(host, false, ...found)).toBe(words ? `pass: ${words}` : 'pass');
  });

  it('is skipped for a bare component', () => {
    const opened = { distribution: undefined } as OpenPackage;
    expect(outcome((list) => checkArchitectures(list, opened, [], true))).toContain('skipped');
  });
});
