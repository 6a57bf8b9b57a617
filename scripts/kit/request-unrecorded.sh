#!/bin/sh
# Asks for a new recovery key where this Mac has never recorded one for escrow. Exit 0: asked for, or not needed. Exit 1: it
# cannot work here. For systems that cannot say which keys are missing; it cannot tell a recorded key that the MDM lost.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh
# @include kit/lib/request.sh

if [ -f /var/db/FileVaultPRK.dat ]; then
    printf 'A key was recorded for escrow on this Mac.\n'
    exit 0
fi
if request_key; then
    printf 'A new key will be made at the next login (log out, or restart).\n'
    exit 0
fi
printf 'Not requested: %s.\n' "$WHY_NOT"
exit 1
