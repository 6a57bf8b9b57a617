#!/bin/sh
# Prints the recovery key that was encrypted for escrow.cer, on the computer of the admin.
# usage: escrow-decrypt.sh FILE escrow.key [FILE whose first line is the passphrase]; FILE is what the MDM gives: DER, PEM or base64.
set -eu
umask 077

if [ $# -lt 2 ] || [ ! -f "$1" ] || [ ! -f "$2" ]; then
    printf 'usage: escrow-decrypt.sh FILE escrow.key [PASSPHRASE_FILE]\n' >&2
    exit 64
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# DER begins with a SEQUENCE of a long length, which no text does.
case $(od -An -tx1 -N2 "$1" | tr -d ' \n') in
    308?) cp "$1" "$work/message" ;;
    *) grep -v '^-----' "$1" | tr -d ' \t\r\n' | openssl base64 -d -A -out "$work/message" ;;
esac
key=$2
shift 2
set -- ${1:+-passin "file:$1"}
openssl cms -decrypt -inform DER -in "$work/message" -inkey "$key" "$@"
printf '\n'
