#!/bin/sh
# Plays failing calls against the plugin: every call of every import in every scenario, or a seeded sample.
#
#   sweep.sh full   [SLICE [PLUGIN]]          SLICE: x86_64 (default) or arm64, which runs under qemu-user on another machine
#   sweep.sh sample [SLICE [PLUGIN]]          2000 runs; SEED=number for another draw
#
# PLUGIN is a Mach-O file, thin or fat; without it the package is built and its executable taken out.
# Prints JSON lines: a broken rule each, and a summary for each of the two processes. Exits with 1 when a rule was broken.
set -eu

mode=${1:?usage: sweep.sh full|sample [SLICE [PLUGIN]]}
slice=${2:-x86_64}
plugin=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The executable inside the package that this checkout builds.
packaged_plugin() {
    sh "$root/build/setup/run.sh" build --out "$work/out" >"$work/build.log"
    node "$root/.build/cli.mjs" expand "$work"/out/*/Escrow.Buddy-*.pkg "$work/package" >>"$work/build.log"
    plugin="$work/package/com.netflix.Escrow-Buddy.pkg/Payload/Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy"
}

runner=
case "$slice $(uname -m)" in
'x86_64 x86_64' | 'arm64 aarch64' | 'arm64 arm64') ;;
arm64*) runner=qemu-aarch64 ;;
x86_64*) runner=qemu-x86_64 ;;
*) echo "no such slice: $slice" >&2 && exit 2 ;;
esac
[ -n "$plugin" ] || packaged_plugin
sh "$here/build.sh" "$work" "$slice"

sweep() { # ARGUMENTS of the host
    # shellcheck disable=SC2086
    $runner "$work/login-host-$slice" --plugin "$plugin" --scenarios "$root/test/fixtures/login-host/scenarios.json" --behaviours "$root/test/fixtures/fdesetup/behaviours.json" "$@"
}

case $mode in
sample) sweep sample "${SEED:-1}" 2000 ;;
full)
    # Two processes; their lines do not mix, as each writes to a file of its own.
    sweep full 1/2 >"$work/first" &
    first=$!
    status=0
    sweep full 2/2 >"$work/second" || status=$?
    wait "$first" || status=$?
    grep -hv '"type":"swept"' "$work/first" "$work/second"
    exit "$status"
    ;;
*) echo "no such mode: $mode" >&2 && exit 2 ;;
esac
