import { describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import { RULES_1, RULES_2, rulesToPropertyList } from '../../../src/code-signature/seal/resource-rules.ts';
import { deepBundle, findBundles } from '../../../src/code-signature/verify/bundle-shape.ts';
import { FileIndex, type IndexedEntry } from '../../../src/code-signature/verify/file-index.ts';
import { checkPlaces, checkSeal, type NestedCode } from '../../../src/code-signature/verify/verify-seal.ts';
import { type PropertyListValue, renderPropertyList } from '../../../src/xml/property-list.ts';
import { digest, file, INFO, link, PLAIN } from './indexed.ts';

const seal = (files2: Record<string, PropertyListValue>, more: Record<string, PropertyListValue> = {}) =>
  Buffer.from(
    renderPropertyList(
      new Map<string, PropertyListValue>([
        ['files', new Map()],
        ['files2', new Map(Object.entries(files2))],
        ['rules', rulesToPropertyList(RULES_1)],
        ['rules2', rulesToPropertyList(RULES_2)],
        ...Object.entries(more),
      ]),
    ),
  ).toString();
const hash2 = (text: string, optional = false) =>
  new Map<string, PropertyListValue>([
    ['hash2', digest('sha256', text)],
    ...(optional ? ([['optional', true]] as const) : []),
  ]);
/** What is said of `A.app`, as `id: reason`. */
function problems(
  more: readonly IndexedEntry[],
  files2: Record<string, PropertyListValue>,
  nested: readonly NestedCode[] = [],
  rest: Record<string, PropertyListValue> = {},
): string[] {
  const sealed = file('A.app/Contents/_CodeSignature/CodeResources', seal(files2, rest));
  const index = new FileIndex([...PLAIN, sealed, ...more]);
  const list = new CheckList('A.app');
  checkSeal(list, deepBundle(index, 'A.app'), index, nested);
  return list.checks.flatMap(({ id, status, reason }) => (status === 'pass' ? [] : [`${id}: ${reason}`]));
}

const inResources = (name: string) => `A.app/Contents/Resources/${name}`;

describe('checkSeal', () => {
  const data = file(inResources('a'), 'a');
  const own = { 'Resources/a': hash2('a') };

  it('passes a bundle with what was sealed, and leaves out what no seal holds', () => {
    expect(problems([data], own)).toEqual([]);
    const left = [
      '_CodeSignature/x',
      '_MASReceipt/receipt',
      'CodeResources',
      '.DS_Store',
      'Resources/.DS_Store',
      'PkgInfo',
    ];
    expect(problems([data, ...left.map((path) => file(`A.app/Contents/${path}`))], own)).toEqual([]);
  });

  it('fails without a seal, and with one that says nothing of version 2', () => {
    const index = new FileIndex(PLAIN);
    const list = new CheckList('A.app');
    checkSeal(list, deepBundle(index, 'A.app'), index, []);
    expect(list.checks).toEqual([expect.objectContaining({ id: 'seal', status: 'fail' })]);
    const old = seal({}).replace(/<key>files2<\/key>\s*<dict\s*(\/>|>\s*<\/dict>)/, '');
    const second = new FileIndex([...PLAIN, file('A.app/Contents/_CodeSignature/CodeResources', old)]);
    const other = new CheckList('A.app');
    checkSeal(other, deepBundle(second, 'A.app'), second, []);
    expect(other.checks).toEqual([
      expect.objectContaining({ id: 'seal', status: 'fail', reason: 'only version 1: later systems refuse it' }),
    ]);
  });

  it('fails rules that codesign does not write, and without the first of them', () => {
    const foreign = new Map<string, PropertyListValue>([
      ['^.*', true],
      ['^Resources/secret$', new Map([['omit', true]])],
    ]);
    expect(problems([], {}, [], { rules2: foreign })).toEqual([
      'seal: a rule that codesign does not write: ^Resources/secret$',
      'seal-added: Info.plist was added',
    ]);
    expect(problems([], {}, [], { rules2: new Map([['^PkgInfo$', new Map([['omit', true]])]]) })).toEqual([
      'seal: no rule ^.*',
    ]);
  });

  it.each<[string, readonly IndexedEntry[], Record<string, PropertyListValue>, string[]]>([
    ['an added file', [data, file(inResources('b'))], own, ['seal-added: Resources/b was added']],
    ['a removed file', [], own, ['seal-removed: Resources/a is missing']],
    ['a changed file', [file(inResources('a'), 'b')], own, ['seal-changed: Resources/a changed']],
    [
      'a file that is now a link',
      [link(inResources('a'), 'b'), file(inResources('b'))],
      { ...own, 'Resources/b': hash2('x') },
      [
        'seal-changed: Resources/a was a file, now it is a link',
        'seal-links: Resources/a points to b, which was not sealed',
      ],
    ],
    [
      'a link that is now a file',
      [data],
      { 'Resources/a': new Map([['symlink', 'b']]) },
      ['seal-links: Resources/a was a link, now it is a file'],
    ],
    [
      'a link to another place',
      [data, link(inResources('l'), 'a')],
      { ...own, 'Resources/l': new Map([['symlink', 'b']]) },
      ['seal-links: Resources/l points to a, which was not sealed'],
    ],
    ['an added link', [data, link(inResources('l'), 'a')], own, ['seal-added: Resources/l was added']],
    [
      'a removed link',
      [data],
      { ...own, 'Resources/l': new Map([['symlink', 'a']]) },
      ['seal-removed: Resources/l is missing'],
    ],
  ])('fails with %s', (_, more, files2, expected) => {
    expect(problems(more, files2)).toEqual(expected);
  });

  it('takes a file that may be missing, and no changed one in its place', () => {
    const files2 = { 'Resources/en.lproj/a': hash2('a', true) };
    expect(problems([], files2)).toEqual([]);
    expect(problems([file(inResources('en.lproj/a'), 'b')], files2)).toEqual([
      'seal-changed: Resources/en.lproj/a changed',
    ]);
  });

  it('holds files to the seal of version 1 too', () => {
    const files = (text: string) => ({
      files: new Map<string, PropertyListValue>([['Resources/a', digest('sha1', text)]]),
    });
    expect(problems([data], own, [], files('a'))).toEqual([]);
    expect(problems([data], own, [], files('b'))).toEqual(['seal-changed: Resources/a changed']);
    expect(problems([], {}, [], files('a'))).toEqual(['seal-removed: Resources/a is missing']);
  });

  it.each<[string, string, string?]>([
    ['a', ''],
    ['./a', ''],
    ['../Resources/a', ''],
    ['../Resources', ''],
    ['..', ''],
    ['/System/Library/x', ''],
    ['/Library/x', ''],
    ['../../x', 'points out of Contents, to ../../x'],
    ['/System', 'points out of the bundle, to /System'],
    ['/Librarian/x', 'points out of the bundle, to /Librarian/x'],
    ['/etc/x', 'points out of the bundle, to /etc/x'],
    ['b', 'points to b, which is not there'],
    ['../PkgInfo', 'points to ../PkgInfo, which is not sealed'],
    ['../Resource', 'points to ../Resource, which is not there'],
    ['other/x', ''],
  ])('of a link to %s says %j', (target, words) => {
    const more = [
      data,
      link(inResources('l'), target),
      link(inResources('other'), '.'),
      file('A.app/Contents/PkgInfo'),
    ];
    const files2 = {
      ...own,
      'Resources/l': new Map([['symlink', target]]),
      'Resources/other': new Map([['symlink', '.']]),
    };
    expect(problems(more, files2)).toEqual(words === '' ? [] : [`seal-links: Resources/l ${words}`]);
  });

  const HASH = '11'.repeat(20);
  const nestedSeal = (requirement = 'r') => ({
    'Frameworks/B.framework': new Map<string, PropertyListValue>([
      ['cdhash', Buffer.from(HASH, 'hex')],
      ['requirement', requirement],
    ]),
  });
  const code = (change: Partial<NestedCode> = {}): NestedCode => ({
    path: 'Frameworks/B.framework',
    cdHashes: ['22'.repeat(20), HASH],
    designatedRequirement: 'r',
    ...change,
  });
  it.each<[string, Record<string, PropertyListValue>, Partial<NestedCode>, string[]]>([
    ['as it was sealed', nestedSeal(), {}, []],
    ['that could not be checked', nestedSeal(), { cdHashes: null, designatedRequirement: null }, []],
    ['without a requirement of its own', nestedSeal(), { designatedRequirement: null }, []],
    ['with another requirement', nestedSeal('s'), {}, ['seal-nested: Frameworks/B.framework has requirement r']],
    [
      'with another cdhash',
      nestedSeal(),
      { cdHashes: ['22'.repeat(20)] },
      [`seal-nested: Frameworks/B.framework has cdhash ${'22'.repeat(20)}, sealed is ${HASH}`],
    ],
    ['that nobody sealed', {}, {}, ['seal-nested: Frameworks/B.framework is not sealed']],
    [
      'sealed as a file',
      { 'Frameworks/B.framework': hash2('x') },
      {},
      ['seal-nested: Frameworks/B.framework is sealed as a file, not as code'],
    ],
  ])('of nested code %s says what is wrong', (_, files2, change, expected) => {
    const inner = file('A.app/Contents/Frameworks/B.framework/B');
    expect(problems([inner], files2, [code(change)])).toEqual(expected);
  });

  it('fails sealed nested code that is gone, and files beside it', () => {
    expect(problems([], nestedSeal())).toEqual(['seal-removed: Frameworks/B.framework is missing']);
    const beside = file('A.app/Contents/Frameworks/B.frameworkx/B');
    expect(problems([beside], nestedSeal(), [code()])).toEqual(['seal-added: Frameworks/B.frameworkx/B was added']);
  });
});

describe('checkPlaces', () => {
  const check = (root: string, ...entries: readonly IndexedEntry[]) => {
    const index = new FileIndex(entries);
    const bundle = findBundles(index).find((one) => one.root === root);
    if (!bundle) throw new Error('no bundle');
    const list = new CheckList('a');
    checkPlaces(list, bundle, index);
    return list.checks[0]?.reason ?? '';
  };

  it.each<[string, string]>([
    ['A.app/.DS_Store', ''],
    ['A.app/Icon\r', ''],
    ['A.app/.LSOverride', ''],
    ['A.app/.SoftwareDepot.tracking', ''],
    ['A.app/Wrapper', 'Wrapper lies beside Contents'],
    ['A.app/Contents.txt', 'Contents.txt lies beside Contents'],
    ['A.app/Contents/_CodeSignature/CodeResources', ''],
    ['A.app/Contents/_CodeSignature/CodeDirectory', ''],
    ['A.app/Contents/_CodeSignature/CodeRequirements', ''],
    ['A.app/Contents/_CodeSignature/CodeSignature', ''],
    ['A.app/Contents/_CodeSignature/CodeEntitlements', ''],
    ['A.app/Contents/_CodeSignature/x', 'Contents/_CodeSignature/x does not belong to a signature'],
    [
      'A.app/Contents/_CodeSignature/a/CodeResources',
      'Contents/_CodeSignature/a/CodeResources does not belong to a signature',
    ],
    ['A.app/Contents/MacOS/tool', 'Contents/MacOS/tool is there twice'],
  ])('of %j says %j', (path, words) => {
    expect(check('A.app', ...PLAIN, file(path))).toBe(words);
  });

  it('wants files, not links', () => {
    expect(check('A.app', PLAIN[0] as IndexedEntry, link('A.app/Contents/MacOS/tool', 'x'))).toBe(
      'Contents/MacOS/tool is not a file',
    );
    expect(check('A.app', PLAIN[0] as IndexedEntry)).toBe('Contents/MacOS/tool is not a file');
    expect(check('A.app', ...PLAIN, link('A.app/Contents/_CodeSignature/CodeResources', 'x'))).toBe(
      'Contents/_CodeSignature/CodeResources does not belong to a signature',
    );
    expect(check('', file('Contents/Info.plist', INFO), file('Contents/MacOS/tool'), file('x'))).toBe(
      'x lies beside Contents',
    );
  });

  const FRAMEWORK = [file('B.framework/Versions/A/Resources/Info.plist', INFO), file('B.framework/Versions/A/tool')];
  const current = link('B.framework/Versions/Current', 'A');
  it.each<[string, readonly IndexedEntry[], string]>([
    [
      'links into the current version',
      [current, link('B.framework/tool', 'Versions/Current/tool'), link('B.framework/x', 'Versions/A/x')],
      '',
    ],
    [
      'a link with a dot',
      [link('B.framework/Versions/Current', './A'), link('B.framework/tool', './Versions/Current/tool')],
      '',
    ],
    ['what may lie there', [current, file('B.framework/.DS_Store'), file('B.framework/module.map')], ''],
    ['a file', [current, file('B.framework/x')], 'x lies beside the versions of the framework'],
    [
      'other versions',
      [current, file('B.framework/x/Versions/A/y')],
      'x/Versions/A/y lies beside the versions of the framework',
    ],
    [
      'a link to another name',
      [current, link('B.framework/tool', 'Versions/Current/x')],
      'tool lies beside the versions of the framework',
    ],
    [
      'a link into another version',
      [current, link('B.framework/tool', 'Versions/B/tool')],
      'tool lies beside the versions of the framework',
    ],
    [
      'a file, while another version is current',
      [link('B.framework/Versions/Current', 'B'), file('B.framework/x')],
      '',
    ],
    ['a current version elsewhere', [link('B.framework/Versions/Current', '../x')], 'Versions/Current points to ../x'],
    ['a current version above', [link('B.framework/Versions/Current', '..')], 'Versions/Current points to ..'],
    ['a current version that is no link', [file('B.framework/Versions/Current'), file('B.framework/x')], ''],
    ['no current version', [file('B.framework/x')], ''],
  ])('of a framework with %s says what is wrong', (_, more, words) => {
    expect(check('B.framework/Versions/A', ...FRAMEWORK, ...more)).toBe(words);
  });
});
