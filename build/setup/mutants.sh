#!/bin/sh
# Puts small faults into the source, one at a time, and sees whether a test notices: npm run mutants [-- FOLDER] [--whole].
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_tests
cd "$ROOT"
node build/setup/bundle.mjs "$ROOT" test/mutants/main.ts .build/mutants/main.mjs --packages-apart
for program in run-tests hooks; do
  node build/setup/bundle.mjs "$ROOT" "test/mutants/$program.ts" ".build/mutants/$program.mjs" --packages-apart
done
exec node .build/mutants/main.mjs "$@"
