#!/bin/sh
# Runs the command line after making sure of what its command needs: npm start, npm run cli, npx escrow-buddy.
set -eu
# npx calls this file through a symbolic link.
if [ -L "$0" ]; then exec sh "$(readlink -f -- "$0")" "$@"; fi
# shellcheck source=build/setup/ensure.sh
. "$(dirname -- "$0")/ensure.sh"

# Ctrl-C while something is fetched or bundled: the last line is the command that goes on.
AGAIN=$(typed_again "$@")
trap 'interrupted' INT TERM HUP
ensure_node
case ${1:-} in
  release | build | parts)
    case " $* " in
      *' --help '* | *' -h '*) ;;
      *) ensure_compiler ;;
    esac
    ;;
esac
ensure_modules
ensure_cli

# npm runs scripts in the project's folder; files named by the person are relative to where they typed.
case ${npm_lifecycle_event:-} in
  start | cli) cd "${INIT_CWD:-.}" ;;
esac
# Node 22 and later keep what they compiled of the program; Node 20 takes no notice.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$ROOT/.build/compile-cache}"
# Deflating keeps every core busy: with fewer threads than cores some are idle, with more they hold up the one that reads and writes.
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null) || cores=4
[ "$cores" -ge 2 ] || cores=2
[ "$cores" -le 16 ] || cores=16
export UV_THREADPOOL_SIZE="${UV_THREADPOOL_SIZE:-$cores}"
trap - INT TERM HUP
# Node lets young objects take 48 MiB; a quarter is as fast, and 20,000 files take 20 MiB less. Of the four threads that compile
# what runs often two are enough: more hold up the one that runs it.
exec node --max-semi-space-size=4 --v8-pool-size=2 "$ROOT/.build/cli.mjs" "$@"
