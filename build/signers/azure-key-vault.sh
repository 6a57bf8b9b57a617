#!/bin/sh
# Signs a digest with an RSA key in Azure Key Vault, for signing.externalSigner: azure-key-vault.sh KEY-ID
# KEY-ID is the key's address, such as https://VAULT.vault.azure.net/keys/NAME or with its version behind.
#
# Reads {"schema":1,"hash":"sha256","digest":"<hex>"} on standard input, prints the PKCS #1 v1.5 signature in base64. `az` is signed
# in by the job's OIDC federation, with nothing stored.
# Source: Key Vault REST reference, keys/sign: RS256 is RSASSA-PKCS1-v1_5 over a SHA-256 digest that the caller made.
set -eu
[ $# -eq 1 ] || { printf 'use: azure-key-vault.sh KEY-ID\n' >&2 && exit 2; }
digest=$(sed -n 's/^{"schema":1,"hash":"sha256","digest":"\([0-9a-f]\{64\}\)"}$/\1/p')
[ -n "$digest" ] || { printf 'azure-key-vault.sh: expected one SHA-256 digest on standard input\n' >&2 && exit 2; }
encoded=$(printf '%s' "$digest" | awk '{
  digits = "0123456789abcdef"
  letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  # Three hexadecimal digits are two letters of base64; 64 digits leave one over, which is two letters and an equals sign.
  for (at = 1; at <= length($0); at += 3) {
    value = 0
    for (more = 0; more < 3; more++) value = value * 16 + (at + more <= length($0) ? index(digits, substr($0, at + more, 1)) - 1 : 0)
    out = out substr(letters, int(value / 64) + 1, 1) substr(letters, value % 64 + 1, 1)
  }
  print substr(out, 1, 43) "="
}')
# The command line prints base64, the service behind it base64 of the other alphabet without an end: both are taken.
az keyvault key sign --id "$1" --algorithm RS256 --digest "$encoded" --query signature --output tsv | awk '{
  gsub(/-/, "+")
  gsub(/_/, "/")
  while (length($0) % 4 != 0) $0 = $0 "="
  print
}'
