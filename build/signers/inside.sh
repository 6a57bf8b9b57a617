#!/bin/sh
# What runs beside a key: opens a .p12 and signs digests. sealed.sh starts it in a world that holds this shell, openssl and /out.
#
# inside.sh APPLICATION|INSTALLER DIGEST...
#
# Exit 3: the .p12 does not open. 4: it holds no key, or more than one. 5: the key signs no digest of that kind.
# Source: openssl-pkcs12(1), openssl-pkeyutl(1).
set -euf
umask 077
# shellcheck source=build/signers/digests.sh
. /digests.sh
cd /out
case $1 in
  APPLICATION) p12=$APPLICATION_P12_BASE64 PASSWORD=$APPLICATION_P12_PASSWORD ;;
  INSTALLER) p12=$INSTALLER_P12_BASE64 PASSWORD=$INSTALLER_P12_PASSWORD ;;
esac
shift
# An editor or `echo` ends a password with a line end that is not part of it.
carriage_return=$(printf '\r')
PASSWORD=${PASSWORD%"$LINE_END"}
PASSWORD=${PASSWORD%"$carriage_return"}
export PASSWORD

# Split at blanks and line ends, which a secret store may have put in, and printed without them.
# shellcheck disable=SC2086
(IFS=" $carriage_return$LINE_END	" && printf %s $p12) | /bin/openssl base64 -d -A >identity.p12

# open_p12 [-legacy]: with the ciphers of today, or those of Keychain Access.
open_p12() {
  /bin/openssl pkcs12 "$@" -in identity.p12 -passin env:PASSWORD -nocerts -nodes -out key.pem
}
open_p12 || open_p12 -legacy || exit 3
keys=0
while read -r line; do
  case $line in *'-----BEGIN '*) keys=$((keys + 1)) ;; esac
done <key.pem
[ "$keys" -eq 1 ] || exit 4
for digest in "$@"; do
  bytes_of "$digest" >bytes
  /bin/openssl pkeyutl -sign -inkey key.pem -in bytes -out signature \
    -pkeyopt rsa_padding_mode:pkcs1 -pkeyopt "digest:$(hash_of "$digest")" || exit 5
  /bin/openssl base64 -A -in signature
  printf '\n'
done >signatures
