#!/bin/sh
# Prints figures about the source, of this checkout or of another: npm run figures [-- FOLDER].
set -eu
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

ensure_node
ensure_modules
exec node "$ROOT/build/figures/figures.mjs" "$@"
