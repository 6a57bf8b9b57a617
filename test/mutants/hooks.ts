// Has Node 20 run TypeScript, in the process that asks the tests: hooks of node:module, which live in a thread of their own.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: true;
}
type Next = (url: string, context: unknown) => Promise<unknown>;

/** CommonJS whose names Node does not find by reading it, though bundlers do. */
const NAMES_UNSEEN = /\/node_modules\/(xz-decompress)\//;

/** Modules one function of which a test puts another in the place of, as vitest lets it; to Node a module's exports are fixed. */
const REPLACED = ['/build/notary/connection.ts', '/src/base/run-tool.ts'];

/** Gives a module to Node: TypeScript without its types, everything else as Node would. */
export async function load(url: string, context: unknown, next: Next): Promise<unknown> {
  const [path = ''] = url.split('?');
  if (path.endsWith('.ts')) {
    const text = await readFile(fileURLToPath(path), 'utf8');
    const { code } = await transform(text, { loader: 'ts', format: 'esm', target: 'node20.19' });
    if (REPLACED.some((end) => path.endsWith(end)) && !url.includes('?')) return esModule(replaceable(url, code));
    const whole = new RegExp(`import \\* as (\\w+) from ("[^"]*(?:${REPLACED.join('|')})")`);
    return esModule(code.replace(whole, 'import { replaceable as $1 } from $2'));
  }
  if (!NAMES_UNSEEN.test(path)) return next(url, context);
  const file = JSON.stringify(fileURLToPath(path));
  const names = Object.keys(createRequire(path)(fileURLToPath(path)));
  return esModule(
    `import { createRequire } from 'node:module';\nexport const { ${names.join(', ')} } = createRequire(${file})(${file});`,
  );
}

/** Returns a module that calls the functions of another one by an object, in which they can be replaced. */
function replaceable(url: string, code: string): string {
  const [, names = ''] = /^export \{([^}]*)\}/m.exec(code) ?? [];
  const calls = names
    .split(',')
    .map((name) => `export const ${name.trim()} = (...a) => replaceable.${name.trim()}(...a);`);
  return `import * as own from '${url}?own';\nexport const replaceable = { ...own };\n${calls.join('\n')}`;
}

const esModule = (source: string): Loaded => ({ format: 'module', source, shortCircuit: true });
