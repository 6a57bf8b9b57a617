#!/bin/sh
# Compiles the login host for x86_64 and arm64 Linux, and, with the plugin's sources linked in, for this machine with AddressSanitizer and
# UndefinedBehaviorSanitizer.
#
#   build.sh OUTDIR [x86_64] [arm64]         writes OUTDIR/login-host-x86_64, OUTDIR/login-host-arm64; both when none is named
#   build.sh OUTDIR native PLUGIN_SOURCE_DIR  writes OUTDIR/login-host-native
#
# Needs clang and lld; for the other architecture Debian's cross libraries (libc6-dev-arm64-cross and libgcc-12-dev-arm64-cross, or -amd64-).
set -eu

here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: build.sh OUTDIR [x86_64] [arm64] | OUTDIR native PLUGIN_SOURCE_DIR}
shift
mkdir -p "$out"
: "${CLANG:=clang}"
warnings='-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -Wno-incomplete-setjmp-declaration'
# Not optimized: it compiles in half the time, and runs as fast, as most of its time is the kernel's.
flags="-std=gnu11 -O0 -g1 -fno-common $warnings"

build_slice() { # NAME TARGET
    # shellcheck disable=SC2086
    "$CLANG" --target="$2" $flags -static -fuse-ld=lld "$here"/*.c -o "$out/login-host-$1"
}

# The plugin's own code keeps Darwin's headers; its imports are renamed to the stand-ins, as the loader does for a Mach-O.
build_native() { # PLUGIN_SOURCE_DIR
    sanitize='-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer'
    objects="$out/native"
    rm -rf "$objects"
    mkdir -p "$objects"
    sed -n 's/^FUNCTION(\([A-Za-z0-9_]*\), "_\([A-Za-z0-9_$]*\)".*/\2 standin_\1/p; s/^DATA(\([A-Za-z0-9_]*\), "_\([A-Za-z0-9_$]*\)".*/\2 standin_\1/p' \
        "$here/imports.def" >"$objects/names"
    for source in "$1"/*.c; do
        object="$objects/$(basename "$source" .c).o"
        # shellcheck disable=SC2086
        "$CLANG" -std=c11 -O1 -g1 -ffreestanding -nostdlibinc -isystem "$1/sdk/include" -fno-builtin -fno-stack-protector $sanitize -c "$source" -o "$object"
        "${OBJCOPY:-objcopy}" --redefine-syms="$objects/names" "$object"
    done
    # shellcheck disable=SC2086
    "$CLANG" $flags -DLOGIN_HOST_NATIVE $sanitize "$here"/*.c "$objects"/*.o -o "$out/login-host-native"
}

if [ "${1:-}" = native ]; then
    build_native "${2:?the plugin\'s source directory}"
    exit
fi
[ $# -gt 0 ] || set -- x86_64 arm64
for slice; do
    case $slice in
    x86_64) build_slice x86_64 x86_64-linux-gnu ;;
    arm64) build_slice arm64 aarch64-linux-gnu ;;
    *) echo "no such slice: $slice" >&2 && exit 2 ;;
    esac
done
