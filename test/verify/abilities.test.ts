import { describe, expect, it } from 'vitest';
import { parseDistribution } from '../../src/package/distribution.ts';
import type { OpenPackage } from '../../src/package/open-package.ts';
import { packageAbilities } from '../../src/verify/abilities.ts';

interface Made {
  /** Inside the Distribution; none without. */
  readonly distribution?: string;
  /** PackageInfos, by the folder of their component. */
  readonly infos?: Readonly<Record<string, string>>;
  readonly members?: readonly { readonly path: string; readonly kind: string }[];
}

/** What is found, as `ability: where it is said`. */
async function abilities({ distribution, infos = {}, members = [] }: Made): Promise<string[]> {
  const pieces = Object.entries(infos).map(([folder, text]) => ({ folder, data: Buffer.from(text) }));
  let offset = 0;
  const infoMembers = pieces.map(({ folder, data: { length } }) => {
    const data = { offset, length, size: length, encoding: 'application/octet-stream' };
    offset += length;
    return {
      path: folder === '' ? 'PackageInfo' : `${folder}/PackageInfo`,
      kind: 'file',
      data,
      extendedAttributes: [],
    };
  });
  const heap = Buffer.concat(pieces.map(({ data }) => data));
  const access = { size: heap.length, read: async (at: number, size: number) => heap.subarray(at, at + size) };
  const root = distribution === undefined ? undefined : `<installer-gui-script>${distribution}</installer-gui-script>`;
  const found = await packageAbilities({
    archive: { access, heapStart: 0, members: [...infoMembers, ...members] },
    distribution: root && parseDistribution(Buffer.from(root)),
    components: pieces.map(({ folder }) => ({ folder })),
  } as unknown as OpenPackage);
  return found.map(({ ability, before, found: where }) => `${ability}${before ? ' (before)' : ''}: ${where}`);
}

describe('what a Distribution may do', () => {
  it.each<[string, string | RegExp]>([
    ['<script>f()</script>', 'javaScript (before): Distribution: <script> f()'],
    ['<script src="a.js"/>', 'javaScript (before): Distribution: <script> a.js'],
    ['<SCRIPT>f()</SCRIPT>', 'javaScript (before): Distribution: <script> f()'],
    ['<volume-check script="f()"/>', 'javaScript (before): Distribution: <volume-check script="f()">'],
    ['<installation-check script=""/>', 'javaScript (before): Distribution: <installation-check script="">'],
    ['<choice id="a" selected="f()"/>', 'javaScript (before): Distribution: <choice selected="f()">'],
    ['<choice id="a" ENABLED="f()"/>', 'javaScript (before): Distribution: <choice enabled="f()">'],
    ['<choice id="a" start_visible="true "/>', 'javaScript (before): Distribution: <choice start_visible="true ">'],
    ['<pkg-ref id="a" active="f()"/>', 'javaScript (before): Distribution: <pkg-ref active="f()">'],
    [
      '<options allow-external-scripts="yes"/>',
      'externalScripts (before): Distribution: <options allow-external-scripts>',
    ],
    ['<plugins/>', 'plugIns (before): Distribution: <plugins>'],
    [
      '<pkg-ref id="a">http://example.com/a.pkg</pkg-ref>',
      'externalPackages: Distribution: a from http://example.com/a.pkg',
    ],
    ['<pkg-ref id="a">a.pkg</pkg-ref>', 'externalPackages: Distribution: a from a.pkg'],
    ['<pkg-ref id="a" x=" https://e/"/>', 'externalPackages: Distribution: a with x=" https://e/"'],
    ['<pkg-ref id="a">x/#a.pkg</pkg-ref>', 'externalPackages: Distribution: a from x/#a.pkg'],
    ['<pkg-ref id="a" onConclusion="RequireRestart"/>', 'restart: Distribution: onConclusion="RequireRestart"'],
    ['<pkg-ref id="a" auth="Root"/>', 'rootAuthorization: Distribution: auth="Root" of a'],
    ['<choice id="a" customLocation="/x"/>', 'customLocation: Distribution: <choice customlocation="/x">'],
    ['<choice id="a" customLocationAllowAlternateVolumes="yes"/>', /^customLocation: /],
    ['<pkg-ref id="a"><relocate search-id="s"/></pkg-ref>', 'relocate: Distribution: <relocate> '],
    ['<locator><search id="s"/></locator>', 'relocate: Distribution: <locator> s'],
    ['<domains enable_anywhere="true"/>', 'otherVolumes: Distribution: enable_anywhere="true"'],
    ['<domains enable_currentUserHome="yes"/>', 'otherVolumes: Distribution: enable_currentuserhome="yes"'],
    [
      '<pkg-ref id="a"><must-close><app id="x"/><app id="y"/></must-close></pkg-ref>',
      'mustClose: Distribution: <must-close> x, y',
    ],
    ['<choice id="a"><surprise/></choice>', 'unknownElements: Distribution: <surprise>'],
  ])('%s', async (distribution, expected) => {
    const found = await abilities({ distribution });
    expect(found).toHaveLength(1);
    if (typeof expected === 'string') expect(found[0]).toBe(expected);
    else expect(found[0]).toMatch(expected);
  });

  it.each([
    '<options allow-external-scripts="no"/>',
    '<options allow-external-scripts="False"/>',
    '<choice id="a" selected="true" enabled="false" visible=""/>',
    '<pkg-ref id="a" onConclusion="None" auth="NONE">#a.pkg</pkg-ref>',
    '<domains enable_anywhere="false" enable_currentUserHome="No" enable_localSystem="true"/>',
    '<title>http://example.com</title>',
  ])('%s is nothing', async (distribution) => {
    expect(await abilities({ distribution })).toEqual([]);
  });
});

/** Written down from Apple's Distribution XML Reference, in its order, and not from our own table. */
const DISTRIBUTION_NAMES = (
  'allowed-os-versions app background background-darkAqua bundle bundle-version choice choices-outline conclusion domains installation-check ' +
  'installer-script installer-gui-script license line options organization os-version product ram readme required-bundles ' +
  'required-cl-device required-gl-renderer required-graphics search strings title volume-check welcome'
).split(' ');
const CHOICE_EXPRESSIONS = 'active enabled selected visible start_enabled start_selected start_visible'.split(' ');

describe('each name of a Distribution', () => {
  it.each(DISTRIBUTION_NAMES)('<%s> is known, and asks for nothing', async (name) => {
    for (const one of [name, name.toUpperCase()]) expect(await abilities({ distribution: `<${one}/>` })).toEqual([]);
  });

  it.each(['must-close', 'pkg-ref id="a"', 'relocate', 'locator', 'script', 'plugins'])(
    '<%s> is known',
    async (name) => {
      expect((await abilities({ distribution: `<${name}/>` })).filter((one) => /unknown/.test(one))).toEqual([]);
    },
  );

  it.each(CHOICE_EXPRESSIONS)('%s holds JavaScript, unless it is true or false', async (name) => {
    const value = async (text: string) => abilities({ distribution: `<choice id="a" ${name}="${text}"/>` });
    expect(await value('f()')).toEqual([`javaScript (before): Distribution: <choice ${name}="f()">`]);
    for (const text of ['xtrue', 'truex', 'xfalse', 'falsex', 'TRUE']) expect(await value(text)).toHaveLength(1);
    for (const text of ['true', 'false', '']) expect(await value(text)).toEqual([]);
  });

  it.each<[string, number]>([
    ['<choice id="a" scripts="f()"/>', 0],
    ['<choice id="a" xscript="f()"/>', 1],
    ['<options allow-external-scripts="xno"/>', 1],
    ['<options allow-external-scripts="nox"/>', 1],
    ['<options allow-external-scripts="xfalse"/>', 1],
    ['<options allow-external-scripts="falsex"/>', 1],
    ['<options allow-external-scripts="NO"/>', 0],
    ['<options allow-external-scripts=""/>', 0],
    ['<title allow-external-scripts="yes"/>', 0],
    ['<domains enable_anywhere="xfalse"/>', 1],
    ['<domains enable_anywhere="falsex"/>', 1],
    ['<domains enable_anywhere="xno"/>', 1],
    ['<domains enable_anywhere="nox"/>', 1],
    ['<domains enable_anywhere="NO"/>', 0],
    ['<domains enable_anywhere="FALSE"/>', 0],
    ['<title enable_anywhere="yes"/>', 0],
    ['<choice id="a" xcustomLocation="/x"/>', 0],
    ['<must-close/>', 1],
    ['<must-close auth="root" onConclusion="restart"/>', 1],
    ['<script>  </script>', 1],
  ])('%s is %i things', async (distribution, count) => {
    expect(await abilities({ distribution })).toHaveLength(count);
  });

  it.each(['http:', 'https:', 'ftp:', 'file:', 'HTTP:', '\t http:'])(
    'an attribute that begins with %j leads out',
    async (text) => {
      expect(await abilities({ distribution: `<pkg-ref id="a" x="${text}//e"/>` })).toHaveLength(1);
      for (const other of [`x${text}//e`, text.replace(':', '/')])
        expect(await abilities({ distribution: `<pkg-ref id="a" x="${other}"/>` })).toEqual([]);
    },
  );

  it('<script> is told with its text at its borders, else with its file', async () => {
    const told = async (distribution: string) => (await abilities({ distribution }))[0];
    expect(await told('<script>\n f() \n</script>')).toMatch(/<script> f\(\)$/);
    expect(await told('<script src="a">\n</script>')).toMatch(/<script> a$/);
    expect(await told('<script/>')).toMatch(/<script> $/);
    expect(await told('<pkg-ref id="a">\n a.pkg \n</pkg-ref>')).toMatch(/a from a\.pkg$/);
    expect(await abilities({ distribution: '<pkg-ref id="a">\n #a.pkg\n</pkg-ref>' })).toEqual([]);
  });
});

/** From packages that pkgbuild made, and of before 10.5. */
const INFO_NAMES = (
  'payload bundle bundle-version upgrade-bundle update-bundle atomic-update-bundle strict-identifier relocate scripts must-close app ' +
  'search bundle-identifier'
).split(' ');
const SCRIPT_NAMES = ['preinstall', 'postinstall', 'preflight', 'postflight', 'preupgrade', 'postupgrade'];

describe('each name of a PackageInfo', () => {
  it.each([...INFO_NAMES, ...SCRIPT_NAMES, 'locator'])('<%s> is known', async (name) => {
    const found = await abilities({ infos: { '': `<pkg-info><${name}/></pkg-info>` } });
    expect(found.filter((one) => /unknown/.test(one))).toEqual([]);
  });

  it.each(SCRIPT_NAMES)('<%s> is a script, in whatever letters', async (name) => {
    const usual = name.endsWith('install') ? 'scripts' : 'otherScripts';
    for (const upper of [name, name.toUpperCase()]) {
      const inside = await abilities({ infos: { '': `<pkg-info><SCRIPTS><${upper} file="a"/></SCRIPTS></pkg-info>` } });
      expect(inside).toEqual([`${usual}: PackageInfo: ${name}: a`]);
      const outside = await abilities({ infos: { '': `<pkg-info><${upper} file="a"/></pkg-info>` } });
      expect(outside).toEqual([`otherScripts: PackageInfo: <${name}> outside of <scripts>`]);
    }
  });

  it.each<[string, number]>([
    ['<pkg-info relocatable="true"/>', 1],
    ['<pkg-info relocatable="YES"/>', 1],
    ['<pkg-info relocatable="1"/>', 1],
    ['<pkg-info relocatable="xtrue"/>', 0],
    ['<pkg-info relocatable="truex"/>', 0],
    ['<pkg-info relocatable="x1"/>', 0],
    ['<pkg-info relocatable="11"/>', 0],
    ['<pkg-info relocatable="0"/>', 0],
    ['<pkg-info><payload auth="root"/></pkg-info>', 0],
    ['<pkg-info><scripts><postinstall COMPONENT-ID="b"/></scripts></pkg-info>', 1],
    ['<pkg-info><scripts><postinstall xcomponent-idx="b"/></scripts></pkg-info>', 1],
    ['<pkg-info><xpreinstall/></pkg-info>', 1],
    ['<pkg-info><preinstallx/></pkg-info>', 1],
  ])('%s is %i things', async (info, count) => {
    expect(await abilities({ infos: { '': info } })).toHaveLength(count);
  });

  it('a script for a component alone is not the usual one, however its attribute is written', async () => {
    const told = (attribute: string) =>
      abilities({ infos: { '': `<pkg-info><scripts><postinstall ${attribute}="b"/></scripts></pkg-info>` } });
    expect((await told('COMPONENT-ID'))[0]).toMatch(/^otherScripts: /);
    for (const other of ['xcomponent-id', 'component-idx']) expect((await told(other))[0]).toMatch(/^scripts: /);
  });

  it('a relocation is one with anything in it', async () => {
    for (const inside of ['<relocate>x</relocate>', '<relocate><bundle/></relocate>', '<relocate a=""/>'])
      expect(await abilities({ infos: { '': `<pkg-info>${inside}</pkg-info>` } })).toHaveLength(1);
  });
});

describe('what a PackageInfo may do', () => {
  it.each<[string, string]>([
    ['<pkg-info auth="root"/>', 'rootAuthorization: PackageInfo: auth="root"'],
    ['<pkg-info postinstall-action="restart"/>', 'restart: PackageInfo: postinstall-action="restart"'],
    ['<pkg-info relocatable="Yes"/>', 'relocate: PackageInfo: relocatable="true"'],
    ['<pkg-info><payload external-root="/tmp"/></pkg-info>', 'externalRoot: PackageInfo: external-root="/tmp"'],
    ['<pkg-info><scripts><preinstall file="./a"/></scripts></pkg-info>', 'scripts: PackageInfo: preinstall: ./a'],
    ['<pkg-info><scripts><postinstall/></scripts></pkg-info>', 'scripts: PackageInfo: postinstall: no file'],
    ['<pkg-info><scripts><preflight file="a"/></scripts></pkg-info>', 'otherScripts: PackageInfo: preflight: a'],
    [
      '<pkg-info><scripts><postinstall file="a" component-id="b"/></scripts></pkg-info>',
      'otherScripts: PackageInfo: postinstall: a',
    ],
    [
      '<pkg-info><bundle><postupgrade/></bundle></pkg-info>',
      'otherScripts: PackageInfo: <postupgrade> outside of <scripts>',
    ],
    ['<pkg-info><must-close><app id="x"/></must-close></pkg-info>', 'mustClose: PackageInfo: <must-close> x'],
    ['<pkg-info><relocate><bundle id="x"/></relocate></pkg-info>', 'relocate: PackageInfo: <relocate> x'],
    ['<pkg-info><relocate a="1"/></pkg-info>', 'relocate: PackageInfo: <relocate> '],
    ['<pkg-info><locator/></pkg-info>', 'relocate: PackageInfo: <locator> '],
    ['<pkg-info><surprise/></pkg-info>', 'unknownElements: PackageInfo: <surprise>'],
  ])('%s', async (info, expected) => {
    expect(await abilities({ infos: { '': info } })).toEqual([expected]);
  });

  it.each([
    '<pkg-info auth="None" postinstall-action="NONE" relocatable="false"/>',
    '<pkg-info><relocate/></pkg-info>',
  ])('%s is nothing', async (info) => expect(await abilities({ infos: { '': info } })).toEqual([]));

  it('is told of each component', async () => {
    const infos = { 'a.pkg': '<pkg-info auth="root"/>', 'b.pkg': '<pkg-info relocatable="true"/>' };
    expect(await abilities({ infos })).toEqual([
      'rootAuthorization: a.pkg/PackageInfo: auth="root"',
      'relocate: b.pkg/PackageInfo: relocatable="true"',
    ]);
  });
});

describe('what members may do', () => {
  it('are plug-ins in their folder alone', async () => {
    const member = (path: string, kind = 'file') => ({ path, kind });
    const members = [
      member('Plugins', 'directory'),
      member('Plugins/A.bundle', 'directory'),
      member('plugins/A.bundle/A'),
      member('Plugins'),
      member('Plugins2/A'),
      member('Resources/Plugins/A'),
    ];
    expect(await abilities({ members })).toEqual(['plugIns (before): plugins/A.bundle/A', 'plugIns (before): Plugins']);
  });

  it('are told with at most 300 characters', async () => {
    const found = await abilities({ members: [{ path: `Plugins/${'x'.repeat(400)}`, kind: 'file' }] });
    expect(found[0]).toHaveLength('plugIns (before): '.length + 300);
  });
});
