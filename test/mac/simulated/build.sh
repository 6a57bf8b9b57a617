#!/bin/sh
# Builds the simulated Mac's programs and its read-only folders (bin, sbin, usr), and prints the folder they lie in.
#
# usage: build.sh FOLDER
# They go to FOLDER/<hash of the sources>, which appears at once and whole: tests that start together do not disturb
# each other, and nothing is done when it is there.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
hash=$( (command -v musl-gcc; cat "$here"/*.[ch] "$here"/standins/*.[ch] "$here/build.sh") | cksum | cut -d ' ' -f 1)
target=${1:?usage: build.sh FOLDER}/$hash

if [ -d "$target" ]; then
  printf '%s\n' "$target"
  exit 0
fi
folder=$target.$$
mkdir -p "$folder"
trap 'rm -rf "$folder"' EXIT

# musl where it is installed (Debian: musl-tools): glibc asks the processor some sixty questions at each start, which
# takes 0.3 ms on a virtual machine, three quarters of a stand-in's life.
compiler=${CC:-$(command -v musl-gcc || printf cc)}
compile() {
  name=$1
  shift
  # Static: no loader to run. Where no static libc is installed, dynamic works as well.
  "$compiler" -D_GNU_SOURCE -std=c11 -O2 -static -o "$folder/$name" "$@" 2>"$folder/errors" ||
    cc -D_GNU_SOURCE -std=c11 -O2 -o "$folder/$name" "$@"
}
compile standin "$here"/standins/*.c
compile run-in-root "$here/enter-root.c" "$here/run-in-root.c" "$here/virtual-time.c"
compile serve "$here/enter-root.c" "$here/serve.c" "$here/virtual-time.c" "$here"/standins/plist*.c "$here/standins/seal.c" "$here/standins/signer.c" "$here/standins/sha256.c"

# The Mac's own places. What stands nowhere here does not exist: timeout, realpath, flock, python3, jq.
place() {
  where=$folder/base/$1
  shift
  mkdir -p "$where"
  for name in "$@"; do
    ln "$folder/standin" "$where/$name"
  done
}
place bin cat chmod cp date dd echo expr kill launchctl ln ls mkdir mv ps pwd rm rmdir sleep sync test
place usr/bin awk basename chgrp cksum cmp codesign comm curl cut defaults diff dirname dscl env false fdesetup file find grep head \
  id logger mkfifo mktemp od paste plutil printf profiles readlink security sed shasum sort stat sw_vers tail tee touch tr true uname uniq wc xargs
place usr/sbin chown installer pkgutil spctl sysadminctl sysctl
place usr/libexec PlistBuddy
mkdir "$folder/base/sbin"
for shell in dash bash zsh; do
  ln -s "/.host/bin/$shell" "$folder/base/bin/$shell"
done
# As on a Mac, where this link says which shell /bin/sh is.
ln -s /private/var/select/sh "$folder/base/bin/sh"
ln -s /.host/lib "$folder/base/usr/lib"

# Another run may have been faster: then its folder is as good.
mv -T "$folder" "$target" 2>/dev/null || [ -d "$target" ]
printf '%s\n' "$target"
