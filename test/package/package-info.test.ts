import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessFile } from '../../src/base/random-access.ts';
import {
  NO_BUNDLE_LISTS,
  type PackageInfo,
  parsePackageInfo,
  renderPackageInfo,
} from '../../src/package/package-info.ts';
import { readXar } from '../../src/xar/read.ts';
import { check, needs, realPackages } from '../support/needs.ts';
import { extract, faultOf } from '../support/xar.ts';

const xmllint = needs('xmllint');

const EXAMPLE: PackageInfo = {
  identifier: 'com.example.Plug-in',
  version: '1.1.0',
  installLocation: '/Library/Security/SecurityAgentPlugins',
  overwritePermissions: true,
  relocatable: false,
  postinstallAction: 'none',
  auth: 'root',
  payload: { numberOfFiles: 15, installKBytes: 124 },
  bundles: [{ path: 'Plug In.bundle', id: 'com.example.Plug-in', shortVersion: '1.1.0', version: '10100' }],
  lists: { ...NO_BUNDLE_LISTS, upgradeBundle: ['com.example.Plug-in'] },
  scripts: [
    { name: 'preinstall', file: './preinstall', timeoutSeconds: 600 },
    { name: 'postinstall', file: './postinstall', timeoutSeconds: 600 },
  ],
};

/** Attribute and element order as in packages by pkgbuild of macOS 11 to 15. */
const EXAMPLE_XML = `<?xml version="1.0" encoding="utf-8"?>
<pkg-info overwrite-permissions="true" relocatable="false" identifier="com.example.Plug-in" postinstall-action="none" version="1.1.0" format-version="2" install-location="/Library/Security/SecurityAgentPlugins" auth="root">
    <payload numberOfFiles="15" installKBytes="124"/>
    <bundle path="./Plug In.bundle" id="com.example.Plug-in" CFBundleShortVersionString="1.1.0" CFBundleVersion="10100"/>
    <bundle-version/>
    <upgrade-bundle>
        <bundle id="com.example.Plug-in"/>
    </upgrade-bundle>
    <update-bundle/>
    <atomic-update-bundle/>
    <strict-identifier/>
    <relocate/>
    <scripts>
        <preinstall file="./preinstall" timeout="600"/>
        <postinstall file="./postinstall" timeout="600"/>
    </scripts>
</pkg-info>`;

describe('renderPackageInfo', () => {
  it('writes what pkgbuild writes, in its order, without a newline at the end', () => {
    expect(renderPackageInfo(EXAMPLE).toString()).toBe(EXAMPLE_XML);
  });

  it('leaves out scripts and attributes that are not there', () => {
    const { installLocation: _, ...rest } = EXAMPLE;
    const text = renderPackageInfo({ ...rest, scripts: [], bundles: [{ path: 'a.bundle' }] }).toString();
    expect(text).not.toMatch(/scripts|install-location|generator-version/);
    expect(text).toContain('<bundle path="./a.bundle"/>');
  });

  it.skipIf(xmllint.missing)(`writes what xmllint parses${xmllint.note}`, () => {
    const hard = { ...EXAMPLE, identifier: 'a"<&>é', version: "1'\n" };
    const found = check(
      'xmllint',
      ['--nonet', '--xpath', 'string(/pkg-info/@identifier)', '-'],
      renderPackageInfo(hard),
    );
    expect(found.toString().trimEnd()).toBe('a"<&>é');
  });
});

describe('parsePackageInfo', () => {
  const word = fc.stringMatching(/^[ -~é]{1,12}$/);
  const number = fc.nat(1_000_000);
  const bundle = fc.record({ path: word, id: word, shortVersion: word, version: word }, { requiredKeys: ['path'] });
  const ids = fc.array(word, { maxLength: 2 });
  const info = fc.record(
    {
      identifier: word,
      version: word,
      installLocation: word,
      overwritePermissions: fc.boolean(),
      relocatable: fc.boolean(),
      postinstallAction: fc.constantFrom('none', 'logout', 'restart', 'shutdown' as const),
      auth: fc.constantFrom('root', 'none' as const),
      generatorVersion: word,
      minimumSystemVersion: word,
      payload: fc.record({ numberOfFiles: number, installKBytes: number }),
      bundles: fc.array(
        bundle.filter(({ path }) => !path.startsWith('./')),
        { maxLength: 2 },
      ),
      lists: fc.record({
        bundleVersion: ids,
        upgradeBundle: ids,
        updateBundle: ids,
        atomicUpdateBundle: ids,
        strictIdentifier: ids,
        relocate: ids,
      }),
      scripts: fc.array(
        fc.record(
          { name: fc.constantFrom('preinstall', 'postinstall'), file: word, timeoutSeconds: number },
          { requiredKeys: ['name', 'file'] },
        ),
        { maxLength: 2 },
      ),
    },
    {
      noNullPrototype: true,
      requiredKeys: [
        'identifier',
        'version',
        'overwritePermissions',
        'relocatable',
        'postinstallAction',
        'auth',
        'payload',
        'bundles',
        'lists',
        'scripts',
      ],
    },
  );

  it('gives back what was rendered', () => {
    fc.assert(
      fc.property(info, (value) => {
        expect(parsePackageInfo(renderPackageInfo(value as PackageInfo))).toEqual(value);
      }),
    );
  });

  it('takes what Packages.app writes: no declaration, no lists, another order', () => {
    const text =
      '<pkg-info format-version="2" identifier="com.example.a" version="1.0" relocatable="false" overwrite-permissions="false" ' +
      'followSymLinks="false" install-location="/" auth="root">\n<payload installKBytes="0" numberOfFiles="4"/>\n</pkg-info>';
    expect(parsePackageInfo(Buffer.from(text))).toEqual({
      identifier: 'com.example.a',
      version: '1.0',
      installLocation: '/',
      overwritePermissions: false,
      relocatable: false,
      postinstallAction: 'none',
      auth: 'root',
      payload: { numberOfFiles: 4, installKBytes: 0 },
      bundles: [],
      lists: NO_BUNDLE_LISTS,
      scripts: [],
    });
  });

  it('takes words in capitals, as Packages.app writes Root', () => {
    expect(parsePackageInfo(Buffer.from(EXAMPLE_XML.replace('auth="root"', 'auth="Root"'))).auth).toBe('root');
  });

  const minimal = (attributes: string, children = '') =>
    parsePackageInfo(Buffer.from(`<pkg-info identifier="a" version="1" ${attributes}>${children}</pkg-info>`));

  it('takes the least there can be', () => {
    expect(minimal('')).toEqual({
      identifier: 'a',
      version: '1',
      overwritePermissions: false,
      relocatable: false,
      postinstallAction: 'none',
      auth: 'none',
      payload: { numberOfFiles: 0, installKBytes: 0 },
      bundles: [],
      lists: NO_BUNDLE_LISTS,
      scripts: [],
    });
  });

  it.each([
    ['overwrite-permissions="true"', { overwritePermissions: true, relocatable: false }],
    ['relocatable="TRUE"', { overwritePermissions: false, relocatable: true }],
    ['overwrite-permissions="false" relocatable="false"', { overwritePermissions: false, relocatable: false }],
    ['postinstall-action="logout"', { postinstallAction: 'logout' }],
    ['postinstall-action="Restart"', { postinstallAction: 'restart' }],
    ['postinstall-action="shutdown"', { postinstallAction: 'shutdown' }],
    ['auth="root"', { auth: 'root' }],
    ['auth="none"', { auth: 'none' }],
    ['install-location="/L"', { installLocation: '/L' }],
    ['install-location=""', { installLocation: '' }],
    ['generator-version="InstallCmds-845"', { generatorVersion: 'InstallCmds-845' }],
    ['minimumSystemVersion="11.0"', { minimumSystemVersion: '11.0' }],
  ])('reads %s', (attributes, expected) => expect(minimal(attributes)).toMatchObject(expected));

  it.each([
    ['0', 0],
    ['007', 7],
    ['999999999999999', 999_999_999_999_999],
    ['1000000000000000', undefined],
    ['', undefined],
    ['1 ', undefined],
    ['x1', undefined],
    ['1x', undefined],
  ])('reads a count of %j as %j', async (text, expected) => {
    for (const name of ['numberOfFiles', 'installKBytes'] as const) {
      const read = () => minimal('', `<payload ${name}="${text}"/>`).payload;
      const other = name === 'numberOfFiles' ? 'installKBytes' : 'numberOfFiles';
      if (expected !== undefined) expect(read()).toEqual({ [name]: expected, [other]: 0 });
      else
        expect(await faultOf(read)).toMatchObject({
          code: 'PACKAGE_INFO_VALUE',
          message: expect.stringContaining(name),
        });
    }
    const script = () => minimal('', `<scripts><preinstall file="./p" timeout="${text}"/></scripts>`).scripts;
    if (expected !== undefined)
      expect(script()).toEqual([{ name: 'preinstall', file: './p', timeoutSeconds: expected }]);
    else expect(await faultOf(script)).toMatchObject({ code: 'PACKAGE_INFO_VALUE' });
  });

  it('joins what a document says in several places, in its order', () => {
    const children =
      '<bundle path="././a"/><bundle path="b./c" id="i" CFBundleVersion="2"/><bundle path=".a/x"/>' +
      '<relocate><bundle id="1"/><other id="x"/></relocate><relocate><bundle id="2"/></relocate>' +
      '<scripts><preflight file="p"/></scripts><scripts><postinstall file="./q"/></scripts>';
    const { bundles, lists, scripts } = minimal('', children);
    expect(bundles).toEqual([{ path: './a' }, { path: 'b./c', id: 'i', version: '2' }, { path: '.a/x' }]);
    expect(lists).toEqual({ ...NO_BUNDLE_LISTS, relocate: ['1', '2'] });
    expect(scripts).toEqual([
      { name: 'preflight', file: 'p' },
      { name: 'postinstall', file: './q' },
    ]);
  });

  it('refuses a second payload, and says where it stands', async () => {
    const text = '<pkg-info identifier="a" version="1"><payload/><payload numberOfFiles="1"/></pkg-info>';
    expect(await faultOf(() => parsePackageInfo(Buffer.from(text)))).toMatchObject({
      code: 'PACKAGE_INFO_REPEATED',
      offset: text.lastIndexOf('<payload'),
    });
  });

  it('takes no declaration of a namespace', async () => {
    const read = () => minimal('xmlns:a="urn:a"');
    expect(await faultOf(read)).toMatchObject({ code: 'XML_NAMESPACE', format: 'PackageInfo' });
  });

  it('takes no attribute in two spellings, of which one could hide the other', async () => {
    const read = () => minimal('postinstall-action="restart" Postinstall-Action="none"');
    expect(await faultOf(read)).toMatchObject({ code: 'XML_SPELLING', format: 'PackageInfo' });
  });

  it.each([
    ['Install-Location="/"', ''],
    ['', '<Scripts><postinstall file="./a"/></Scripts>'],
    ['', '<scripts><PostInstall file="./a"/></scripts>'],
    ['', '<scripts><preInstall file="./a"/></scripts>'],
    ['', '<scripts><preinstall file="./a" File="./b"/></scripts>'],
    ['', '<Payload numberOfFiles="1"/>'],
    ['', '<Bundle path="./a.bundle"/>'],
    ['', '<relocate><BUNDLE id="a"/></relocate>'],
  ])('reads past nothing that stands in other capitals: %s %s', async (attributes, children) => {
    const fault = await faultOf(() => minimal(attributes, children));
    expect(fault).toMatchObject({ code: 'XML_SPELLING', message: expect.stringContaining('other capitals') });
    expect(() => minimal(attributes.toLowerCase(), children.toLowerCase().replace(' file="./b"', ''))).not.toThrow();
  });

  const faults: [string, string, string, string, string?][] = [
    ['another root', EXAMPLE_XML, '<pkg/>', 'PACKAGE_INFO_ROOT'],
    ['no identifier', ' identifier="com.example.Plug-in"', '', 'PACKAGE_INFO_MISSING', '<pkg-info'],
    ['an empty identifier', ' identifier="com.example.Plug-in"', ' identifier=""', 'PACKAGE_INFO_MISSING', '<pkg-info'],
    ['no version', ' version="1.1.0"', '', 'PACKAGE_INFO_MISSING', '<pkg-info'],
    ['an unknown action', 'action="none"', 'action="reboot"', 'PACKAGE_INFO_VALUE', '<pkg-info'],
    ['an unknown auth', 'auth="root"', 'auth="admin"', 'PACKAGE_INFO_VALUE', '<pkg-info'],
    ['a flag that is none', 'relocatable="false"', 'relocatable="no"', 'PACKAGE_INFO_VALUE', '<pkg-info'],
    ['a negative count', 'numberOfFiles="15"', 'numberOfFiles="-1"', 'PACKAGE_INFO_VALUE', '<payload'],
    ['a size that is not a number', 'installKBytes="124"', 'installKBytes="1e3"', 'PACKAGE_INFO_VALUE', '<payload'],
    ['a bundle without path', 'path="./Plug In.bundle"', '', 'PACKAGE_INFO_MISSING', '<bundle '],
    [
      'a listed bundle without id',
      '<bundle id="com.example.Plug-in"/>',
      '<bundle/>',
      'PACKAGE_INFO_MISSING',
      '<bundle/>',
    ],
    ['a script without file', 'file="./preinstall"', '', 'PACKAGE_INFO_MISSING', '<preinstall'],
    ['a time limit that is not a number', 'timeout="600"', 'timeout="soon"', 'PACKAGE_INFO_VALUE', '<preinstall'],
    ['text that is cut', '</pkg-info>', '', 'XML_SYNTAX', ''],
  ];
  it.each(faults)('refuses %s', async (_name, ...change) => {
    const [from, to, code, place] = change as [string, string, string, string?];
    const text = EXAMPLE_XML.replace(from, to);
    expect(text).not.toBe(EXAMPLE_XML);
    const fault = await faultOf(() => parsePackageInfo(Buffer.from(text)));
    expect(fault).toMatchObject({ code, format: 'PackageInfo' });
    if (place !== '') expect(text.slice(fault.offset).startsWith(place ?? to)).toBe(true);
  });

  it('refuses every prefix', async () => {
    for (let length = 0; length < EXAMPLE_XML.length; length++) {
      await faultOf(() => parsePackageInfo(Buffer.from(EXAMPLE_XML.slice(0, length))));
    }
  });

  it.skipIf(realPackages.missing)(
    `gives Apple's bytes back, but for what is not kept${realPackages.note}`,
    async () => {
      const folder = join(realPackages.folder as string, 'pkg');
      const same: string[] = [];
      for (const name of (await readdir(folder)).filter((file) => file.endsWith('.pkg'))) {
        const handle = await open(join(folder, name));
        const archive = await readXar(await accessFile(handle));
        for (const member of archive.members.filter(({ path }) => /(^|\/)PackageInfo$/.test(path))) {
          const data = await extract(archive, member);
          const info = parsePackageInfo(data);
          expect(info.version, name).not.toBe('');
          if (renderPackageInfo(info).equals(data)) same.push(name);
        }
        await handle.close();
      }
      // The others are by Packages.app, have preserve-xattr (relic) or fewer attributes (setwallpaper).
      expect(same.sort()).toEqual(['installomator-0.5-2021.pkg', 'jq-1.8.1-2025.pkg', 'santa-0.9.19-2017.pkg']);
    },
  );
});
