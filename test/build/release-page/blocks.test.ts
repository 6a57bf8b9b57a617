import { beforeAll, describe, expect, inject, it } from 'vitest';
import type { PackageComparison } from '../../../build/compare/compare.ts';
import { readKitInput } from '../../../build/kit/make-kit.ts';
import type { KitInput } from '../../../build/kit/system.ts';
import { readVocabulary, type Vocabulary } from '../../../build/kit/vocabulary.ts';
import { type Manifest, readManifest } from '../../../build/plan/manifest.ts';
import { type Block, inlineParts, type PageSection } from '../../../build/release-page/blocks.ts';
import { actionsFor, changesSection } from '../../../build/release-page/changes.ts';
import { renderHtml } from '../../../build/release-page/html.ts';
import { loginSection } from '../../../build/release-page/login.ts';
import { renderMarkdown } from '../../../build/release-page/markdown.ts';
import { loginPicture } from '../../../build/release-page/picture.ts';
import { releaseSections } from '../../../build/release-page/sections.ts';
import { kitSource } from '../kit/made-kit.ts';

let manifest: Manifest;
let kit: KitInput;
let vocabulary: Vocabulary;
beforeAll(async () => {
  manifest = (await readManifest(inject('releaseFolder'))) as Manifest;
  kit = await readKitInput(kitSource());
  vocabulary = await readVocabulary('.');
});

const plain = (text: string) => ({ kind: 'plain', text });
const rendered = (block: Block) => {
  const sections: PageSection[] = [{ id: 'i', title: 'T', blocks: [block] }];
  return {
    html: /<h2 id="i">T<\/h2>\n([\s\S]*)\n<\/section>/.exec(renderHtml({ title: 'P', summary: 's' }, sections))?.[1],
    markdown: renderMarkdown(sections).replace('## T\n\n', '').replace(/\n$/, ''),
  };
};

describe('the pieces of a text', () => {
  it.each<[string, unknown[]]>([
    ['', []],
    ['a', [plain('a')]],
    ['`a`', [{ kind: 'code', text: 'a' }]],
    ['**a**', [{ kind: 'strong', text: 'a' }]],
    ['[a](b)', [{ kind: 'link', text: 'a', address: 'b' }]],
    ['`a`b', [{ kind: 'code', text: 'a' }, plain('b')]],
    ['a`b`', [plain('a'), { kind: 'code', text: 'b' }]],
    [
      '`a`**b**[c](d)',
      [
        { kind: 'code', text: 'a' },
        { kind: 'strong', text: 'b' },
        { kind: 'link', text: 'c', address: 'd' },
      ],
    ],
    ['x `a` y', [plain('x '), { kind: 'code', text: 'a' }, plain(' y')]],
    ['`a', [plain('`a')]],
    ['[a](b c)', [plain('[a](b c)')]],
  ])('of %j', (text, parts) => expect(inlineParts(text)).toEqual(parts));
});

describe('a block', () => {
  it.each<[Block, string, string]>([
    [{ kind: 'list', ordered: true, items: ['a', 'b'] }, '<ol>\n<li>a</li>\n<li>b</li>\n</ol>', '1. a\n2. b'],
    [{ kind: 'list', ordered: false, items: ['a', 'b'] }, '<ul>\n<li>a</li>\n<li>b</li>\n</ul>', '- a\n- b'],
    [{ kind: 'text', text: '[a](https://b)' }, '<p><a href="https://b">a</a></p>', '[a](https://b)'],
    [{ kind: 'text', text: '[a](#b)' }, '<p><a href="#b">a</a></p>', '[a](#b)'],
    [{ kind: 'text', text: '[a](folder/)' }, '<p>a</p>', '[a](folder/)'],
    [{ kind: 'text', text: '[a](http://b)' }, '<p>a</p>', '[a](http://b)'],
    [{ kind: 'text', text: '**a** & `b`' }, '<p><strong>a</strong> &amp; <code>b</code></p>', '**a** & `b`'],
    [{ kind: 'warning', text: 'a' }, '<p class="warning"><strong>Warning.</strong> a</p>', '> [!WARNING]\n> a'],
    [
      { kind: 'commands', label: 'l', text: 'a < b' },
      '<pre tabindex="0" role="region" aria-label="l">a &lt; b</pre>',
      '```text\na < b\n```',
    ],
    [
      { kind: 'folded', title: 'a', blocks: [{ kind: 'text', text: 'b' }] },
      '<details><summary>a</summary>\n<p>b</p>\n</details>',
      '<details><summary>a</summary>\n\nb\n\n</details>',
    ],
    [
      { kind: 'table', label: 'l', head: ['h', 'i'], rows: [['a|b', '`c`']] },
      '<div class="wide" tabindex="0" role="region" aria-label="Table: l"><table>\n<thead><tr><th scope="col">h</th><th scope="col">i</th></tr></thead>\n<tbody>\n<tr><th scope="row">a|b</th><td><code>c</code></td></tr>\n</tbody></table></div>',
      '| h | i |\n| --- | --- |\n| a\\|b | `c` |',
    ],
    [{ kind: 'picture', svg: '<svg/>' }, '<figure><svg/></figure>', ''],
  ])('%j is HTML and Markdown', (block, html, markdown) => expect(rendered(block)).toEqual({ html, markdown }));
});

describe('the drawing of a login', () => {
  // Boxes of 248 by 54 from (8, 4) downwards, 30 between two; the way without a key at 404, a margin of 8 beside it.
  const box = (kind: string, y: number, [title, note]: [string, string]) =>
    `<rect class="${kind}" x="8" y="${y}" width="248" height="54" rx="8"/><text class="head" x="20" y="${y + 22}">${title}</text><text class="note" x="20" y="${y + 41}">${note}</text>`;
  const down = (from: number, to: number) =>
    `<path class="way" d="M132 ${from}V${to - 6}"/><polygon class="tip" points="132,${to} 127,${to - 8} 137,${to - 8}"/>`;
  const aside = (y: number, words: string) =>
    `<path class="way" d="M256 ${y}H404"/><text class="note" x="264" y="${y - 7}">${words}</text>`;
  const rail = (from: number, to: number) =>
    `<path class="way" d="M404 ${from}V${to}H262"/><polygon class="tip" points="256,${to} 264,${to - 5} 264,${to + 5}"/>`;
  const svg = (height: number, content: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 412 ${height}" role="img" aria-label="l">${content}</svg>`;

  it('is a column of boxes with ways between them, and one at the right from the first that may say no to the last', () => {
    const steps = [
      { title: 'A', note: 'a' },
      { title: 'B', note: 'b', otherwise: 'no' },
      { title: 'C', note: 'c' },
    ];
    expect(loginPicture(steps, 'l')).toBe(
      svg(
        230,
        [
          ...[box('box', 4, ['A', 'a']), down(58, 88), box('box', 88, ['B', 'b']), down(142, 172), aside(115, 'no')],
          ...[box('end', 172, ['C', 'c']), rail(115, 199)],
        ].join(''),
      ),
    );
  });

  it('stands beside the same in words, step by step', () => {
    const [picture, list] = loginSection(kit).blocks;
    expect([picture?.kind, list]).toMatchObject(['picture', { kind: 'list', ordered: true }]);
    const boxes = (picture as { svg: string }).svg.match(/<rect /g);
    expect(boxes).toHaveLength(list?.kind === 'list' ? list.items.length : -1);
  });
});

const NOTHING: PackageComparison = {
  ...{ old: 'a.pkg', new: 'b.pkg', identity: [], installation: [], components: [] },
  ...{ mechanisms: { removed: [], added: [] }, settings: { removed: [], added: [] } },
};
const fact = (name: string) => ({ name, old: 'x', new: null });
const component = (change: 'added' | 'changed', files: readonly string[][] = []) => ({
  ...{ identifier: 'c', change, facts: [fact('size')], scripts: [] },
  files: files.map((names) => ({ path: 'f', change: 'changed' as const, facts: names.map(fact), lines: [] })),
});

describe('what changed', () => {
  it.each<[string, Partial<PackageComparison>, RegExp | undefined]>([
    ['nothing', {}, undefined],
    ['the signer', { identity: [fact('version'), fact('signed by')] }, /^Another signer \(x → none\)/],
    ['the time of the signature', { identity: [fact('signed at')] }, undefined],
    ['the identifier', { identity: [fact('identifier')] }, /^Another package identifier \(x → none\)/],
    ['a component', { components: [component('changed'), component('added')] }, /^A component came or went/],
    ['a file of a component', { components: [component('changed', [['size']])] }, undefined],
    ['the oldest macOS', { installation: [fact('oldest macOS')] }, /^Another oldest macOS \(x → none\)/],
    ['the architectures', { installation: [fact('architectures')] }, /^Other architectures \(x → none\)/],
    ['a login entry that went', { mechanisms: { removed: ['m'], added: [] } }, /^The scripts name other entries/],
    ['a login entry that came', { mechanisms: { removed: [], added: ['m'] } }, /^The scripts name other entries/],
    ['a setting that went', { settings: { removed: ['S', 'T'], added: [] } }, /no longer name: `S`, `T`\./],
    ['a setting that came', { settings: { removed: [], added: ['S'] } }, undefined],
    [
      'the code of one slice of one file',
      { components: [component('changed'), component('changed', [['size'], ['size', 'arm64 cdhash']])] },
      /^Only if you allow code by its cdhash/,
    ],
    ['something else about a cdhash', { components: [component('changed', [['arm64 cdhash of old']])] }, undefined],
  ])('asks to act for %s, or does not', (_, change, words) => {
    const actions = actionsFor({ ...NOTHING, ...change });
    expect(actions).toEqual(words ? [expect.stringMatching(words)] : []);
    const blocks = changesSection({ comparison: { ...NOTHING, ...change } }).blocks;
    const list = { kind: 'list', ordered: false, items: actions };
    expect(blocks.slice(1, -1)).toEqual(
      words
        ? [{ kind: 'text', text: '**Yes:**' }, list]
        : [{ kind: 'text', text: expect.stringMatching(/^\*\*No\.\*\*/) }],
    );
  });

  it('is shown row by row', () => {
    const rowsOf = (change: Partial<PackageComparison>) => {
      const folded = changesSection({ comparison: { ...NOTHING, ...change } }).blocks.at(-1) as any;
      expect(folded.title).toBe(`Everything that differs: ${folded.blocks[0].rows.length} things`);
      return folded.blocks[0].rows;
    };
    expect(rowsOf({ identity: [fact('a')], installation: [fact('b')] })).toEqual([
      ['a', 'x → none'],
      ['b', 'x → none'],
    ]);
    expect(rowsOf({ mechanisms: { removed: ['m'], added: ['n'] }, settings: { removed: [], added: ['S'] } })).toEqual([
      ['mechanism `m`', 'removed'],
      ['mechanism `n`', 'added'],
      ['setting in scripts `S`', 'added'],
    ]);
    expect(rowsOf({ components: [component('added')] })).toEqual([['component c', 'added']]);
    const files = [['size'], ['x86_64 cdhash', 'arm64 cdhash', 'cdhash of old']];
    const scripts = [{ path: 's', change: 'removed' as const, facts: [], lines: [] }];
    expect(rowsOf({ components: [{ ...component('changed', files), scripts }] })).toEqual([
      ['size', 'x → none'],
      ['script `s`', 'removed'],
      ['file `f`', 'changed'],
      ['file `f`', 'changed, new cdhash: x86_64, arm64'],
    ]);
  });

  it('is not known without an earlier package', () => {
    expect(changesSection({ comparison: null }).blocks).toMatchObject([
      { text: expect.stringMatching(/^No earlier package/) },
    ]);
  });
});

describe('the sections', () => {
  const sections = (change: Partial<Manifest> = {}, url = kit.url) =>
    releaseSections({
      ...{ manifest: { ...manifest, ...change }, kit: { ...kit, url }, kitName: 'kit.zip' },
      ...{ vocabulary, comparison: null },
    });
  const section = (id: string, ...given: Parameters<typeof sections>) =>
    sections(...given).find((one) => one.id === id)!;
  const commands = (...given: Parameters<typeof section>) =>
    section(...given).blocks.flatMap((block) => (block.kind === 'commands' ? [block.text] : []));

  it('show the identity in two columns, two blanks after the longest name', () => {
    const code = [
      { ...manifest.code[0]!, identifier: 'first' },
      { ...manifest.code[0]!, identifier: 'second', architecture: 'arm64', cdhash: null },
    ] as Manifest['code'];
    const lines = commands('identity', { code, ticket: null })[0]!.split('\n');
    // Signing identifier and Package identifier have 18 letters.
    for (const line of lines) expect(line).toMatch(/^(?=.{18} {2}\S)[A-Z\w]/i);
    expect(lines.map((line) => line.slice(20))).toEqual(expect.arrayContaining(['first', 'none']));
    expect(lines).toContain('cdhash arm64        none');
    expect(lines).not.toContain('Signing identifier  second');
  });

  it('warn of everything but a release', () => {
    const kinds = (mode: Manifest['mode']) => section('identity', { mode }).blocks.map(({ kind }) => kind);
    expect(kinds('release')).toEqual(['text', 'commands']);
    expect(kinds('rehearsal')).toEqual(['warning', 'text', 'commands']);
  });

  it('name the repository of the address, or where its name goes', () => {
    expect(commands('verify')[2]).toContain('-R example/escrow-buddy \\');
    expect(commands('verify', {}, 'https://example.com/a.pkg')[2]).toContain('-R OWNER/REPOSITORY \\');
  });

  it('quote a name for the shell where it must be', () => {
    const named = (path: string) =>
      commands('verify', {
        files: manifest.files.map((file) => (file.role === 'package' ? { ...file, path } : file)),
      })[0]!.split('\n')[2];
    expect(named('a-1.0+b_c.pkg')).toBe('pkgutil --check-signature a-1.0+b_c.pkg');
    expect(named("a b's.pkg")).toBe("pkgutil --check-signature 'a b'\\''s.pkg'");
  });

  it('number what is done in an order, and only that', () => {
    const lists = (blocks: readonly Block[]): boolean[] =>
      blocks.flatMap((block) =>
        block.kind === 'list' ? [block.ordered] : block.kind === 'folded' ? lists(block.blocks) : [],
      );
    const ordered = (id: string) => [...new Set(lists(section(id).blocks))];
    expect(['deploy', 'login', 'rescue', 'sees'].map(ordered)).toEqual([[true], [true], [true], [false]]);
  });

  it('are about the first package that is listed', () => {
    const file = manifest.files.find(({ role }) => role === 'package')!;
    const files = [...manifest.files, { ...file, path: 'other.pkg' }];
    expect(commands('identity', { files })[0]).toContain(file.path);
    expect(commands('identity', { files })[0]).not.toContain('other.pkg');
  });

  it('need a package, whatever else there is', () => {
    const files = manifest.files.filter(({ role }) => role !== 'package');
    expect(() => sections({ files })).toThrow(new TypeError('the manifest lists no package'));
  });
});
