# shellcheck shell=sh
# The two forms of the answer.
state_word() {
    case $STATE in
        0) printf healthy ;;
        1) printf attention ;;
        *) printf broken ;;
    esac
}

print_lines() {
    print_line product "$PRODUCT_NAME ${INSTALLED:-(not installed)}: $(state_word)"
    print_line mechanism "$PLACE"
    print_line escrow "${ESCROW:-no profile}"
    print_line filevault "$FILEVAULT"
    print_line secure-token "$(token_words)"
    print_line request "$REQUEST"
    print_line last-outcome "${OUTCOME:-none}${ATTEMPT:+, $ATTEMPT}${FAILURES:+, $FAILURES failures in a row}${FAILED_UID:+, last of user $FAILED_UID}"
    print_line last-rotation "${ROTATION:-none}"
    print_line guard "$GUARD${GUARD_RESULT:+, $GUARD_RESULT${GUARD_RUN:+ $GUARD_RUN}}${GUARD_ACTION:+, last action: $GUARD_ACTION $GUARD_ACTION_TIME}"
    print_checks print_check_line
}

print_line() {
    one_line "$2"
    printf '%s: %s\n' "$1" "$FLAT"
}

# shellcheck disable=SC2317 # called by print_checks
print_check_line() {
    case $2 in
        0) print_line "check $1" "ok, $3" ;;
        1) print_line "check $1" "attention, $3" ;;
        unknown) print_line "check $1" "no result, $3" ;;
        *) print_line "check $1" "broken, $3" ;;
    esac
}

# print_checks FUNCTION: called with ID LEVEL REASON for each check.
print_checks() {
    checks_rest=$CHECKS
    while [ -n "$checks_rest" ]; do
        check=${checks_rest%%"$NEWLINE"*}
        checks_rest=${checks_rest#*"$NEWLINE"}
        check_more=${check#* }
        "$1" "${check%% *}" "${check_more%% *}" "${check_more#* }"
    done
}

print_json() {
    printf '{"schema":1,"product":%s,"version":%s,"state":"%s"' "$(json "$PRODUCT_NAME")" "$(json_or_null "$INSTALLED")" "$(state_word)"
    printf ',"mechanism":{"place":"%s"}' "$PLACE"
    printf ',"bundle":{"state":"%s","detail":%s}' "$BUNDLE_STATE" "$(json "$BUNDLE_WHY")"
    printf ',"escrowLocation":%s,"fileVault":"%s","request":"%s"' "$(json_or_null "$ESCROW")" "$FILEVAULT" "$REQUEST"
    printf ',"lastOutcome":%s,"lastAttempt":%s' "$(json_or_null "$OUTCOME")" "$(json_or_null "$ATTEMPT")"
    printf ',"lastRotation":%s,"lastExitStatus":%s' "$(json_or_null "$ROTATION")" "$(json_number "$LAST_EXIT")"
    printf ',"consecutiveFailures":%s,"lastFailedUID":%s' "$(json_number "$FAILURES")" "$(json_number "$FAILED_UID")"
    printf ',"secureTokens":'
    print_tokens
    printf ',"guard":{"state":"%s","lastResult":%s,"lastRun":%s' "$GUARD" "$(json_or_null "$GUARD_RESULT")" "$(json_or_null "$GUARD_RUN")"
    printf ',"lastAction":%s,"lastActionTime":%s}' "$(json_or_null "$GUARD_ACTION")" "$(json_or_null "$GUARD_ACTION_TIME")"
    printf ',"checks":['
    check_comma=''
    print_checks print_check_json
    printf ']}\n'
}

# A user whose state is unknown has null for it; null alone: the users could not be listed.
print_tokens() {
    if [ "$TOKENS_KNOWN$TOKENS" = no ]; then
        printf null
        return
    fi
    token_comma='' tokens_rest=$TOKENS
    printf '['
    while [ -n "$tokens_rest" ]; do
        token=${tokens_rest%%"$NEWLINE"*}
        tokens_rest=${tokens_rest#*"$NEWLINE"}
        case ${token%% *} in
            yes) token_held=true ;;
            no) token_held=false ;;
            *) token_held=null ;;
        esac
        printf '%s{"user":%s,"held":%s}' "$token_comma" "$(json "${token#* }")" "$token_held"
        token_comma=,
    done
    printf ']'
}

token_words() {
    tokens_rest=$TOKENS token_line=''
    while [ -n "$tokens_rest" ]; do
        token=${tokens_rest%%"$NEWLINE"*}
        tokens_rest=${tokens_rest#*"$NEWLINE"}
        token_line="$token_line${token_line:+, }${token#* } ${token%% *}"
    done
    printf '%s' "${token_line:-unknown}"
}

# shellcheck disable=SC2317 # called by print_checks
print_check_json() {
    case $2 in
        0) check_status=pass check_level=0 ;;
        unknown) check_status=skipped check_level=1 ;;
        *) check_status=fail check_level=$2 ;;
    esac
    printf '%s{"id":"%s","status":"%s","level":%s,"reason":%s}' "$check_comma" "$1" "$check_status" "$check_level" "$(json "$3")"
    check_comma=,
}
