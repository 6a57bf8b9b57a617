#!/bin/sh
# Makes the certificate that an MDM wants for escrow, on the computer of the admin: recovery keys are encrypted for it.
# In the folder where you are: escrow.cer to upload, escrow.key to keep. Whoever has escrow.key and its passphrase can read every
# recovery key; whoever loses them can read none.
# usage: escrow-certificate.sh [FILE whose first line is the passphrase]; without one openssl asks for it.
set -eu
umask 077

for name in escrow.key escrow.cer; do
    if [ -e "$name" ]; then
        printf '%s is already here: nothing was made. Move it to a safe place, or start this in another folder.\n' "$name" >&2
        exit 1
    fi
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' '[req]' 'prompt = no' 'distinguished_name = name' 'x509_extensions = use' \
    '[name]' 'CN = FileVault recovery key escrow' \
    '[use]' 'basicConstraints = critical, CA:FALSE' 'keyUsage = critical, keyEncipherment, dataEncipherment' \
    'subjectKeyIdentifier = hash' >"$work/settings"
set -- ${1:+-passout "file:$1"}
openssl req -x509 -newkey rsa:3072 -sha256 -days 3650 -config "$work/settings" -keyout "$work/escrow.key" -out "$work/escrow.pem" "$@"
openssl x509 -in "$work/escrow.pem" -outform DER -out "$work/escrow.cer"
mv "$work/escrow.key" "$work/escrow.cer" .
printf 'Made escrow.cer (upload it) and escrow.key (keep it offline, with its passphrase, in two places).\n'
