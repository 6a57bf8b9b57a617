// Bundles a TypeScript entry point and all it imports, because Node 20 runs no TypeScript.
//
// bundle.mjs ROOT             the command line: the folder .build/cli, whose main.cjs starts it, and the one file that `parts` hands on,
//                             as .build/cli.mjs and as one-file.mjs in that folder
// bundle.mjs ROOT ENTRY NAME  another program: as one file where the name ends in .mjs, else as a folder with main.cjs
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

/** How long a bundle stays that another has replaced: a run that began with it may yet hand on its one file. */
const KEPT_MS = 2 * 24 * 60 * 60 * 1000;

const [folder = '.', entry, name] = process.argv.slice(2);
const root = resolve(folder);
// A source that is changed while it is bundled must be newer than the bundle.
const began = new Date();
if (!entry) await bundleCommandLine();
else if (name.endsWith('.mjs')) writeBeside(join(root, name), await bundleInOne(entry));
else writeFolder(join(root, name), await programFiles(entry));

async function bundleCommandLine() {
  const [oneFile, files] = await Promise.all([bundleInOne('build/cli.ts'), programFiles('build/cli.ts')]);
  writeBeside(join(root, '.build/cli.mjs'), oneFile);
  writeFolder(join(root, '.build/cli'), [...files, { name: 'one-file.mjs', contents: oneFile }]);
}

/** One file that stands alone. */
function bundleInOne(entryPoint) {
  return bundle(entryPoint, {
    format: 'esm',
    banner: {
      // Packages written as CommonJS call require(); an ES module has none of its own.
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
    },
  });
}

/** The program as CommonJS, of which V8 can keep what it compiled, and what loads it. */
async function programFiles(entryPoint) {
  const program = await bundle(entryPoint, {
    format: 'cjs',
    define: { 'import.meta.url': '__programUrl' },
    // A script has no import() of its own.
    supported: { 'dynamic-import': false },
  });
  const loader = readFileSync(new URL('load-cached.cjs', import.meta.url));
  return [
    { name: 'program.cjs', contents: program },
    { name: 'main.cjs', contents: loader },
  ];
}

async function bundle(entryPoint, options) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entryPoint],
    outfile: join(root, 'bundle.js'),
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    legalComments: 'none',
    // Half the size is parsed in half the time; names stay, for the stack of a bug report.
    minifyWhitespace: true,
    lineLimit: 200,
    logLevel: 'warning',
    ...options,
  });
  return outputFiles[0].contents;
}

/** Written beside, then renamed: another run never meets half a file. */
function writeBeside(target, contents) {
  const unfinished = `${target}.${process.pid}.tmp`;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(unfinished, contents);
  utimesSync(unfinished, began, began);
  renameSync(unfinished, target);
}

/**
 * Every bundle has a folder of its own, named by its content; `link` is a symbolic link to the newest, replaced in one step.
 * Node resolves it once, at the start, so whatever a run loads or leaves there belongs to the bundle that it began with.
 */
function writeFolder(link, files) {
  const hash = createHash('sha256');
  for (const { name, contents } of files) hash.update(`${name} ${contents.length}\n`).update(contents);
  const target = `${link}-${hash.digest('hex').slice(0, 16)}`;
  const unfinished = `${link}.${process.pid}.tmp`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  for (const { name, contents } of files) writeFileSync(join(unfinished, name), contents);
  try {
    renameSync(unfinished, target);
  } catch (error) {
    // The same bundle is there already, perhaps from a run beside this one.
    if (!['EEXIST', 'ENOTEMPTY'].includes(error.code)) throw error;
    rmSync(unfinished, { recursive: true });
  }
  for (const path of [target, join(target, 'main.cjs')]) utimesSync(path, began, began);
  retire(link);
  symlinkSync(basename(target), unfinished);
  renameSync(unfinished, link);
  removeRetired(link, target);
}

/** Marks the folder that `link` leads to as used until now. */
function retire(link) {
  try {
    utimesSync(realpathSync(link), began, began);
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
}

function removeRetired(link, current) {
  const others = readdirSync(dirname(link))
    .filter((name) => name.startsWith(`${basename(link)}-`))
    .map((name) => join(dirname(link), name))
    .filter((path) => path !== current)
    .filter((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < began.getTime() - KEPT_MS);
  for (const path of others) rmSync(path, { recursive: true, force: true });
}
