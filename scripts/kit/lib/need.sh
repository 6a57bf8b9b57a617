# shellcheck shell=sh
# Whether this package has to be installed: nothing there, not registered, or an older version.

install_is_needed() {
    find_version
    [ "$HAS_CODE" = yes ] || return 0
    find_entry
    [ "$ENTRY" != no ] || return 0
    version_is_older "$HAVE" "$VERSION"
}

# version_is_older ONE OTHER: by their numbers, x.y.z; what is not such a version is older than any.
version_is_older() {
    older_one=$1. older_other=$2.
    while [ -n "$older_other" ]; do
        older_a=${older_one%%.*} older_b=${older_other%%.*}
        older_one=${older_one#*.} older_other=${older_other#*.}
        case $older_a in
            '' | *[!0-9]* | 0?* | ??????????*) return 0 ;;
        esac
        [ "$older_a" -ge "$older_b" ] || return 0
        [ "$older_a" -le "$older_b" ] || return 1
    done
    return 1
}
