// Bundles a TypeScript entry point and all it imports into one file; written beside, then renamed.
// bundle.mjs ROOT [ENTRY OUTFILE]
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const [folder = '.', entry = 'build/cli.ts', outfile = '.build/cli.mjs'] = process.argv.slice(2);
const root = resolve(folder);
const target = join(root, outfile);
const unfinished = `${target}.${process.pid}.tmp`;
mkdirSync(dirname(target), { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: [entry],
  outfile: unfinished,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  banner: {
    // Packages written as CommonJS call require(); an ES module has none of its own.
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  legalComments: 'none',
  // Half the size is parsed in half the time; names stay, for the stack of a bug report.
  minifyWhitespace: true,
  lineLimit: 200,
  logLevel: 'warning',
});
renameSync(unfinished, target);
