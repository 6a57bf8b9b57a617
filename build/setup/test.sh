#!/bin/sh
# Runs the tests after making sure of what they need: npm test [-- vitest arguments].
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_tests
cd "$ROOT"
exec node node_modules/vitest/vitest.mjs run "$@"
