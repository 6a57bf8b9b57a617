#!/bin/sh
# uninstallcheck_script of Munki. Exit 0: there is something to remove. Exit 1: there is not.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh

find_version
find_entry
[ -e "$BUNDLE" ] || [ "$HAS_CODE:$ENTRY" != no:no ] || exit 1
exit 0
