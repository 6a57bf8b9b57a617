#!/bin/sh
# Measures what the README promises: npm run bench [-- names].
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_node
ensure_compiler
ensure_modules
ensure_cli
cd "$ROOT"
node build/setup/bundle.mjs "$ROOT" test/bench/main.ts .build/bench.mjs
node build/setup/bundle.mjs "$ROOT" test/bench/packages/package-one.ts .build/bench-package.mjs
node build/setup/bundle.mjs "$ROOT" test/bench/packages/sign-one.ts .build/bench-sign.mjs
exec node .build/bench.mjs "$@"
