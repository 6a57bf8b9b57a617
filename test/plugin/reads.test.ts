import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ARCHITECTURES,
  BUILD,
  linkSlice,
  llvmTool,
  PLUGIN_FOLDER,
  readJson,
  run,
  sourceFiles,
  withoutComments,
} from './source.ts';

interface Reads {
  readonly context: readonly { readonly key: string }[];
  readonly hints: readonly { readonly key: string }[];
  readonly settings: readonly { readonly domain: string; readonly key: string; readonly access: readonly string[] }[];
  readonly files: readonly { readonly path: string }[];
  readonly children: readonly {
    readonly path: string;
    readonly arguments: readonly string[];
    readonly environment: readonly string[];
  }[];
  readonly imports: Readonly<Record<string, readonly string[]>>;
  readonly compilerMayImport: readonly string[];
}

const READS: Reads = readJson('reads.json');
const code = Object.fromEntries(sourceFiles().map(({ name, text }) => [name, withoutComments(text)]));
const all = Object.values(code).join('\n');
const linking = llvmTool('clang') && llvmTool('ld64.lld') && llvmTool('llvm-objdump');
const note = linking ? '' : ' (skipped: needs clang, ld64.lld and llvm-objdump)';

/** Returns the distinct string literals of a piece of source, sorted. */
function literals(text: string): string[] {
  return sorted([...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1] as string));
}

const sorted = (values: readonly string[]) => [...new Set(values)].sort();

/** Returns the keys that calls of `functions` name. */
function keysOf(...functions: string[]): string[] {
  const call = new RegExp(`\\b(?:${functions.join('|')})\\(CFSTR\\("([^"]+)"\\)`, 'g');
  return sorted([...all.matchAll(call)].map((match) => match[1] as string));
}

describe('reads.json, beside the source', () => {
  it('lists every context key, and GetContextValue is called in one place', () => {
    const facts = code['facts.c']!.replace(/LOG_\w+\([^;]*;/g, '').replace(/#include.*/g, '');
    expect(literals(facts)).toEqual(sorted(READS.context.map(({ key }) => key)));
    expect(all.match(/->GetContextValue\(/g)).toHaveLength(1);
  });

  it('lists every hint: there is none, and nothing is set', () => {
    expect(READS.hints).toEqual([]);
    expect(all).not.toMatch(
      /GetHintValue|GetImmutableHintValue|SetHintValue|SetContextValue|GetArguments|GetLAContext/,
    );
  });

  it('lists every setting and domain', () => {
    const listed = sorted(READS.settings.flatMap(({ domain, key }) => [domain, key]));
    expect(sorted([...all.matchAll(/CFSTR\("([^"]+)"\)/g)].map((match) => match[1] as string))).toEqual(listed);
  });

  it('lists how each setting is used', () => {
    const used = (access: string) =>
      sorted(READS.settings.filter((setting) => setting.access.includes(access)).map(({ key }) => key));
    const changes = ['change_local', 'remove_local']; // they read first
    expect(keysOf('set_local', 'CFPreferencesSetValue', ...changes)).toEqual(used('write'));
    expect(keysOf('copy_local', 'copy_searched', 'CFPreferencesCopyAppValue', ...changes)).toEqual(used('read'));
    expect(keysOf('CFPreferencesAppValueIsForced')).toEqual(used('forced'));
  });

  it('lists every path', () => {
    const paths = literals(all).filter((literal) => literal.startsWith('/'));
    const listed = [...READS.files.map(({ path }) => path), ...READS.children.map(({ path }) => path), '/dev/null'];
    expect(paths).toEqual(sorted(listed));
  });

  it('lists every child process with its arguments and environment', () => {
    const lists = (name: string) =>
      [...all.matchAll(new RegExp(`char \\*const ${name}\\[\\] = (\\{[^;]*\\});`, 'g'))].map((match) =>
        [...(match[1] as string).matchAll(/"([^"]*)"/g)].map((literal) => literal[1] as string),
      );
    expect(lists('arguments')).toEqual(READS.children.map((child) => child.arguments));
    const environments = READS.children.map((child) => child.environment);
    expect(environments.map(() => lists('environment')[0])).toEqual(environments);
    expect(all.match(/\bposix_spawn\(/g)).toHaveLength(1);
  });
});

describe.each(ARCHITECTURES)('reads.json, beside the Mach-O for $name', (architecture) => {
  it.skipIf(!linking)(`lists every import and its library${note}`, () => {
    const slice = linkSlice(architecture);
    try {
      const found = importsOf(slice.path);
      const own = (symbol: string) => !READS.compilerMayImport.includes(symbol);
      for (const [library, symbols] of Object.entries(READS.imports))
        expect(sorted((found[library] ?? []).filter(own)), library).toEqual(sorted(symbols));
      expect(Object.keys(found).sort()).toEqual(Object.keys(READS.imports).sort());
    } finally {
      slice.remove();
    }
  });
});

describe('stub libraries', () => {
  it('offer what is listed and nothing else', () => {
    const offered = BUILD.stubLibraries.flatMap((path) => {
      const text = readFileSync(join(PLUGIN_FOLDER, path), 'utf8');
      const lists = [...text.matchAll(/symbols: \[([^\]]*)\]/g)].map((match) => match[1] as string);
      return lists.flatMap((list) => list.split(',').map((symbol) => plain(symbol.trim().replaceAll("'", ''))));
    });
    expect(sorted(offered)).toEqual(sorted([...Object.values(READS.imports).flat(), ...READS.compilerMayImport]));
  });
});

/** On Intel `stat` has a suffix: xnu sys/cdefs.h, __DARWIN_INODE64. */
function plain(symbol: string): string {
  return symbol.replace('$INODE64', '');
}

/** Returns the symbols a Mach-O file imports, by the install name of their library. */
function importsOf(path: string): Record<string, string[]> {
  const headers = run('llvm-objdump', ['--macho', '--dylibs-used', path]).stdout;
  const installNames = [...headers.matchAll(/^\t(\/\S+) \(/gm)].map((match) => match[1] as string);
  const binds = run('llvm-objdump', ['--macho', '--bind', '--lazy-bind', path]).stdout;
  const imports: Record<string, string[]> = {};
  for (const line of binds.split('\n')) {
    const match = /^__\w+\s+__\w+\s.*?\s(\w+)\s+(\S+)$/.exec(line);
    if (!match) continue;
    const library = installNames.find((name) => libraryName(name) === match[1]);
    if (library === undefined) throw new Error(`no library for: ${line}`);
    imports[library] = [...(imports[library] ?? []), plain(match[2] as string)];
  }
  return imports;
}

/** The short name that objdump prints for an install name: `libSystem`, `CoreFoundation`. */
function libraryName(installName: string): string {
  return (installName.split('/').at(-1) as string).replace(/\..*/, '');
}

describe('docs/security-review.md', () => {
  const page = readFileSync(join(PLUGIN_FOLDER, '../../docs/security-review.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));

  it('has a row for every context key, setting, child process and file, and no other', () => {
    const expected = [
      ...READS.context.map(({ key }) => key),
      ...READS.settings.map(({ key }) => key),
      ...READS.children.map(({ path, arguments: argv }) => [path, ...argv.slice(1)].join(' ')),
      ...READS.files.map(({ path }) => path),
    ];
    expect(rows.map((row) => /^\| `([^`]+)`/.exec(row)?.[1])).toEqual(expected);
  });

  it('names the domain of every setting', () => {
    for (const { domain, key } of READS.settings) {
      expect(rows.find((row) => row.startsWith(`| \`${key}\` |`))).toContain(`\`${domain}\``);
    }
  });

  it('lists every import, and no other', () => {
    const [, section = ''] = /## Imports\n([\s\S]*?)\n## /.exec(page) ?? [];
    const named = Object.fromEntries(Object.keys(READS.imports).map((library) => [library, [] as string[]]));
    for (const [, library, names] of section.matchAll(/^\| [^|]+ \| (\S+) \| (`.*) \|$/gm)) {
      const path = Object.keys(named).find((one) => one.endsWith(`/${library}`)) as string;
      named[path]?.push(...[...(names as string).matchAll(/`(_\w+)`/g)].map((match) => match[1] as string));
    }
    for (const [library, names] of Object.entries(named))
      expect(names.sort(), library).toEqual(sorted(READS.imports[library] ?? []));
  });
});
