#!/bin/sh
# Changes a finished package in more than 300 ways and prints which check of `verify` noticed each: npm run mutations.
# The source stays as it is; `npm run mutants` is what breaks that.
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

takes_nothing 'npm run mutations' "$@"
ensure_node
ensure_modules
ensure_compiler
ensure_cli
cd "$ROOT"
rm -rf .build/mutations
# Without the variables of a real release this is a rehearsal, whose keys can sign a changed package again.
env -i PATH="$PATH" HOME="$HOME" node .build/cli.mjs release --rehearsal --replace --out .build/mutations --json >/dev/null
node build/setup/bundle.mjs "$ROOT" test/mutation/print-table.ts .build/mutations.mjs
exec node .build/mutations.mjs "$ROOT" .build/mutations/*/*.pkg
