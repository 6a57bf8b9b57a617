import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { findLlvmProgram } from '../../src/toolchain/portable/llvm.ts';
import { findOnPath } from './needs.ts';
import { programStamp } from './program-stamp.ts';

/** Beside the results of builds, so that one run of the tests keeps what the next one needs. */
const KEPT = resolve('.build/quick-compiler');

/**
 * Returns a PATH on which clang and the linker give again what the real ones made of the same arguments and the same bytes.
 *
 * For tests of what comes after the compiler: compiling both slices takes two seconds of the processor. What is kept lies under a
 * digest of the arguments, of every file of the sources' folder, of the variables that compilers read and of the compiler itself with
 * its libraries; no failure is kept.
 *
 * @example cli(['parts', '--out', parts], { env: { PATH: quickCompiler() } })
 */
export function quickCompiler(): string {
  const path = process.env.PATH ?? '';
  const quick = known.get(path) ?? putBeforePath(path, KEPT);
  known.set(path, quick);
  // What has it already needs no second one.
  known.set(quick, quick);
  return quick;
}

const known = new Map<string, string>();

/**
 * Returns `path` with a folder before it whose clang and linker keep in `kept` what those on `path` make.
 *
 * @returns `path` itself where something is missing
 */
export function putBeforePath(path: string, kept: string): string {
  if (!findOnPath('sha256sum', path)) return path;
  const [clang, linker] = ['clang', 'ld64.lld'].map((name) => realOf(name, path));
  if (!clang || !linker) return path;
  const scripts = { clang: clangScript(clang, kept), 'ld64.lld': linkerScript(linker, kept) };
  // Another run of the tests may have another compiler on its PATH: each finds its own.
  const own = createHash('sha256').update(JSON.stringify(scripts)).digest('hex').slice(0, 16);
  // The folder's name tells the version, as that of the real ones does.
  const bin = join(kept, own, `llvm-${/\b(?:llvm|clang)[-@](\d+)/.exec(realpathSync(clang))?.[1] ?? '14'}`);
  mkdirSync(bin, { recursive: true });
  for (const [name, script] of Object.entries(scripts)) put(join(bin, name), script);
  return `${bin}${delimiter}${path}`;
}

function realOf(name: string, path: string): string | undefined {
  try {
    return findOnPath(findLlvmProgram(name, path), path);
  } catch {
    return undefined;
  }
}

/** Written beside, then renamed: another run of the tests may be starting it. */
function put(path: string, text: string): void {
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, text);
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, path);
}

/** Variables that change what clang or lld make. Source: clang's manual page, ENVIRONMENT, and lib/Driver of LLVM 14. */
const VARIABLES =
  'CPATH C_INCLUDE_PATH COMPILER_PATH CCC_OVERRIDE_OPTIONS SDKROOT SOURCE_DATE_EPOCH ZERO_AR_DATE'.split(' ');

/** Prints which program it is, and what it is told beside its arguments. */
const told = (real: string) => `cat <<'END'
${programStamp(real)}END
  printf '%s\\n' ${VARIABLES.map((name) => `"\${${name}-}"`).join(' ')}`;

/** Gives the files that are kept under `$key`, or runs the real program and keeps what `keep_in` picks when it succeeds. */
const giveOrMake = (folder: string) => `kept='${folder}'/$key
if [ -d "$kept" ]; then exec cp "$kept"/* .; fi
"$real" "$@"
rm -rf "$kept.$$"
mkdir "$kept.$$"
keep_in "$kept.$$"
mv -T "$kept.$$" "$kept" 2>/dev/null || rm -rf "$kept.$$"
`;

/** Asked a hundred times a run, for 30 ms of the processor each. The script's folder is named after the program that it stands for. */
const tellVersion = `if [ "$*" = --version ]; then
  [ -f "$0.version" ] || { "$real" --version >"$0.version.$$" && mv "$0.version.$$" "$0.version"; } || exec "$real" "$@"
  exec cat "$0.version"
fi
`;

const clangScript = (real: string, kept: string) => `#!/bin/sh
set -eu
real='${real}'
keep_in() { cp ./*.o "$1"; }
folder=
for word; do
  case $word in -ffile-prefix-map=*=.) folder=\${word#*=} folder=\${folder%=.} ;; esac
done
${tellVersion}# A call of somebody else.
[ -n "$folder" ] || exec "$real" "$@"
key=$({
  ${told(real)}
  printf '%s\\n' "$@" | sed "s|$folder|.|g"
  cd "$folder" && find -L . -type f -exec sha256sum {} + | LC_ALL=C sort
} | sha256sum | cut -c 1-32)
${giveOrMake(kept)}`;

const linkerScript = (real: string, kept: string) => `#!/bin/sh
set -eu
real='${real}'
keep_in() { cp "$output" "$1"; }
${tellVersion}output= last=
for word; do
  if [ "$last" = -o ]; then output=$word; fi
  last=$word
done
[ -n "$output" ] || exec "$real" "$@"
key=$({
  ${told(real)}
  for word; do if [ "$word" != "$output" ] && [ -f "$word" ]; then sha256sum <"$word"; else printf '%s\\n' "$word"; fi; done
} | sha256sum | cut -c 1-32)
${giveOrMake(kept)}`;
