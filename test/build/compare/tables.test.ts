import { describe, expect, it } from 'vitest';
import { comparePackages, isSameContent, type PackageComparison } from '../../../build/compare/compare.ts';
import type { ComponentDescription, FileDescription, PackageDescription } from '../../../build/compare/describe.ts';
import { lineDifference } from '../../../build/compare/line-difference.ts';
import { renderComparison } from '../../../build/compare/render.ts';

const file = (change: Partial<FileDescription> = {}): FileDescription => ({
  ...{ kind: 'file', mode: '0644', owner: '0:0', size: 1, sha256: 'aa', text: null, slices: [] },
  ...change,
});
const component = (change: Partial<ComponentDescription> = {}): ComponentDescription => ({
  facts: { version: '1' },
  files: new Map([['/a', file()]]),
  scripts: new Map([['postinstall', file({ text: '#!/bin/sh\n' })]]),
  ...change,
});
const described = (change: Partial<PackageDescription> = {}): PackageDescription => ({
  ...{ file: 'a.pkg', identity: { title: 'A' }, installation: { architectures: null } },
  components: new Map([['com.example.a', component()]]),
  ...change,
});
const only = (change: Partial<ComponentDescription>) =>
  described({ components: new Map([['com.example.a', component(change)]]) });
const withText = (text: string) => only({ scripts: new Map([['postinstall', file({ text })]]) });
const program = (cdhash: string | null) =>
  only({ files: new Map([['/a', file({ slices: [{ architecture: 'arm64', facts: { cdhash } }] })]]) });
const NOTHING: PackageComparison = {
  ...{ old: 'a.pkg', new: 'a.pkg', identity: [], installation: [], components: [] },
  mechanisms: { removed: [], added: [] },
  settings: { removed: [], added: [] },
};

describe('comparePackages', () => {
  it('finds nothing between two that are the same', () => {
    expect(comparePackages(described(), described())).toEqual(NOTHING);
    expect(isSameContent(NOTHING)).toBe(true);
  });

  it('names a fact that is another, new or gone; nothing said and null are one', () => {
    const found = comparePackages(
      described({ identity: { title: 'A', version: '1', 'signed by': null } }),
      described({ identity: { title: 'B', 'signed at': 'then' } }),
    );
    expect(found.identity).toEqual([
      { name: 'title', old: 'A', new: 'B' },
      { name: 'version', old: '1', new: null },
      { name: 'signed at', old: null, new: 'then' },
    ]);
    expect(isSameContent(found)).toBe(true);
  });

  it('names a component that is new or gone with all that is in it', () => {
    const both = described({
      components: new Map([
        ['com.example.a', component()],
        ['com.example.b', component()],
      ]),
    });
    const changeOf = (change: 'added' | 'removed') => ({
      ...{ identifier: 'com.example.b', change },
      facts: [{ name: 'version', old: change === 'added' ? null : '1', new: change === 'added' ? '1' : null }],
      files: [{ path: '/a', change, facts: [], lines: [] }],
      scripts: [{ path: 'postinstall', change, facts: [], lines: [] }],
    });
    expect(comparePackages(described(), both)).toEqual({ ...NOTHING, components: [changeOf('added')] });
    expect(comparePackages(both, described())).toEqual({ ...NOTHING, components: [changeOf('removed')] });
    const empty = component({ facts: {}, files: new Map(), scripts: new Map() });
    const named = comparePackages(
      described(),
      described({ components: new Map([...described().components, ['com.example.b', empty]]) }),
    );
    expect(named.components).toEqual([
      { identifier: 'com.example.b', change: 'added', facts: [], files: [], scripts: [] },
    ]);
  });

  it.each<[string, Partial<FileDescription>]>([
    ['kind', { kind: 'symlink' }],
    ['mode', { mode: '0755' }],
    ['owner', { owner: '501:20' }],
    ['size', { size: 2 }],
    ['sha256', { sha256: 'bb' }],
  ])('names the %s of a file', (name, change) => {
    const { components } = comparePackages(described(), only({ files: new Map([['/a', file(change)]]) }));
    expect(components[0]?.files).toEqual([
      { path: '/a', change: 'changed', facts: [expect.objectContaining({ name })], lines: [] },
    ]);
    expect([components[0]?.facts, components[0]?.scripts]).toEqual([[], []]);
  });

  it('names what differs in a slice, and takes no signature for none', () => {
    const found = comparePackages(program('aa'), program('bb'));
    expect(found.components[0]?.files[0]?.facts).toEqual([{ name: 'arm64 cdhash', old: 'aa', new: 'bb' }]);
    expect(comparePackages(program(null), program('bb')).components[0]?.files[0]?.facts).toEqual([
      { name: 'arm64 cdhash', old: null, new: 'bb' },
    ]);
    expect(comparePackages(program(null), only({})).components).toEqual([]);
  });

  it('lists files by name', () => {
    const files = new Map(['/c', '/b', '/d'].map((path) => [path, file()]));
    const { components } = comparePackages(described(), only({ files }));
    expect(components[0]?.files.map(({ path, change }) => `${change} ${path}`)).toEqual([
      'removed /a',
      'added /b',
      'added /c',
      'added /d',
    ]);
  });

  it.each<[string, string[]]>([
    ["M='Example:Invoke,privileged'", ['Example:Invoke,privileged']],
    ['"Example:Invoke,privileged" "Example:Invoke,privileged"', ['Example:Invoke,privileged']],
    ['<string>loginwindow:done</string>', ['loginwindow:done']],
    ['<string>builtin:prelogin</string>', ['builtin:prelogin']],
    ["'Example:Invoke'", []],
    ["'Example:Invoke,privileged,more'", []],
    ["'Notloginwindow:done'", []],
    ["'a/b:c,privileged'", []],
    ['Example:Invoke,privileged', []],
    ["'Example:,privileged'", []],
  ])('finds the mechanisms in %s: %j', (text, mechanisms) => {
    expect(comparePackages(withText(''), withText(text)).mechanisms).toEqual({ removed: [], added: mechanisms });
    expect(comparePackages(withText(text), withText('')).mechanisms).toEqual({ removed: mechanisms, added: [] });
  });

  it.each<[string, string[]]>([
    ['defaults read /Library/Preferences/a EnableIt', ['EnableIt']],
    ['/usr/bin/defaults write com.example.a "Key-One" -bool true', ['Key-One']],
    ["defaults -currentHost delete com.example.a 'Key'", ['Key']],
    ['defaults read com.example.a', []],
    ['mydefaults read a Key', []],
    ['defaults import a Key', []],
  ])('finds the settings in %s: %j', (text, settings) => {
    const found = comparePackages(withText(''), withText(text));
    expect(found.settings).toEqual({ removed: [], added: settings });
    expect(isSameContent({ ...found, components: [] })).toBe(settings.length === 0);
  });

  it('looks for them in what is laid down too, and sorts what it finds', () => {
    const text = 'defaults read a Zed\ndefaults read a Alpha\n';
    const laid = only({ files: new Map([['/a', file({ text })]]) });
    expect(comparePackages(described(), laid).settings.added).toEqual(['Alpha', 'Zed']);
  });
});

describe('isSameContent', () => {
  const change = { name: 'a', old: null, new: 'b' };

  it.each<[string, Partial<PackageComparison>, boolean]>([
    ['who signed', { identity: [change] }, true],
    ['what Installer reads', { installation: [change] }, false],
    ['a component', { components: [{ identifier: 'a', change: 'added', facts: [], files: [], scripts: [] }] }, false],
    ['a mechanism less', { mechanisms: { removed: ['a'], added: [] } }, false],
    ['a mechanism more', { mechanisms: { removed: [], added: ['a'] } }, false],
    ['a setting more', { settings: { removed: [], added: ['a'] } }, false],
  ])('of two that differ in %s', (_, found, same) => expect(isSameContent({ ...NOTHING, ...found })).toBe(same));
});

describe('lineDifference', () => {
  it.each<[string | null, string | null, string[]]>([
    ['a\nb\n', 'a\nc\n', ['- b', '+ c']],
    ['a\nb\n', 'a\n', ['- b']],
    ['a\n', 'a\nb\nc\n', ['+ b', '+ c']],
    ['a\n', 'a\n', []],
    [null, 'a\n', []],
    ['a\n', null, []],
  ])('from %j to %j is %j', (one, other, lines) => expect(lineDifference(one, other)).toEqual(lines));

  it('is not looked for in texts of more than 524,288 characters', () => {
    const long = `${'x'.repeat(524_286)}\n`;
    expect(lineDifference('', `${long}y`)).toHaveLength(2);
    expect(lineDifference('', `${long}yz`)).toEqual([]);
    expect(lineDifference(`${long}yz`, '')).toEqual([]);
  });
});

describe('renderComparison', () => {
  const shown = (change: Partial<PackageComparison>, verbose = false) =>
    renderComparison({ ...NOTHING, ...change }, verbose).split('\n');
  const changed = (found: object) => ({
    components: [
      { identifier: 'com.example.a', change: 'changed' as const, facts: [], files: [], scripts: [], ...found },
    ],
  });

  it('says in one line what is the same', () => {
    expect(shown({})).toEqual([
      'a.pkg → a.pkg',
      '',
      'Unchanged: identity, where it installs, mechanisms named by scripts, settings named by scripts.',
      '',
    ]);
  });

  it('has a group a subject, and no line about the rest when all differ', () => {
    const list = { removed: ['x'], added: ['y'] };
    const facts = [{ name: 'title', old: null, new: 'B' }];
    expect(
      shown({ identity: facts, installation: [{ name: 'a', old: '1', new: null }], mechanisms: list, settings: list }),
    ).toEqual([
      ...['a.pkg → a.pkg', '', 'Identity', '  title: none → B', '', 'Where it installs', '  a: 1 → none', ''],
      ...[
        'Mechanisms named by scripts',
        '  - x',
        '  + y',
        '',
        'Settings named by scripts',
        '  - x',
        '  + y',
        '',
        '',
        '',
      ],
    ]);
  });

  it('names the one subject that is the same', () => {
    const list = { removed: ['x'], added: [] };
    const facts = [{ name: 'a', old: null, new: 'b' }];
    expect(shown({ identity: facts, installation: facts, mechanisms: list }).at(-2)).toBe(
      'Unchanged: settings named by scripts.',
    );
  });

  it('counts what is in a component that is new or gone', () => {
    const [path, script] = [
      { path: '/a', change: 'added' as const, facts: [], lines: [] },
      { path: 'b', change: 'added' as const, facts: [], lines: [] },
    ];
    const found = { change: 'added' as const, files: [path, path], scripts: [script] };
    expect(shown(changed(found))).toContain('  added: 2 paths, 1 script');
    expect(shown(changed({ change: 'removed' as const }))).toContain('  removed: 0 paths, 0 scripts');
  });

  it('shows facts, scripts and files with marks, digests only when asked', () => {
    const facts = [
      { name: 'sha256', old: 'aa', new: 'bb' },
      { name: 'mode', old: '0644', new: '0755' },
    ];
    const found = changed({
      facts: [{ name: 'version', old: '1', new: '2' }],
      files: [
        { path: '/a', change: 'changed', facts, lines: [] },
        { path: '/b', change: 'removed', facts: [], lines: [] },
      ],
      scripts: [{ path: 'postinstall', change: 'added', facts: [], lines: ['+ \tone'] }],
    });
    const lines = ['Component com.example.a', '  version: 1 → 2', '  + script postinstall', '      +   one', '  ~ /a'];
    expect(shown(found).slice(2, 9)).toEqual([...lines, '      mode: 0644 → 0755', '  - /b']);
    expect(shown(found, true).slice(2, 10)).toEqual([
      ...lines,
      '      sha256: aa → bb',
      '      mode: 0644 → 0755',
      '  - /b',
    ]);
  });

  it('shows twelve lines of a file, and how many more there are', () => {
    const of = (count: number, path = '/a') =>
      changed({
        files: [{ path, change: 'changed', facts: [], lines: Array.from({ length: count }, (_, at) => `+ ${at}`) }],
      });
    const lines = (found: object, verbose = false) => shown(found, verbose).filter((line) => line.startsWith('    '));
    expect(lines(of(12))).toHaveLength(12);
    expect(lines(of(13)).slice(-2)).toEqual(['      + 11', '      1 more lines; --verbose shows them']);
    expect(lines(of(13), true)).toHaveLength(13);
    expect(lines(of(3, '/A.bundle/Contents/_CodeSignature/CodeResources'))).toEqual([
      '      3 more lines; --verbose shows them',
    ]);
    expect(lines(of(3, '/A.bundle/Contents/_CodeSignature/CodeResources.old'))).toHaveLength(3);
    expect(lines(of(3, '/A.bundle/Contents/_CodeSignature/CodeResources'), true)).toHaveLength(3);
  });
});
