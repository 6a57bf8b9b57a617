#!/bin/sh
# Audit of a custom script in Kandji (Iru). Exit 1 runs the remediation: no key was recorded for escrow, and none is asked for.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh

find_state
printf '%s\n' "$ANSWER"
[ ! -f /var/db/FileVaultPRK.dat ] || exit 0
case $ANSWER in Idle* | Rotated* | Unconfirmed*) exit 1 ;; esac
exit 0
