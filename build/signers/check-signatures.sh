#!/bin/sh
# Checks what a key made before it leaves the job: takes signatures only if each is the one that the certificate's key gives of its
# digest, and writes certificate and signatures in the one form that `timestamp --signed` takes.
#
# check-signatures.sh --role application|installer --digests 'DIGEST...' --signatures FILE --out FILE
#
# To be run in the project's folder: the certificate is its certificates/ROLE.pem. A signature of PKCS #1 v1.5 is the only number
# below the modulus that fits a key and a digest, and it is written anew here: nothing that comes out could have been chosen.
# Source: RFC 8017, section 8.2.2; openssl-pkeyutl(1).
set -eu
umask 077
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
# shellcheck source=build/signers/digests.sh
. "$(dirname -- "$0")/digests.sh"

fail() {
  printf 'check-signatures: %s\n' "$1" >&2
  exit "${2:-2}"
}

role='' digests='' signatures='' out=''
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --role) role=$2 ;;
    --digests) digests=$2 ;;
    --signatures) signatures=$2 ;;
    --out) out=$2 ;;
    *) fail "unknown option $1" ;;
  esac
  shift 2
done
case $role in application | installer) ;; *) fail '--role is application or installer' ;; esac
take_digests "$role" "$digests" || fail "--digests is not from 1 to $MOST_DIGESTS digests of SHA-1 or SHA-256"
if [ ! -f "$signatures" ] || [ -L "$signatures" ]; then fail "there are no signatures at $signatures" 6; fi
[ -n "$out" ] || fail '--out is missing'
[ ! -e "$out" ] || fail "$out is there already and was left unchanged: move it away, or name another file"
certificate=certificates/$role.pem
[ -f "$certificate" ] || fail "there is no $certificate: docs/signing-keys.md says how it comes there"
leaf=$(openssl x509 -in "$certificate" -outform der | openssl base64 -A) || fail "$certificate holds no certificate in PEM"

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
openssl x509 -in "$certificate" -noout -pubkey >"$folder/key.pem"

# Writes one signature anew, in base64; 1 where it is not the one of its digest.
checked() {
  printf %s "$1" | openssl base64 -d -A >"$folder/signature"
  bytes_of "$2" >"$folder/digest"
  openssl pkeyutl -verify -pubin -inkey "$folder/key.pem" -in "$folder/digest" -sigfile "$folder/signature" \
    -pkeyopt rsa_padding_mode:pkcs1 -pkeyopt "digest:$(hash_of "$2")" >/dev/null 2>&1 || return 1
  openssl base64 -A -in "$folder/signature"
}

{
  printf '{"schema":1,"certificate":"%s","signatures":[' "$leaf"
  between=''
  for digest in $DIGESTS; do
    given=''
    IFS= read -r given <&3 || :
    anew=$(checked "$given" "$digest") || fail "the signature of $digest is not that of the key in $certificate" 6
    printf '%s\n' "$anew" >>"$folder/anew"
    printf '%s"%s"' "$between" "$anew"
    between=,
    # For whoever looks at the log: nothing else was signed.
    printf 'check-signatures: %s signed %s\n' "$role" "$digest" >&2
  done
  printf ']}\n'
} 3<"$signatures" >"$folder/signed.json"
# Bits of base64 that no byte comes from, a letter that is none, a byte behind: somebody tried to put something there.
cmp -s -- "$folder/anew" "$signatures" || fail "$signatures is not in the one form it has" 6
cp -- "$folder/signed.json" "$out"
