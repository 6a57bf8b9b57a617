#!/bin/sh
# Builds the simulated Mac's programs and its read-only folders (bin, sbin, usr).
#
# usage: build.sh FOLDER
# FOLDER gets `base/` and the programs beside it. Nothing is done when FOLDER is newer than the sources.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
folder=${1:?usage: build.sh FOLDER}
stamp=$folder/built

if [ -e "$stamp" ] && [ -z "$(find "$here" -name '*.[ch]' -newer "$stamp")" ] && [ ! "$0" -nt "$stamp" ]; then
  exit 0
fi
mkdir -p "$folder"

compile() {
  name=$1
  shift
  # Static: no loader to run, a start below a millisecond. Where no static libc is installed, dynamic works as well.
  "${CC:-cc}" -D_GNU_SOURCE -std=c11 -O2 -Wall -Wextra -static -o "$folder/$name.new" "$@" 2>"$folder/$name.log" ||
    "${CC:-cc}" -D_GNU_SOURCE -std=c11 -O2 -Wall -Wextra -o "$folder/$name.new" "$@"
  mv "$folder/$name.new" "$folder/$name"
}
compile standin "$here"/standins/*.c
compile run-in-root "$here/enter-root.c" "$here/run-in-root.c"
compile serve "$here/enter-root.c" "$here/serve.c" "$here"/standins/plist*.c "$here/standins/seal.c" "$here/standins/sha256.c"

# The Mac's own places. What stands nowhere here does not exist: `timeout`, `realpath`, `python3`, GNU tools.
rm -rf "$folder/base.new"
place() {
  where=$folder/base.new/$1
  shift
  mkdir -p "$where"
  for name in "$@"; do
    ln "$folder/standin" "$where/$name"
  done
}
place bin cat chmod cp date dd echo expr kill launchctl ln ls mkdir mv ps pwd rm rmdir sleep sync test
mkdir -p "$folder/base.new/sbin"
place usr/bin awk basename cksum cmp codesign comm cut defaults diff dirname env false fdesetup file find chgrp grep head id \
  logger mkfifo mktemp od paste plutil printf profiles security sed sort stat sw_vers tail tee touch tr true uname uniq wc xargs
place usr/sbin chown pkgutil spctl
place usr/libexec PlistBuddy
ln -s /.host/bin/dash "$folder/base.new/bin/dash"
ln -s /.host/bin/bash "$folder/base.new/bin/bash"
ln -s /.host/bin/zsh "$folder/base.new/bin/zsh"
# As on a Mac, where this link says which shell /bin/sh is.
ln -s /private/var/select/sh "$folder/base.new/bin/sh"
ln -s /.host/lib "$folder/base.new/usr/lib"
rm -rf "$folder/base"
mv "$folder/base.new" "$folder/base"
touch "$stamp"
