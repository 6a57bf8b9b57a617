#!/bin/sh
# Changes honest inputs of every reader at random: npm run fuzz [-- READER ...] [--seconds N] [--seed N].
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_node
ensure_modules
cd "$ROOT"
node build/setup/bundle.mjs "$ROOT" test/fuzz/main.ts .build/fuzz.mjs
exec node .build/fuzz.mjs "$@"
