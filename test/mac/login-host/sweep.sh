#!/bin/sh
# Plays failing calls against the plugin: every call of every import in every scenario, or a seeded sample.
#
#   sweep.sh full   [SLICE [PLUGIN]]          SLICE: x86_64 (default) or arm64, which runs under qemu-user on another machine
#   sweep.sh sample [SLICE [PLUGIN]]          2000 runs; SEED=number for another draw
#
# PLUGIN is a Mach-O file, thin or fat; without it the sources are compiled as payload/plugin/build.json says.
# Prints JSON lines: a broken rule each, and a summary for each of the two processes. Exits with 1 when a rule was broken.
set -eu

mode=${1:?usage: sweep.sh full|sample [SLICE [PLUGIN]]}
slice=${2:-x86_64}
plugin=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

setting() { # JavaScript expression over build.json
    node -p "const b = JSON.parse(require('fs').readFileSync('$root/payload/plugin/build.json', 'utf8')); const a = b.architectures.find((a) => a.name === '$slice'); $1"
}

compile_plugin() {
    linker=$(command -v ld64.lld || find /usr/bin -name "ld64.lld-*" | head -n 1)
    cd "$root/payload/plugin"
    mkdir "$work/objects"
    for source in $(setting 'b.sources.join(" ")'); do
        # shellcheck disable=SC2046
        clang --target="$(setting a.target)" $(setting 'b.compilerFlags.join(" ")') -nostdinc -isystem "$(setting b.stubHeaders)" -c "$source" -o "$work/objects/${source%.c}.o"
    done
    # shellcheck disable=SC2046
    "$linker" -arch "$slice" -platform_version macos "$(setting a.minimumMacOS)" "$(setting b.sdkVersion)" -bundle $(setting 'b.linkerFlags.join(" ")') -adhoc_codesign \
        -exported_symbol _AuthorizationPluginCreate "$work"/objects/*.o $(setting 'b.stubLibraries.join(" ")') -o "$work/plugin"
    plugin=$work/plugin
    cd "$root"
}

runner=
case "$slice $(uname -m)" in
'x86_64 x86_64' | 'arm64 aarch64' | 'arm64 arm64') ;;
arm64*) runner=qemu-aarch64 ;;
x86_64*) runner=qemu-x86_64 ;;
*) echo "no such slice: $slice" >&2 && exit 2 ;;
esac
[ -n "$plugin" ] || compile_plugin
sh "$here/build.sh" "$work" "$slice"

sweep() { # ARGUMENTS of the host
    # shellcheck disable=SC2086
    $runner "$work/login-host-$slice" --plugin "$plugin" --scenarios "$here/scenarios.json" --behaviours "$root/test/fixtures/fdesetup/behaviours.json" "$@"
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
