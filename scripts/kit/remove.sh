#!/bin/sh
# Removes the product in the right order: login entry first, bundle last. Exit 0: it is gone. Exit 1: it is not, see the message.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh

find_version
find_entry
if [ -x "$BUNDLE/Contents/Resources/uninstall.sh" ]; then
    "$BUNDLE/Contents/Resources/uninstall.sh"
    exit $?
fi
if [ ! -e "$BUNDLE" ] && [ "$ENTRY" = no ]; then
    printf 'Nothing is installed.\n'
    exit 0
fi
printf 'This version has no uninstaller of its own: push the Uninstall package. Nothing was changed.\n'
exit 1
