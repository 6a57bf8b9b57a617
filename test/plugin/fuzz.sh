#!/bin/sh
# Fuzzes value decoding, XML writing and scrubbing of the plug-in: fuzz.sh SECONDS, for each of the three.
# Starts from test/fixtures/fuzz; what it finds on the way is thrown away, except a crash, which is kept in .build and named.
# Needs clang with libFuzzer (Debian: libclang-rt-NN-dev).
set -eu
seconds=${1:?usage: fuzz.sh SECONDS}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(CDPATH='' cd -- "$here/../.." && pwd)
plugin=$root/payload/plugin
clang=${CLANG:-clang}
mkdir -p "$root/.build"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
for target in setting-value input-plist scrub; do
  mkdir "$work/$target"
  "$clang" -std=c11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I "$plugin" \
    "$here/native/fuzz-$target.c" "$plugin/setting-value.c" "$plugin/input-plist.c" "$plugin/scrub.c" \
    -o "$work/fuzz-$target"
  "$work/fuzz-$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
    -artifact_prefix="$root/.build/fuzz-$target-" "$work/$target" "$root/test/fixtures/fuzz/$target" >"$work/log" 2>&1 || {
    status=$?
    cat "$work/log"
    exit "$status"
  }
  printf '%s: %s runs, no crash\n' "$target" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
done
