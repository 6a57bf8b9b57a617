# shellcheck shell=sh disable=SC2034
# Which users hold a SecureToken: only one who does can unlock FileVault or change its recovery key.

# look_at_tokens sets TOKENS, lines of "yes NAME", "no NAME" or "unknown NAME", and TOKENS_KNOWN.
look_at_tokens() {
    TOKENS='' TOKENS_KNOWN=yes tokens_held=0 tokens_asked=0 tokens_open=no
    if ! tokens_users=$(limited 10 /usr/bin/dscl . -list /Users UniqueID </dev/null 2>/dev/null); then
        TOKENS_KNOWN=no
        verdict secure-token unknown "the users of this Mac could not be listed"
        return
    fi
    tokens_users=$tokens_users$NEWLINE
    while [ -n "$tokens_users" ]; do
        look_at_user "${tokens_users%%"$NEWLINE"*}"
        tokens_users=${tokens_users#*"$NEWLINE"}
    done
    if [ "$tokens_held" -gt 0 ]; then
        verdict secure-token 0 "held by $tokens_held of $tokens_asked users"
    elif [ "$tokens_open" = yes ]; then
        verdict secure-token unknown "is not known of every user; run this again"
    else
        verdict secure-token 1 "no user holds a SecureToken, so no key can be rotated; let a user log in with the password, or give one a token (sysadminctl -secureTokenOn)"
    fi
}

# look_at_user LINE: name, spaces and number, as dscl lists them. Accounts of people begin at 500; twenty of them are enough.
look_at_user() {
    user_id=${1##*[[:space:]]}
    user_name=${1%"$user_id"}
    while :; do
        case $user_name in *[[:space:]]) user_name=${user_name%?} ;; *) break ;; esac
    done
    case $user_id in '' | *[!0-9]*) return ;; esac
    if [ -z "$user_name" ] || [ "$user_id" -lt 500 ] || [ "$tokens_asked" -ge 20 ]; then return; fi
    tokens_asked=$((tokens_asked + 1))
    user_token=unknown
    # One that does not answer in time will not for the next user either.
    if [ "$TOKENS_KNOWN" = yes ]; then ask_for_token "$user_name"; fi
    TOKENS="$TOKENS$user_token $user_name$NEWLINE"
}

# The first "Secure token is" is sysadminctl's own; the user's full name follows it, and may say anything.
ask_for_token() {
    token_answer=$(limited 5 /usr/sbin/sysadminctl -secureTokenStatus "$1" </dev/null 2>&1)
    [ "$?" != "$TIME_UP" ] || TOKENS_KNOWN=no
    case ${token_answer#*'Secure token is '} in
        "$token_answer") tokens_open=yes ;;
        'ENABLED for user'*)
            user_token=yes
            tokens_held=$((tokens_held + 1))
            ;;
        'DISABLED for user'*) user_token=no ;;
        *) tokens_open=yes ;;
    esac
}
