#!/bin/sh
# Types, lint and format: npm run check.
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_node
ensure_modules
cd "$ROOT"
node node_modules/typescript/bin/tsc --noEmit
node node_modules/@biomejs/biome/bin/biome check --error-on-warnings .
if command -v shellcheck >/dev/null 2>&1; then
  git ls-files 'build/setup/*.sh' 'build/signers/*.sh' 'scripts/*.sh' 'test/mac-runner/*.sh' '.ci/run' | xargs shellcheck -x
else
  say 'check: shell scripts were not linted: shellcheck is missing (npm test installs it)'
fi
