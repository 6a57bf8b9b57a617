#!/bin/bash
# What every stand-in does, which is told its name by its file: what that tool does is done in main.ts, which serves all calls.
read -r port <"$DEVELOPER_DIR/stand-ins/port" || exit 97
exec 3<>"/dev/tcp/127.0.0.1/$port" || exit 97
input=
# The only one that reads what it is to do.
if [ "${0##*/} ${1-}" = 'security -i' ]; then IFS= read -r -d '' input; fi
printf '%s\0' "$#" "$PWD" "$input" "${0##*/}" "$@" >&3
IFS= read -r -d '' code <&3 || exit 97
IFS= read -r -d '' out <&3
IFS= read -r -d '' err <&3
printf '%s' "$out"
printf '%s' "$err" >&2
exit "$code"
