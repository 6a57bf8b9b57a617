// Runs program.cjs beside it from V8's code cache: to compile the program anew would be half of its start. Node 22 could do this
// by itself (module.enableCompileCache), Node 20 cannot.
//
// Each command leaves what was compiled for it when it ends well and found nothing it could use. V8 takes no cache of another
// version of itself; that a cache is of this very program is what the folder stands for, which is named by its content.
'use strict';
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');
const { Script } = require('node:vm');

const filename = join(__dirname, 'program.cjs');
const command = /^[a-z]{1,20}$/.exec(process.argv[2] ?? '')?.[0] ?? 'any';
const cache = join(__dirname, `${command}.cache`);
// esbuild writes ASCII alone.
const source = `(function (exports, require, module, __programUrl) {${readFileSync(filename, 'latin1')}\n})`;
const cachedData = readCache();
const script = new Script(source, { filename, cachedData });
if (!cachedData || script.cachedDataRejected) process.on('exit', leaveCache);
const program = { exports: {} };
script.runInThisContext()(program.exports, require, program, pathToFileURL(filename).href);

function readCache() {
  try {
    return readFileSync(cache);
  } catch {
    return undefined;
  }
}

function leaveCache(exitCode) {
  if (exitCode !== 0) return;
  const unfinished = `${cache}.${process.pid}.tmp`;
  try {
    writeFileSync(unfinished, script.createCachedData());
    renameSync(unfinished, cache);
  } catch {
    // A checkout that cannot be written to starts without a cache each time.
  }
}
