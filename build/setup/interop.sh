#!/bin/sh
# Tests against programs of others, which are installed first: npm run test:interop [-- vitest arguments].
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_tests
for program in go cargo python3; do
  command -v "$program" >/dev/null 2>&1 || stop "$program is missing; the programs of others are compiled with it." \
    'Debian, Ubuntu: sudo apt-get install -y golang cargo python3-venv (relic wants Go 1.20 or later, rcodesign Rust 1.78 or later)'
done
cd "$ROOT"
exec node node_modules/vitest/vitest.mjs run --config test/interop/vitest.config.ts "$@"
