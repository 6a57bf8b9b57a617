# shellcheck shell=sh
# Every line goes to standard output and to the system log.
say() {
    printf '%s\n' "$PRODUCT_NAME: ${1:-(no message)}"
    quietly 10 /usr/bin/logger -t "$DOMAIN" -p user.notice -- "${1:-(no message)}" || :
}

fail() {
    say "$1"
    exit 1
}

require_root() {
    [ "$(/usr/bin/id -u)" = 0 ] || fail "This needs root. Run it again with sudo; nothing was changed."
}
