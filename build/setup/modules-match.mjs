// Exits 0 when node_modules holds every package that package-lock.json names for this machine, in that version.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = process.argv[2] ?? '.';

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return undefined;
  }
}

function isForThisMachine(entry) {
  const allows = (list, value) =>
    !list || list.includes(value) || (list[0]?.startsWith('!') && !list.includes(`!${value}`));
  return allows(entry.os, process.platform) && allows(entry.cpu, process.arch);
}

const lock = readJson('package-lock.json');
// npm writes its own record last: without it, an installation was broken off, perhaps with half a package in place.
if (!lock || !readJson('node_modules/.package-lock.json')) process.exit(1);
for (const [path, entry] of Object.entries(lock.packages)) {
  if (path === '' || entry.link) continue;
  const installed = readJson(join(path, 'package.json'));
  // An optional package may be left out: made for another system or C library, or needed by such a package only.
  const optionalHere = entry.optional && (entry.libc || !(entry.os || entry.cpu) || !isForThisMachine(entry));
  if (!installed && optionalHere) continue;
  if (installed?.version !== entry.version) process.exit(1);
}
