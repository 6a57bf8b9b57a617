import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { quoteWord, scriptRenderer, templateReader } from '../../../build/scripts/render-script.ts';
import { scriptValues } from '../../../build/scripts/script-values.ts';
import { renderScripts, SCRIPT_FILES } from '../../../build/stages/generate-scripts.ts';
import { PRODUCT } from '../../scripts/product.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { character } from '../../support/characters.ts';
import { keptBuild } from '../../support/kept-build.ts';
import { findOnPath, needs } from '../../support/needs.ts';

/** Renders `main.sh` of a few made-up templates. */
function render(templates: Record<string, string>, values: Record<string, string> = {}): string {
  const render = scriptRenderer(values, (path) => {
    const text = templates[path];
    if (text === undefined) throw new Error(`no template ${path}`);
    return text;
  });
  return render('main.sh');
}

describe('scriptRenderer', () => {
  it('puts an included file in place of its line', () => {
    const text = render({ 'main.sh': '#!/bin/sh\n# @include lib/a.sh\nhello\n', 'lib/a.sh': 'hello() {\n    :\n}\n' });
    expect(text).toBe('#!/bin/sh\n\nhello() {\n    :\n}\n\nhello\n');
  });

  it('includes what an included file includes', () => {
    const text = render({
      'main.sh': '# @include lib/a.sh\nuse',
      'lib/a.sh': '# @include lib/b.sh\nuse() {\n    b\n}',
      'lib/b.sh': 'b() {\n    :\n}',
    });
    expect(text.indexOf('b() {')).toBeLessThan(text.indexOf('use() {'));
  });

  it('replaces a value line by a quoted word', () => {
    expect(render({ 'main.sh': 'NAME=@NAME@\necho "$NAME"' }, { NAME: "it's $HOME" })).toBe(
      `NAME='it'\\''s $HOME'\necho "$NAME"\n`,
    );
  });

  it('leaves out what the script never uses, with the comment above it', () => {
    const main = 'main() {\n    used "$A"\n}\nmain';
    const lib =
      'A=@A@\n# about B\nB=@B@\n# about used\nused() {\n    :\n}\n# about idle\nidle() {\n    helper\n}\nhelper() {\n    :\n}';
    const text = render({ 'main.sh': `# @include lib/l.sh\n${main}`, 'lib/l.sh': lib }, { A: '1', B: '2' });
    expect(text).toContain("A='1'");
    expect(text).toContain('# about used');
    expect(text).not.toMatch(/B=|about B|idle|helper/);
  });

  it('leaves out functions that only name each other', () => {
    const lib = 'used() {\n    :\n}\nping() {\n    pong\n}\npong() {\n    ping\n}';
    expect(render({ 'main.sh': '# @include l\nused', l: lib })).not.toMatch(/ping|pong/);
  });

  it('reads a file once, however many scripts include it', () => {
    const read: string[] = [];
    const templates: Record<string, string> = {
      'a.sh': '# @include l\nf',
      'b.sh': '# @include l\nf',
      l: 'f() {\n:\n}',
    };
    const render = scriptRenderer({}, (path) => {
      read.push(path);
      return templates[path] as string;
    });
    expect(render('a.sh')).toBe(render('b.sh'));
    expect(read).toEqual(['a.sh', 'l', 'b.sh']);
  });

  it('leaves the names of shellcheck directives out but keeps other comments', () => {
    expect(render({ 'main.sh': '# shellcheck shell=sh\n# why\n:' })).toBe('# why\n:\n');
  });

  it.each([
    ['an unknown value', { 'main.sh': 'A=@NOPE@\necho $A' }, /@NOPE@ has no value/],
    ['a value inherited from Object', { 'main.sh': 'A=@CONSTRUCTOR@\necho $A' }, /has no value/],
    ['a placeholder inside a line', { 'main.sh': 'echo @A@' }, /stands alone/],
    ['a quoted placeholder', { 'main.sh': 'A="@A@"\necho $A' }, /stands alone/],
    [
      'an include in a circle',
      { 'main.sh': '# @include a', a: '# @include b', b: '# @include a' },
      /a includes itself/,
    ],
    ['an include of itself', { 'main.sh': '# @include main.sh' }, /includes itself/],
    ['a file included twice', { 'main.sh': '# @include a\n# @include a\nf', a: 'f() {\n:\n}' }, /included twice/],
    ['an include without use', { 'main.sh': '# @include a\n:', a: 'f() {\n    f\n}' }, /nothing of a is used/],
    ['a misspelt include', { 'main.sh': '#@include a' }, /not an include/],
    ['an include with a word behind', { 'main.sh': '# @include a b' }, /not an include/],
  ] as [string, Record<string, string>, RegExp][])('refuses %s', (_, templates, message) => {
    expect(() => render(templates, { A: '' })).toThrow(message);
  });
});

describe('quoteWord', () => {
  it('makes a word that every shell gives back byte for byte', () => {
    const unit = fc.oneof(character, fc.constantFrom(...`'"\\$\`!*?~#%&;|<>()[]{}- \t\n`));
    const text = fc.string({ unit, maxLength: 40 }).filter((word) => !word.includes('\0'));
    const lists = fc.sample(fc.array(text, { minLength: 1, maxLength: 20 }), ofTheDay === '' ? 2000 : 40);
    // One shell prints them all, each list with a NUL behind it.
    const file = join(mkdtempSync(join(tmpdir(), 'words-')), 'words.sh');
    const program = lists.map((words) => `printf '%s|' ${words.map(quoteWord).join(' ')}; printf '\\0'\n`).join('');
    writeFileSync(file, program);
    for (const shell of ['dash', 'bash']) {
      const { stdout } = spawnSync(shell, [file], { env: { LC_ALL: 'C' }, maxBuffer: 1 << 28 });
      const expected = lists.map((words) => Buffer.from(words.map((word) => `${word}|`).join('')).toString());
      expect(stdout.toString().split('\0').slice(0, -1), shell).toEqual(expected);
    }
    rmSync(dirname(file), { recursive: true });
  });

  it('refuses NUL', () => {
    expect(() => quoteWord('a\0b')).toThrow(/NUL/);
  });
});

describe('scriptValues', () => {
  it('takes the bundle name with or without its extension', () => {
    const without = scriptValues(PRODUCT);
    expect(scriptValues({ ...PRODUCT, bundleName: 'Escrow Buddy.bundle' })).toEqual(without);
    expect(without.BUNDLE).toBe('/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle');
    expect(without.EXECUTABLE).toBe('Escrow Buddy');
  });

  it('hands the requirement on as it is: codesign takes the sign before it away', () => {
    expect(scriptValues(PRODUCT).CODE_REQUIREMENT).toBe(
      'identifier "com.netflix.Escrow-Buddy" and anchor apple generic' +
        ' and certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */' +
        ' and certificate leaf[field.1.2.840.113635.100.6.1.13] /* exists */' +
        ' and certificate leaf[subject.OU] = ABCDE12345',
    );
  });

  it.each(['', ' ', '=anchor apple', 'anchor aple', 'identifier "a', 'A" or true'])(
    'refuses %j, which codesign would take for a fault of the bundle',
    (codeRequirement) => {
      expect(() => scriptValues({ ...PRODUCT, codeRequirement })).toThrow(/code requirement/);
    },
  );

  it('makes a pattern of the bundle name that matches it in any case only', () => {
    const pattern = scriptValues({ ...PRODUCT, bundleName: 'A-b* [c]!' }).BUNDLE_NAME_ANY_CASE as string;
    const matches = (name: string, shell: string) =>
      spawnSync(shell, ['-c', 'case $1 in $2) exit 0 ;; esac; exit 1', 'sh', name, pattern]).status === 0;
    for (const shell of ['dash', 'bash']) {
      for (const name of ['A-b* [c]!', 'a-B* [C]!']) expect(matches(name, shell), `${shell}: ${name}`).toBe(true);
      for (const name of ['A-bx [c]!', 'A-b* c!', 'A-b* [c]', 'xA-b* [c]!'])
        expect(matches(name, shell), name).toBe(false);
    }
  });

  it.each(['a\nb', "it's", 'a"b', 'a<b', 'a&b', 'a\\b', '$(x)', '`x`', ''])(
    'refuses %j, which XML or PlistBuddy would change',
    (mechanism) => {
      expect(() => scriptValues({ ...PRODUCT, mechanism })).toThrow(/MECHANISM/);
    },
  );
});

describe('the scripts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'rendered-scripts-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const templates = join(import.meta.dirname, '../../../scripts');
  const sources = [...readdirSync(templates), ...readdirSync(join(templates, 'lib')).map((name) => `lib/${name}`)]
    .filter((name) => name.endsWith('.sh'))
    .map((name) => join(templates, name));
  const rendered = renderScripts(PRODUCT, templateReader(templates)).map((script) => {
    const file = join(folder, `${script.package}-${script.path.replaceAll('/', '-')}`);
    writeFileSync(file, script.text);
    return { ...script, file };
  });
  const shellcheck = needs('shellcheck');

  it('are the files that packages need, each once', () => {
    const names = SCRIPT_FILES.map((file) => `${file.package} ${file.path}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('product Contents/Resources/AuthDBSetup.sh');
    expect(names).toContain('product Contents/Resources/AuthDBTeardown.sh');
  });

  it.each(['dash -n', 'bash --posix -n'])('are understood by %s', (shell) => {
    const files = [...sources, ...rendered.map((script) => script.file)];
    execFileSync('sh', ['-ec', `for file; do ${shell} "$file"; done`, 'sh', ...files], { stdio: 'pipe' });
  });

  it.skipIf(shellcheck.missing)(`please shellcheck${ofTheDay}${shellcheck.note}`, async () => {
    const different = new Map(rendered.map((script) => [script.text, script]));
    // All parts every day; what they are put together to, three a day.
    const whole = byDay([...different.values()], 3);
    const checked = [...sources, ...whole.map(({ file }) => file)];
    const madeOf = ['scripts', 'build/scripts', 'build/stages/generate-scripts.ts', 'test/scripts/product.ts'];
    const files = [...madeOf, 'test/build/stages/generate-scripts.test.ts'];
    const programs = [findOnPath('shellcheck') as string];
    // 5 s of the processor, and nothing to say of the same scripts another time.
    const words = whole.map((script) => script.path);
    await keptBuild('shellchecked', { files, programs, variables: ['SHELLCHECK_OPTS'], words }, async () => {
      const argv = ['--shell=sh', '--format=gcc', ...checked];
      const { stdout, status } = spawnSync('shellcheck', argv, { encoding: 'utf8' });
      expect([stdout, status]).toEqual(['', 0]);
    });
  });

  it('stand alone: no include and no placeholder is left', () => {
    for (const { text, path } of rendered) {
      expect(text, path).toMatch(/^#!\/bin\/sh\n/);
      expect(text, path).not.toMatch(/@include|@[A-Z_]+@/);
    }
  });

  it('call tools by absolute paths, and only those a Mac has', () => {
    const words = rendered.flatMap(
      ({ text }) => text.match(/(?<![\w."$}/])\/(?:usr\/)?(?:s?bin|libexec)\/[\w-]+/g) ?? [],
    );
    expect([...new Set(words)].sort()).toEqual([
      '/bin/chmod', '/bin/cp', '/bin/date', '/bin/launchctl', '/bin/ln', '/bin/ls', '/bin/mkdir', '/bin/mv', '/bin/rm',
      '/bin/sh', '/bin/sleep', '/usr/bin/cksum', '/usr/bin/cmp', '/usr/bin/codesign', '/usr/bin/defaults', '/usr/bin/dscl',
      '/usr/bin/fdesetup', '/usr/bin/file', '/usr/bin/find', '/usr/bin/id', '/usr/bin/logger', '/usr/bin/od',
      '/usr/bin/plutil', '/usr/bin/readlink', '/usr/bin/security', '/usr/bin/stat', '/usr/bin/sw_vers', '/usr/bin/uname',
      '/usr/libexec/PlistBuddy', '/usr/sbin/chown', '/usr/sbin/pkgutil', '/usr/sbin/sysadminctl', '/usr/sbin/sysctl',
    ]); // biome-ignore format: a list
  });

  it('keep each shared file below 250 lines', () => {
    for (const file of sources) expect(templateReader('')(file).split('\n').length, file).toBeLessThan(250);
  });

  it('ask the authorization database for nothing but the login right', () => {
    for (const { text } of rendered.filter((script) => script.text.includes('/usr/bin/security')))
      expect(text).toContain("\nLOGIN_RIGHT='system.login.console'\n");
    for (const { text } of rendered)
      for (const call of text.match(/\/usr\/bin\/security .*?(?= 2?[<>|])/g) ?? [])
        expect(call).toMatch(/^\/usr\/bin\/security -q authorizationdb (read|write) "\$LOGIN_RIGHT"$/);
  });
});
