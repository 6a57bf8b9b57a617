#!/bin/sh
# Prints one line: is a key on its way, made, or stuck, and why.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh

find_state
printf '%s\n' "$ANSWER"
exit 0
