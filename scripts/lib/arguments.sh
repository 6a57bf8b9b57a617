# shellcheck shell=sh
# How a script is called. A word it does not know ends it before anything was done: nobody who looks for help changes a Mac.

# take_no_arguments USAGE "$@": ends the script for any argument; --help is not a mistake.
take_no_arguments() {
    USAGE=$1
    shift
    case $#:${1:-} in
        0:) return 0 ;;
        1:--help | 1:-h) show_usage ;;
        *) refuse_arguments ;;
    esac
}

# take_installer_arguments USAGE "$@": none, or what Installer gives: the package, the place on the target, the target, the root.
take_installer_arguments() {
    USAGE=$1
    shift
    case $#:${1:-} in
        0:) return 0 ;;
        1:--help | 1:-h) show_usage ;;
        [012]:* | *:-*) refuse_arguments ;;
    esac
    case $3 in /*) ;; *) refuse_arguments ;; esac
}

show_usage() {
    printf '%s\n' "$USAGE"
    exit 0
}

refuse_arguments() {
    printf '%s\n' "$USAGE" >&2
    exit 64
}
