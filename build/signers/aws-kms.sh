#!/bin/sh
# Signs a digest with an RSA key in AWS KMS, for signing.externalSigner: aws-kms.sh KEY-ID-OR-ARN
#
# Reads {"schema":1,"hash":"sha256","digest":"<hex>"} on standard input, prints the PKCS #1 v1.5 signature in base64. The AWS
# command line finds its credentials itself: short-lived ones of a job's OIDC role, none of them stored.
# Source: AWS CLI command reference, kms sign: MessageType DIGEST takes the hash as it is, RAW would hash it again.
set -eu
[ $# -eq 1 ] || { printf 'use: aws-kms.sh KEY-ID-OR-ARN\n' >&2 && exit 2; }
digest=$(sed -n 's/^{"schema":1,"hash":"sha256","digest":"\([0-9a-f]\{64\}\)"}$/\1/p')
[ -n "$digest" ] || { printf 'aws-kms.sh: expected one SHA-256 digest on standard input\n' >&2 && exit 2; }
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
# The digest as bytes: awk says each as an octal escape, which printf knows everywhere.
escapes=$(printf '%s' "$digest" | awk '{
  digits = "0123456789abcdef"
  for (at = 1; at < length($0); at += 2) {
    value = (index(digits, substr($0, at, 1)) - 1) * 16 + index(digits, substr($0, at + 1, 1)) - 1
    printf "\\%03o", value
  }
}')
# shellcheck disable=SC2059 # the format is the escapes
printf "$escapes" >"$folder/digest"
aws kms sign --key-id "$1" --message-type DIGEST --message "fileb://$folder/digest" \
  --signing-algorithm RSASSA_PKCS1_V1_5_SHA_256 --query Signature --output text
