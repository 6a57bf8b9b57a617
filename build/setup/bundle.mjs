// Bundles a TypeScript entry point and all it imports, because Node 20 runs no TypeScript.
//
// bundle.mjs ROOT ENTRY OUTFILE  into one file
// bundle.mjs ROOT                the command line, twice: .build/cli/main.mjs loads the files beside it where they are used, so
//                                it starts sooner; .build/cli.mjs, also one-file.mjs there, is what `parts` hands on
import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
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

/** How long a bundle stays that another has replaced: a run that waits for the notary may yet load a part of it. */
const KEPT_MS = 2 * 24 * 60 * 60 * 1000;

const [folder = '.', entry, outfile] = process.argv.slice(2);
const root = resolve(folder);
// A source that is changed while it is bundled must be newer than the bundle.
const began = new Date();
if (entry) writeBeside(join(root, outfile), await bundleInOne(entry));
else await bundleCommandLine();

async function bundleCommandLine() {
  const [oneFile, files] = await Promise.all([bundleInOne('build/cli.ts'), bundleInParts('build/cli.ts')]);
  writeBeside(join(root, '.build/cli.mjs'), oneFile);
  writeFolder(join(root, '.build/cli'), [...files, { name: 'one-file.mjs', contents: oneFile }]);
}

async function bundleInOne(entryPoint) {
  const { outputFiles } = await bundle({ entryPoints: [entryPoint], outfile: join(root, 'bundle.mjs') });
  return outputFiles[0].contents;
}

async function bundleInParts(entryPoint) {
  const { outputFiles } = await bundle({
    entryPoints: [{ in: entryPoint, out: 'main' }],
    outdir: root,
    splitting: true,
    outExtension: { '.js': '.mjs' },
  });
  return outputFiles.map(({ path, contents }) => ({ name: basename(path), contents }));
}

function bundle(options) {
  return build({
    absWorkingDir: root,
    bundle: true,
    write: false,
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
    ...options,
  });
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
 * Node resolves it once, at the start, so a run only ever loads parts of the bundle that it began with.
 */
function writeFolder(link, files) {
  const hash = createHash('sha256');
  for (const { name, contents } of files) hash.update(`${name} ${contents.length}\n`).update(contents);
  const target = `${link}-${hash.digest('hex').slice(0, 16)}`;
  const unfinished = `${link}.${process.pid}.tmp`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished);
  for (const { name, contents } of files) writeFileSync(join(unfinished, name), contents);
  try {
    renameSync(unfinished, target);
  } catch (error) {
    // The same bundle is there already, perhaps from a run beside this one.
    if (!['EEXIST', 'ENOTEMPTY'].includes(error.code)) throw error;
    rmSync(unfinished, { recursive: true });
  }
  for (const path of [target, join(target, 'main.mjs')]) utimesSync(path, began, began);
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
