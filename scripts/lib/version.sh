# shellcheck shell=sh
# Versions of macOS: one to three numbers with dots.
read_system_version() {
    SYSTEM_VERSION=$(/usr/bin/sw_vers -productVersion 2>/dev/null </dev/null) || SYSTEM_VERSION=''
    version_is_clean "$SYSTEM_VERSION" || SYSTEM_VERSION=''
}

version_is_clean() {
    case $1 in
        '' | .* | *. | *..* | *[!0-9.]* | *.*.*.*) return 1 ;;
    esac
}

# version_at_most A B: A <= B, comparing as many numbers as B has; so 26.2 is at most 26.
version_at_most() {
    version_a=$1. version_b=$2.
    while [ -n "$version_b" ]; do
        number_a=${version_a%%.*} number_b=${version_b%%.*}
        version_a=${version_a#*.} version_b=${version_b#*.}
        [ "${number_a:-0}" -le "$number_b" ] || return 1
        [ "${number_a:-0}" -eq "$number_b" ] || return 0
    done
}
