// Bundles a TypeScript entry point and all it imports into one file that stands alone, because Node 20 runs no TypeScript.
//
// bundle.mjs ROOT             the command line, as .build/cli.mjs
// bundle.mjs ROOT ENTRY FILE  another program; with --packages-apart its packages stay in node_modules
import { mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const [folder = '.', entry = 'build/cli.ts', name = '.build/cli.mjs', apart] = process.argv.slice(2);
const root = resolve(folder);
const target = join(root, name);
// A source that is changed while it is bundled must be newer than the bundle.
const began = new Date();
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: [entry],
  outfile: target,
  bundle: true,
  packages: apart === '--packages-apart' ? 'external' : 'bundle',
  write: false,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  legalComments: 'none',
  // Half the size is parsed in half the time; names stay, for the stack of a bug report.
  minifyWhitespace: true,
  lineLimit: 200,
  logLevel: 'warning',
  // Packages written as CommonJS call require(); an ES module has none of its own.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
});
// Written beside, then renamed: another run never meets half a file.
const unfinished = `${target}.${process.pid}.tmp`;
mkdirSync(dirname(target), { recursive: true });
writeFileSync(unfinished, outputFiles[0].contents);
utimesSync(unfinished, began, began);
renameSync(unfinished, target);
