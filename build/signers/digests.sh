#!/bin/sh
# What the scripts of this folder share about digests; read with `.`, also beside the key.
# shellcheck disable=SC2034 # the names in capitals are for who reads this
LC_ALL=C
export LC_ALL
readonly LINE_END='
'

# take_digests ROLE TEXT: puts digests of SHA-1 and SHA-256, between blanks or line ends, into DIGESTS; 1 where it is anything else, or
# more than MOST_DIGESTS, all that a release asks for of that key: one for each slice, or two for each package.
take_digests() {
  case $1 in application) MOST_DIGESTS=2 ;; *) MOST_DIGESTS=8 ;; esac
  shift
  DIGESTS='' digest_count=0
  case $1 in *[!0-9a-f\ "$LINE_END"]*) return 1 ;; esac
  for digest in $1; do
    case ${#digest} in 40 | 64) ;; *) return 1 ;; esac
    DIGESTS="$DIGESTS $digest" digest_count=$((digest_count + 1))
  done
  [ "$digest_count" -ge 1 ] && [ "$digest_count" -le "$MOST_DIGESTS" ]
}

# hash_of DIGEST: its algorithm, as openssl names it.
hash_of() {
  case ${#1} in 40) printf sha1 ;; *) printf sha256 ;; esac
}

# bytes_of DIGEST: the bytes that its digits say.
bytes_of() {
  left=$1
  while [ -n "$left" ]; do
    rest=${left#??}
    # shellcheck disable=SC2059 # the format is one octal escape
    printf "\\$(printf %03o "0x${left%"$rest"}")"
    left=$rest
  done
}
