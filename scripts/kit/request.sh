#!/bin/sh
# Asks for a new recovery key at the next login. Exit 0: it is asked for. Exit 1: it cannot work here, see the message.
# Run it on Macs whose key is missing or invalid in the MDM, and on no others: each request makes a new key.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh
# @include kit/lib/request.sh

if request_key; then
    printf 'A new key will be made at the next login (log out, or restart).\n'
    exit 0
fi
printf 'Not requested: %s.\n' "$WHY_NOT"
exit 1
