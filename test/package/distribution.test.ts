import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accessFile } from '../../src/base/random-access.ts';
import {
  type Distribution,
  memberLocation,
  parseDistribution,
  renderDistribution,
} from '../../src/package/distribution.ts';
import { findMember, readXar } from '../../src/xar/read.ts';
import { grapheme } from '../support/characters.ts';
import { check, needs, realPackages } from '../support/needs.ts';
import { extract, faultOf } from '../support/xar.ts';

const xmllint = needs('xmllint');

const EXAMPLE: Distribution = {
  product: { id: 'com.example.a', version: '1.1.0' },
  title: 'Example A',
  minimumSystemVersion: '10.14.4',
  hostArchitectures: ['arm64', 'x86_64'],
  packages: [
    { id: 'com.example.a', version: '1.1.0', installKBytes: 124, member: 'com.example.a.pkg', versionedBundles: [] },
  ],
};

const EXAMPLE_XML = `<?xml version="1.0" encoding="utf-8"?>
<installer-gui-script minSpecVersion="2">
    <pkg-ref id="com.example.a">
        <bundle-version/>
    </pkg-ref>
    <product id="com.example.a" version="1.1.0"/>
    <title>Example A</title>
    <options customize="never" require-scripts="false" rootVolumeOnly="true" hostArchitectures="arm64,x86_64"/>
    <domains enable_anywhere="false" enable_currentUserHome="false" enable_localSystem="true"/>
    <volume-check>
        <allowed-os-versions>
            <os-version min="10.14.4"/>
        </allowed-os-versions>
    </volume-check>
    <choices-outline>
        <line choice="default">
            <line choice="com.example.a"/>
        </line>
    </choices-outline>
    <choice id="default"/>
    <choice id="com.example.a" visible="false">
        <pkg-ref id="com.example.a"/>
    </choice>
    <pkg-ref id="com.example.a" version="1.1.0" onConclusion="none" installKBytes="124" updateKBytes="0" auth="root">#com.example.a.pkg</pkg-ref>
</installer-gui-script>`;

describe('renderDistribution', () => {
  it('writes elements in the order of productbuild, without a newline at the end', () => {
    expect(renderDistribution(EXAMPLE).toString()).toBe(EXAMPLE_XML);
  });

  it('names bundles whose version is compared as productbuild does', () => {
    const bundle = { path: 'A.app', id: 'com.example.a', shortVersion: '1.0', version: '1' };
    const packages = EXAMPLE.packages.map((reference) => ({ ...reference, versionedBundles: [bundle] }));
    expect(renderDistribution({ ...EXAMPLE, packages }).toString()).toContain(
      '<bundle CFBundleShortVersionString="1.0" CFBundleVersion="1" id="com.example.a" path="A.app"/>',
    );
  });

  it.skipIf(xmllint.missing)(`writes what xmllint parses${xmllint.note}`, () => {
    const data = renderDistribution({ ...EXAMPLE, title: 'A & <B> "é"' });
    expect(check('xmllint', ['--nonet', '--xpath', 'string(//title)', '-'], data).toString().trimEnd()).toBe(
      'A & <B> "é"',
    );
  });
});

describe('memberLocation', () => {
  // Expected values: RFC 3986, section 3.5 (fragment): unreserved, sub-delims, ":", "@", "/" and "?" stand for themselves.
  it.each([
    ['com.example.a.pkg', '#com.example.a.pkg'],
    ['Example A.pkg', '#Example%20A.pkg'],
    ["-._~!$&'()*+,;=:@?", "#-._~!$&'()*+,;=:@?"],
    ['a#b#c', '#a%23b%23c'],
    ['100%#[é]"<>\\^`{|}', '#100%25%23%5B%C3%A9%5D%22%3C%3E%5C%5E%60%7B%7C%7D'],
  ])('of %s is %s', (member, location) => {
    expect(memberLocation(member)).toBe(location);
  });
});

describe('parseDistribution', () => {
  it('gives back what was rendered, whatever the names', () => {
    const word = fc
      .string({ unit: grapheme, minLength: 1, maxLength: 12 })
      .map((text) => `x${text.replace(/[^ -~\u00a1-\ud7ff\ue000-\ufffd]/gu, '_')}`);
    const reference = fc.record({ id: word, version: word, installKBytes: fc.nat(), member: word });
    fc.assert(
      fc.property(
        word,
        word,
        fc.uniqueArray(reference, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
        (id, version, references) => {
          const packages = references.map((item) => ({ ...item, versionedBundles: [] }));
          const parsed = parseDistribution(renderDistribution({ ...EXAMPLE, product: { id, version }, packages }));
          expect(parsed).toMatchObject({
            minSpecVersion: '2',
            title: 'Example A',
            product: { id, version },
            hostArchitectures: ['arm64', 'x86_64'],
            minimumSystemVersions: ['10.14.4'],
            rootVolumeOnly: true,
            customize: 'never',
          });
          expect(parsed.packages).toEqual(
            references.map((item) => ({
              ...item,
              auth: 'root',
              onConclusion: 'none',
              location: memberLocation(item.member),
            })),
          );
        },
      ),
    );
  });

  it('takes the least there can be', () => {
    const { root, ...rest } = parseDistribution(Buffer.from('<installer-script/>'));
    expect(root.name).toBe('installer-script');
    expect(rest).toEqual({ hostArchitectures: [], minimumSystemVersions: [], rootVolumeOnly: false, packages: [] });
  });

  it('merges the references to one package', () => {
    const text =
      '<installer-gui-script><pkg-ref id="a" version="1" installKBytes="7">\n#a.pkg\n</pkg-ref><pkg-ref id="b"/>' +
      '<pkg-ref id="a" version="2" auth="root"/></installer-gui-script>';
    expect(parseDistribution(Buffer.from(text)).packages).toEqual([
      { id: 'a', version: '2', installKBytes: 7, auth: 'root', location: '#a.pkg', member: 'a.pkg' },
      { id: 'b' },
    ]);
  });

  it('takes the same location said twice', () => {
    const text =
      '<installer-gui-script><pkg-ref id="a">#a.pkg</pkg-ref><pkg-ref id="a"> #a.pkg </pkg-ref></installer-gui-script>';
    expect(parseDistribution(Buffer.from(text)).packages).toEqual([{ id: 'a', location: '#a.pkg', member: 'a.pkg' }]);
  });

  it('keeps a location that names no member', () => {
    const text = '<installer-gui-script><pkg-ref id="a">file:./a.pkg</pkg-ref></installer-gui-script>';
    expect(parseDistribution(Buffer.from(text)).packages).toEqual([{ id: 'a', location: 'file:./a.pkg' }]);
  });

  const minimal = (children: string) =>
    parseDistribution(Buffer.from(`<installer-gui-script>${children}</installer-gui-script>`));

  it.each<[string, Partial<ReturnType<typeof parseDistribution>>]>([
    ['<title>A</title><title>B</title>', { title: 'A' }],
    ['<title/>', { title: '' }],
    ['<product/>', { product: {} }],
    ['<product id="a"/><product id="b"/>', { product: { id: 'a' } }],
    ['<product version="1"/>', { product: { version: '1' } }],
    ['<options rootVolumeOnly="true"/>', { rootVolumeOnly: true }],
    ['<options rootVolumeOnly="false"/>', { rootVolumeOnly: false }],
    [
      '<options rootVolumeOnly="true" customize="allow"/><options customize="never"/>',
      { customize: 'never', rootVolumeOnly: true },
    ],
    ['<options hostArchitectures=" arm64 ,, x86_64"/>', { hostArchitectures: ['arm64', 'x86_64'] }],
    ['<options hostArchitectures=""/>', { hostArchitectures: [] }],
    [
      '<volume-check><allowed-os-versions><os-version/><os-version min="11"/></allowed-os-versions></volume-check>' +
        '<volume-check/><volume-check><allowed-os-versions><os-version min="12"/></allowed-os-versions></volume-check>',
      { minimumSystemVersions: ['11', '12'] },
    ],
    ['<allowed-os-versions><os-version min="11"/></allowed-os-versions>', { minimumSystemVersions: [] }],
  ])('reads %s', (children, expected) => {
    const { root: _, ...rest } = minimal(children);
    const none = { hostArchitectures: [], minimumSystemVersions: [], rootVolumeOnly: false, packages: [] };
    expect(rest).toEqual({ ...none, ...expected });
  });

  it.each<[string, object]>([
    ['<pkg-ref id="a" installKBytes="999999999999999"/>', { installKBytes: 999_999_999_999_999 }],
    ['<pkg-ref id="a" installKBytes="0"/>', { installKBytes: 0 }],
    ['<pkg-ref id="a" version="1"/><pkg-ref id="a"/>', { version: '1' }],
    ['<pkg-ref id="a" onConclusion="RequireRestart" auth="root"/>', { onConclusion: 'RequireRestart', auth: 'root' }],
    ['<pkg-ref id="a">a#b.pkg</pkg-ref>', { location: 'a#b.pkg' }],
    ['<pkg-ref id="a">#Example%20A%23.pkg</pkg-ref>', { location: '#Example%20A%23.pkg', member: 'Example A#.pkg' }],
    ['<pkg-ref id="a">#a</pkg-ref><pkg-ref id="a"/>', { location: '#a', member: 'a' }],
    ['<pkg-ref id="a"/><pkg-ref id="a">#a</pkg-ref>', { location: '#a', member: 'a' }],
    ['<pkg-ref id="a">#</pkg-ref>', { location: '#', member: '' }],
    ['<pkg-ref id="a"><bundle-version><bundle id="b"/></bundle-version></pkg-ref>', {}],
  ])('reads the reference %s', (children, expected) => {
    expect(minimal(children).packages).toEqual([{ id: 'a', ...expected }]);
  });

  it.each([
    ['an empty id', '<pkg-ref id=""/>', 'DISTRIBUTION_REFERENCE'],
    ['a size of 16 digits', '<pkg-ref id="a" installKBytes="1000000000000000"/>', 'DISTRIBUTION_VALUE'],
    ['an empty size', '<pkg-ref id="a" installKBytes=""/>', 'DISTRIBUTION_VALUE'],
    ['a size with a unit', '<pkg-ref id="a" installKBytes="7K"/>', 'DISTRIBUTION_VALUE'],
    ['a size behind a blank', '<pkg-ref id="a" installKBytes=" 7"/>', 'DISTRIBUTION_VALUE'],
    ['a location with a comment inside', '<pkg-ref id="a">#a<!-- -->.pkg</pkg-ref>', 'DISTRIBUTION_REFERENCE'],
    ['a location before an element', '<pkg-ref id="a">#a<bundle-version/></pkg-ref>', 'DISTRIBUTION_REFERENCE'],
    ['a location behind an element', '<pkg-ref id="a"><bundle-version/>#a</pkg-ref>', 'DISTRIBUTION_REFERENCE'],
    [
      'a member and another place',
      '<pkg-ref id="a">#a</pkg-ref><pkg-ref id="a">file:a</pkg-ref>',
      'DISTRIBUTION_REFERENCE',
    ],
  ])('refuses %s in a reference', async (_, children, code) => {
    const fault = await faultOf(() => minimal(children));
    expect(fault).toMatchObject({
      code,
      format: 'Distribution',
      offset: '<installer-gui-script>'.length + children.lastIndexOf('<pkg-ref'),
    });
  });

  it('keeps what stands behind an encoding that is wrong, as the cause', async () => {
    const fault = await faultOf(() => minimal('<pkg-ref id="a">#%ff</pkg-ref>'));
    expect(fault.cause).toBeInstanceOf(URIError);
  });

  it('takes no declaration of a namespace', async () => {
    const fault = await faultOf(() => minimal('<title xmlns:a="urn:a"/>'));
    expect(fault).toMatchObject({ code: 'XML_NAMESPACE', format: 'Distribution' });
  });

  it('takes no attribute in two spellings, of which one could hide the other', async () => {
    const fault = await faultOf(() => minimal('<choice id="a" visible="f()" Visible="true"/>'));
    expect(fault).toMatchObject({ code: 'XML_SPELLING', format: 'Distribution' });
  });

  const faults: [string, string, string][] = [
    ['another root', '<pkg-info/>', 'DISTRIBUTION_ROOT'],
    ['a reference without id', '<installer-gui-script><pkg-ref/></installer-gui-script>', 'DISTRIBUTION_REFERENCE'],
    [
      'a reference that is badly encoded',
      '<installer-gui-script><pkg-ref id="a">#%zz</pkg-ref></installer-gui-script>',
      'DISTRIBUTION_REFERENCE',
    ],
    [
      'two locations of one package',
      '<installer-gui-script><pkg-ref id="a">#a.pkg</pkg-ref><pkg-ref id="a">#b.pkg</pkg-ref></installer-gui-script>',
      'DISTRIBUTION_REFERENCE',
    ],
    [
      'a size that is not a number',
      '<installer-gui-script><pkg-ref id="a" installKBytes="-1"/></installer-gui-script>',
      'DISTRIBUTION_VALUE',
    ],
    ['an entity declaration', '<!DOCTYPE a [<!ENTITY x "y">]><installer-gui-script/>', 'XML_DOCTYPE'],
  ];
  it.each(faults)('refuses %s', async (_, text, code) => {
    const fault = await faultOf(() => parseDistribution(Buffer.from(text)));
    expect(fault).toMatchObject({ code, format: 'Distribution' });
    if (code.startsWith('DISTRIBUTION_') && code !== 'DISTRIBUTION_ROOT')
      expect(fault.offset).toBe(text.lastIndexOf('<pkg-ref'));
  });

  it.skipIf(realPackages.missing)(`finds the component of each real product${realPackages.note}`, async () => {
    const folder = join(realPackages.folder as string, 'pkg');
    let products = 0;
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.pkg'))) {
      const handle = await open(join(folder, name));
      const archive = await readXar(await accessFile(handle));
      const member = findMember(archive, 'Distribution');
      if (member) {
        products++;
        const { packages } = parseDistribution(await extract(archive, member));
        expect(packages, name).toHaveLength(1);
        expect(findMember(archive, packages[0]?.member ?? '')?.kind, name).toBe('directory');
      }
      await handle.close();
    }
    expect(products).toBe(6);
  });
});
