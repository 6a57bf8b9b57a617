import { chmodSync, mkdirSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { findLlvmProgram } from '../../src/toolchain/portable/llvm.ts';
import { findOnPath } from './needs.ts';

/** Beside the results of builds, so that one run of the tests keeps what the next one needs. */
const KEPT = resolve('.build/quick-compiler');

/**
 * Returns a PATH on which clang and the linker give again what the real ones made of the same arguments and the same bytes.
 *
 * For tests of what comes after the compiler: compiling both slices takes two seconds of the processor. What is kept lies under a
 * digest of the arguments, of every file of the sources' folder and of the compiler itself, and no failure is kept.
 *
 * @example cli(['parts', '--out', parts], { env: { PATH: quickCompiler() } })
 */
export function quickCompiler(): string {
  known ??= putBeforePath(process.env.PATH ?? '');
  return known;
}

let known: string | undefined;

function putBeforePath(path: string): string {
  if (!findOnPath('sha256sum')) return path;
  const [clang, linker] = ['clang', 'ld64.lld'].map(realOf);
  if (!clang || !linker) return path;
  // The folder's name tells the version, as that of the real ones does.
  const bin = join(KEPT, `llvm-${/\b(?:llvm|clang)[-@](\d+)/.exec(realpathSync(clang))?.[1] ?? '14'}`);
  mkdirSync(bin, { recursive: true });
  put(join(bin, 'clang'), clangScript(clang));
  put(join(bin, 'ld64.lld'), linkerScript(linker));
  return `${bin}${delimiter}${path}`;
}

function realOf(name: string): string | undefined {
  try {
    return findOnPath(findLlvmProgram(name));
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

/** Gives the files that are kept under `$key`, or runs the real program and keeps what `keep_in` picks when it succeeds. */
const GIVE_OR_MAKE = `kept='${KEPT}'/$key
if [ -d "$kept" ]; then exec cp "$kept"/* .; fi
"$real" "$@"
mkdir "$kept.$$"
keep_in "$kept.$$"
mv -T "$kept.$$" "$kept" 2>/dev/null || rm -rf "$kept.$$"
`;

const clangScript = (real: string) => `#!/bin/sh
set -eu
real='${real}'
keep_in() { cp ./*.o "$1"; }
folder=
for word; do
  case $word in -ffile-prefix-map=*=.) folder=\${word#*=} folder=\${folder%=.} ;; esac
done
# A question for its version, or a call of somebody else.
[ -n "$folder" ] || exec "$real" "$@"
key=$({
  printf '%s\\n' "$real" "$@" | sed "s|$folder|.|g"
  cd "$folder" && find . -type f -exec sha256sum {} + | LC_ALL=C sort
} | sha256sum | cut -c 1-32)
${GIVE_OR_MAKE}`;

const linkerScript = (real: string) => `#!/bin/sh
set -eu
real='${real}'
keep_in() { cp "$output" "$1"; }
output= last=
for word; do
  if [ "$last" = -o ]; then output=$word; fi
  last=$word
done
[ -n "$output" ] || exec "$real" "$@"
key=$({
  printf '%s\\n' "$real"
  for word; do case $word in /*) sha256sum <"$word" ;; *) printf '%s\\n' "$word" ;; esac; done
  sha256sum ./*.o
} | sha256sum | cut -c 1-32)
${GIVE_OR_MAKE}`;
