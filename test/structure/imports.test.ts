import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

/**
 * Rooms of src/ and the rooms each may import from. The table stands in ARCHITECTURE.md too, and must be the same there.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  'apple-messages': [],
  xml: ['base'],
  compression: ['base'],
  macho: ['base'],
  tree: ['base', 'macho'],
  bom: ['base', 'macho', 'tree'],
  cpio: ['base', 'tree', 'compression'],
  pki: ['base'],
  xar: ['base', 'xml', 'compression'],
  package: ['base', 'xml', 'macho', 'tree', 'bom', 'cpio', 'pki', 'xar'],
  'code-signature': ['base', 'xml', 'macho', 'pki'],
  notary: ['base', 'xml', 'macho', 'pki', 'xar', 'package', 'code-signature'],
  rehearsal: ['base', 'pki', 'xar', 'notary'],
  verify: ['base', 'xml', 'macho', 'tree', 'bom', 'cpio', 'pki', 'xar', 'package', 'code-signature', 'notary'],
  toolchain: [
    'base',
    'apple-messages',
    'xml',
    'macho',
    'tree',
    'pki',
    'xar',
    'package',
    'code-signature',
    'notary',
    'verify',
  ],
};

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'], {
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(file));

/** Relative imports of a file, as paths from the project's root; type-only imports and dynamic ones count too. */
function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8');
  return [...source.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map(([, path]) =>
    normalize(join(dirname(file), path as string)),
  );
}

const edges = files.flatMap((file) => importsOf(file).map((target) => ({ file, target })));
const room = (path: string) =>
  path.startsWith('src/') ? (path.split('/')[1] as string) : (path.split('/')[0] as string);

describe('imports', () => {
  it('are found at all', () => expect(edges.length).toBeGreaterThan(100));

  it('in src/ go only to rooms below', () => {
    const wrong = edges
      .filter(({ file }) => file.startsWith('src/'))
      .filter(({ file, target }) => {
        if (!target.startsWith('src/')) return true;
        return room(file) !== room(target) && !MAY_IMPORT[room(file)]?.includes(room(target));
      });
    expect(wrong).toEqual([]);
  });

  it('never lead from shipped code into tests, nor from anything but tests into build/', () => {
    expect(edges.filter(({ file, target }) => !file.startsWith('test/') && target.startsWith('test/'))).toEqual([]);
    expect(edges.filter(({ file, target }) => file.startsWith('src/') && target.startsWith('build/'))).toEqual([]);
  });

  it('are the ones that ARCHITECTURE.md shows', () => {
    const page = readFileSync('ARCHITECTURE.md', 'utf8');
    const rows = [...page.matchAll(/^\| `src\/([\w-]+)\/` \|[^|]*\| ([^|]*) \|$/gm)].map(([, name, list]) => [
      name,
      (list as string).trim() === 'nothing' ? [] : (list as string).split(',').map((word) => word.trim()),
    ]);
    expect(Object.fromEntries(rows)).toEqual(MAY_IMPORT);
  });
});

describe('the house', () => {
  const shipped = files.filter((file) => /^(src|build)\//.test(file));

  it('gives every name from one file only: nothing is exported again', () => {
    const again = shipped.filter((file) => /^export (type )?(\*|\{[^}]*\}) from /m.test(readFileSync(file, 'utf8')));
    expect(again).toEqual([]);
  });

  it('loads everything at the start but for the command that runs, and two large packages that few runs need', () => {
    expect(shipped.filter((file) => /\bimport\(/.test(readFileSync(file, 'utf8')))).toEqual([
      'build/command-line.ts',
      'build/commands/verify.ts', // Sigstore's library, for --evidence
      'src/base/http.ts', // undici, for a proxy
    ]);
  });
});

describe('one place each', () => {
  const shipped = files.filter((file) => /^(src|build)\//.test(file));
  const using = (pattern: RegExp) => shipped.filter((file) => pattern.test(readFileSync(file, 'utf8')));

  it('starts processes: src/base/run-tool.ts', () => {
    expect(using(/from '(execa|node:child_process)'/)).toEqual(['src/base/run-tool.ts']);
  });

  it('fetches: src/base/http.ts', () => {
    expect(using(/\bfetch\(/).filter((file) => file !== 'src/base/http.ts')).toEqual([]);
  });

  it('ends the process and reads its environment: build/cli.ts', () => {
    expect(using(/process\.exit\(/)).toEqual(['build/cli.ts']);
    // PATH, HOME and the like for tools; see runTool.
    expect(using(/process\.env\b/)).toEqual(['build/cli.ts', 'src/base/run-tool.ts', 'src/toolchain/portable/llvm.ts']);
  });

  it('prints: nothing below build/cli.ts', () => {
    expect(using(/console\.|process\.stdout/)).toEqual(['build/cli.ts']);
  });
});

describe('files', () => {
  it('stay below 350 lines', () => {
    const long = files.filter(
      (file) => /^(src|build)\//.test(file) && readFileSync(file, 'utf8').split('\n').length > 350,
    );
    expect(long).toEqual([]);
  });

  it('in src/ know nothing of the product nor of GitHub', () => {
    const wrong = files.filter(
      (file) => file.startsWith('src/') && /escrow.?buddy|GITHUB_/i.test(readFileSync(file, 'utf8')),
    );
    expect(wrong).toEqual([]);
  });
});
