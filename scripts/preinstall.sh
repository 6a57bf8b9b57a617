#!/bin/sh
# preinstall: looks only. The authorization database is left alone until the new bundle has been checked.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/arguments.sh
# @include lib/time-limit.sh
# @include lib/version.sh

take_installer_arguments "usage: preinstall [--help] | preinstall PACKAGE LOCATION TARGET ROOT
Looks whether $PRODUCT_NAME can be installed, and changes nothing; called by Installer." "$@"
TARGET=${3:-/}
[ "$TARGET" != / ] || TARGET=''

if [ -L "$TARGET$BUNDLE" ] || { [ -e "$TARGET$BUNDLE" ] && [ ! -d "$TARGET$BUNDLE" ]; }; then
    fail "$TARGET$BUNDLE is not a folder. Nothing was installed; look what it is, remove it, then install again."
fi
if [ -z "$TARGET" ]; then
    read_system_version
    if [ -n "$SYSTEM_VERSION" ] && ! version_at_most "$MINIMUM_MACOS" "$SYSTEM_VERSION.0.0"; then
        fail "macOS $MINIMUM_MACOS or later is needed, this is $SYSTEM_VERSION. Nothing was installed."
    fi
fi
exit 0
