#!/bin/sh
# Has a key in a service sign digests, and writes a signature a line, in base64, for check-signatures.sh.
#
# key-service.sh --service aws|azure --role application|installer --project FOLDER --digests 'DIGEST...' --out FILE
#
# For a job of GitHub Actions that may ask for a token (id-token: write) and holds nothing else: no secret, and no code of npm runs
# on its machine. What leaves is the token, to the service's own address, and digests.
# The key is that of release.config.json in the checkout; AWS_ROLE_ARN, or AZURE_CLIENT_ID and AZURE_TENANT_ID, say
# as whom. Needs curl, jq, and aws or az, as the images of GitHub have them.
# Sources: GitHub, "OpenID Connect reference" (request of a token); AWS CLI, "Assume role with web identity"; Azure CLI, az login.
set -eu
umask 077
# shellcheck source=build/signers/digests.sh
. "$(dirname -- "$0")/digests.sh"

fail() {
  printf 'key-service: %s\n' "$1" >&2
  exit "${2:-2}"
}

service='' role='' project='' digests='' out=''
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || fail "$1 needs a value"
  case $1 in
    --service) service=$2 ;;
    --role) role=$2 ;;
    --project) project=$2 ;;
    --digests) digests=$2 ;;
    --out) out=$2 ;;
    *) fail "unknown option $1" ;;
  esac
  shift 2
done
case $service in
  aws) script=build/signers/aws-kms.sh audience=sts.amazonaws.com ;;
  azure) script=build/signers/azure-key-vault.sh audience=api://AzureADTokenExchange ;;
  *) fail 'use: key-service.sh --service aws|azure --role ROLE --project FOLDER --digests DIGESTS --out FILE' ;;
esac
case $role in application | installer) ;; *) fail '--role is application or installer' ;; esac
[ -n "$out" ] || fail '--out is missing'
[ ! -e "$out" ] || fail "$out is there already and was left unchanged: move it away, or name another file"

# matches VALUE PATTERN: one line, and all of it.
matches() {
  [ "$(printf '%s' "$1" | wc -l)" -eq 0 ] && printf '%s' "$1" | grep -qxE -- "$2"
}

take_digests "$role" "$digests" || fail "--digests is not from 1 to $MOST_DIGESTS digests of SHA-256"
for digest in $DIGESTS; do
  [ "$(hash_of "$digest")" = sha256 ] || fail '--digests must be SHA-256: no key service signs SHA-1'
done

config=$project/release.config.json
# shellcheck disable=SC2016 # names of jq
key=$(jq -er --arg role "$role" --arg script "$script" \
  '.signing.externalSigner[$role].command | select(length == 3 and .[0] == "sh" and .[1] == $script) | .[2]' "$config") ||
  fail "release.config.json: externalSigner.$role.command is not sh, $script and a key"

folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT

# The token goes into a file that only this account can read, never into an argument.
fetch_token() {
  if [ -z "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || [ -z "${ACTIONS_ID_TOKEN_REQUEST_TOKEN:-}" ]; then
    fail 'this job may not ask for a token: it lacks id-token: write'
  fi
  matches "$ACTIONS_ID_TOKEN_REQUEST_URL" 'https://[A-Za-z0-9.:-]+/[A-Za-z0-9./?=&_%-]*' ||
    fail 'ACTIONS_ID_TOKEN_REQUEST_URL is not an address'
  matches "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" '[A-Za-z0-9._~+/=-]+' || fail 'ACTIONS_ID_TOKEN_REQUEST_TOKEN is not a token'
  {
    printf 'url = "%s&audience=%s"\n' "$ACTIONS_ID_TOKEN_REQUEST_URL" "$audience"
    printf 'header = "Authorization: Bearer %s"\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN"
  } | curl --disable --silent --show-error --fail --proto '=https' --max-time 60 --retry 3 --config - --output "$folder/answer" ||
    fail 'GitHub gave no token' 5
  unset ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL
  jq -erj .value "$folder/answer" >"$folder/token" || fail "GitHub's answer holds no token" 5
}

# Who is asked is settled by the address of the key, so a variable that somebody changed reaches no other place.
enter_aws() {
  matches "$key" 'arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+' || fail "externalSigner.$role: $key is not the address of a KMS key"
  matches "${AWS_ROLE_ARN:-}" 'arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+' ||
    fail 'the variable AWS_ROLE_ARN is not the ARN of a role'
  AWS_REGION=$(printf '%s' "$key" | cut -d : -f 4)
  AWS_WEB_IDENTITY_TOKEN_FILE=$folder/token AWS_ROLE_SESSION_NAME=escrow-buddy-$role
  AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=''
  export AWS_REGION AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_SESSION_NAME
  export AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_EC2_METADATA_DISABLED AWS_PAGER
}

enter_azure() {
  matches "$key" 'https://[A-Za-z0-9-]+\.vault\.azure\.net/keys/[A-Za-z0-9-]+(/[0-9a-f]+)?' ||
    fail "externalSigner.$role: $key is not the address of a key in a vault"
  for id in "${AZURE_CLIENT_ID:-}" "${AZURE_TENANT_ID:-}"; do
    matches "$id" '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}' ||
      fail 'the variables AZURE_CLIENT_ID and AZURE_TENANT_ID are not two identifiers'
  done
  AZURE_CONFIG_DIR=$folder/azure AZURE_CORE_COLLECT_TELEMETRY=no
  export AZURE_CONFIG_DIR AZURE_CORE_COLLECT_TELEMETRY
  az login --service-principal --username "$AZURE_CLIENT_ID" --tenant "$AZURE_TENANT_ID" \
    --federated-token "@$folder/token" --allow-no-subscriptions --output none || fail 'Azure refused the token' 4
}

fetch_token
"enter_$service"
for digest in $DIGESTS; do
  signature=$(printf '{"schema":1,"hash":"sha256","digest":"%s"}\n' "$digest" | sh "$project/$script" "$key") ||
    fail "the service did not sign $digest" 4
  matches "$signature" '[A-Za-z0-9+/]{340,700}={0,2}' || fail "the service printed no signature for $digest" 4
  printf '%s\n' "$signature"
done >"$folder/signatures"
cp -- "$folder/signatures" "$out"
