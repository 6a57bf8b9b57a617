#!/bin/sh
# postinstall of the request package: asks for a new recovery key at the next login, for systems that can only push packages.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/arguments.sh
# @include lib/time-limit.sh
# @include lib/settings.sh

take_installer_arguments "usage: postinstall [--help] | postinstall PACKAGE LOCATION TARGET ROOT
Asks $PRODUCT_NAME for a new FileVault recovery key at the next login; called by Installer." "$@"
if [ "${3:-/}" != / ]; then
    say "A key can only be requested on the running system, not on $3: nothing was done. Install this package once that system runs."
    exit 0
fi
require_root
find_request
case $REQUEST in
    forced) fail "A profile sets GenerateNewKey, which nothing could clear afterwards. Take it out of the profile, then install this package again." ;;
    pending)
        say "A new recovery key was already requested; it will be made at the next login."
        exit 0
        ;;
esac
# Whether a key can be made is decided at the login: the plug-in, the escrow profile and FileVault may come after this package.
quietly 20 /usr/bin/defaults write "$LOCAL_SETTINGS.plist" GenerateNewKey -bool true
find_request
[ "$REQUEST" = pending ] || fail "The request could not be written to $LOCAL_SETTINGS.plist. Restart the Mac, then install this package again."
say "A new recovery key will be made at the next login (log out, or restart)."
exit 0
