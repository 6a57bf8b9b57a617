// Bundles build/cli.ts and all it imports into one file, .build/cli.mjs; written beside, then renamed.
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = process.argv[2] ?? '.';
const folder = join(root, '.build');
const unfinished = join(folder, `cli.${process.pid}.tmp.mjs`);
mkdirSync(folder, { recursive: true });
await build({
  absWorkingDir: root,
  entryPoints: ['build/cli.ts'],
  outfile: unfinished,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  // Packages written as CommonJS call require(); an ES module has none of its own.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  legalComments: 'none',
  logLevel: 'warning',
});
renameSync(unfinished, join(folder, 'cli.mjs'));
