#!/bin/sh
# Types, lint and format: npm run check.
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

takes_nothing 'npm run check' "$@"
ensure_node
ensure_modules
cd "$ROOT"
node node_modules/typescript/bin/tsc --noEmit
node node_modules/@biomejs/biome/bin/biome check --error-on-warnings .
if command -v shellcheck >/dev/null 2>&1; then
  # The stand-ins for Apple's tools bear the names of those.
  git ls-files '*.sh' '*.bash' .ci/run test/github/fake-mac/standin test/support/apple-tools/bin test/support/apple-tools/developer |
    xargs shellcheck -x
else
  say 'check: shell scripts were not linted: shellcheck is missing (npm test installs it)'
fi
