#!/bin/sh
# Downloads the package and installs it, for systems that run scripts as root. Exit 0: it is installed now, or was before.
# Exit 1: nothing was installed, for the reason printed; the next run tries again.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/package.sh
# @include kit/lib/state.sh
# @include kit/lib/need.sh

fail() {
    printf 'Not installed: %s.\n' "$1"
    exit 1
}

# The first certificate of the chain names the team in parentheses.
team_of() {
    (limited 60 /usr/sbin/pkgutil --check-signature "$1" 2>/dev/null) |
        /usr/bin/sed -n 's/^ *1\. Developer ID Installer: .*(\([A-Z0-9]*\))$/\1/p'
}

if ! install_is_needed; then
    printf '%s %s is installed and registered.\n' "$PRODUCT_NAME" "$HAVE"
    exit 0
fi
[ -n "$PACKAGE_TEAM" ] || fail 'this kit was made of a package that nobody signed'
folder=$(/usr/bin/mktemp -d /private/tmp/escrow-buddy.XXXXXX) || fail 'no folder for the download can be made'
trap '/bin/rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
package=$folder/package.pkg
# Neither another protocol nor more bytes than the package has, wherever the address leads.
(limited 900 /usr/bin/curl --fail --silent --show-error --location --proto =https --proto-redir =https --tlsv1.2 --retry 3 \
    --max-filesize "$PACKAGE_BYTES" --output "$package" "$PACKAGE_URL" 2>&1) || fail "$PACKAGE_URL could not be downloaded"
digest=$(/usr/bin/shasum -a 256 "$package")
[ "${digest%% *}" = "$PACKAGE_DIGEST" ] || fail "what was downloaded is another file: SHA-256 ${digest%% *}"
team=$(team_of "$package")
[ "$team" = "$PACKAGE_TEAM" ] || fail "the package is signed by ${team:-nobody}, not by team $PACKAGE_TEAM"
(limited 900 /usr/sbin/installer -pkg "$package" -target / 2>&1) || fail 'Installer refused the package; see /var/log/install.log'
printf '%s %s was installed.\n' "$PRODUCT_NAME" "$VERSION"
exit 0
