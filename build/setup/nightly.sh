#!/bin/sh
# The long tests: full fault sweeps, fuzzing, kill tests. Hours on a small machine; each part prints its counts.
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

takes_nothing 'npm run nightly' "$@"
ensure_tests
cd "$ROOT"
# Tests that try a part of their cases by day try all of them.
export TEST_SWEEP=whole

failed=''
part() { # NAME COMMAND...
  name=$1
  shift
  say "nightly: $name"
  "$@" || failed="$failed $name"
}

part login-x86_64 sh test/mac/login-host/sweep.sh full x86_64
part login-arm64 sh test/mac/login-host/sweep.sh sample arm64
part scripts sh test/mac/simulated/sweep.sh full
part fuzzing sh test/plugin/fuzz.sh 60
# Others each night, as the seed is the day.
part mutants sh build/setup/mutants.sh --sample 200
part readers sh build/setup/fuzz.sh --seconds 300
# The tests of every day, with every case of their tables.
part tests node node_modules/vitest/vitest.mjs run
part long-tests node node_modules/vitest/vitest.mjs run --config test/nightly/vitest.config.ts

[ -z "$failed" ] || stop "nightly: failed:$failed"
say 'nightly: all parts passed'
