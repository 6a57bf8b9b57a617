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
    print_line request "$REQUEST"
    print_line last-outcome "${OUTCOME:-none}${ATTEMPT:+, $ATTEMPT}${FAILURES:+, $FAILURES failures in a row}"
    print_line last-rotation "${ROTATION:-none}"
    print_line guard "$GUARD${GUARD_RESULT:+, $GUARD_RESULT${GUARD_RUN:+ $GUARD_RUN}}${GUARD_ACTION:+, last action: $GUARD_ACTION $GUARD_ACTION_TIME}"
    print_checks print_check_line
}

print_line() {
    one_line "$2"
    printf '%s: %s\n' "$1" "$ONE_LINE"
}

# shellcheck disable=SC2317 # called by print_checks
print_check_line() {
    case $2 in
        0) print_line "check $1" "ok, $3" ;;
        1) print_line "check $1" "attention, $3" ;;
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
    printf ',"consecutiveFailures":%s' "$(json_number "$FAILURES")"
    printf ',"guard":{"state":"%s","lastResult":%s,"lastRun":%s' "$GUARD" "$(json_or_null "$GUARD_RESULT")" "$(json_or_null "$GUARD_RUN")"
    printf ',"lastAction":%s,"lastActionTime":%s}' "$(json_or_null "$GUARD_ACTION")" "$(json_or_null "$GUARD_ACTION_TIME")"
    printf ',"checks":['
    check_comma=''
    print_checks print_check_json
    printf ']}\n'
}

# shellcheck disable=SC2317 # called by print_checks
print_check_json() {
    case $2 in
        0) check_status=pass ;;
        *) check_status=fail ;;
    esac
    printf '%s{"id":"%s","status":"%s","level":%s,"reason":%s}' "$check_comma" "$1" "$check_status" "$2" "$(json "$3")"
    check_comma=,
}

json_or_null() {
    if [ -n "$1" ]; then json "$1"; else printf null; fi
}

json_number() {
    case $1 in
        '' | *[!0-9]* | 0?*) printf null ;;
        *) printf '%s' "$1" ;;
    esac
}

json() {
    one_line "$1"
    json_rest=$ONE_LINE
    printf '"'
    while :; do
        case $json_rest in *[\"\\]*) ;; *) break ;; esac
        json_part=${json_rest%%[\"\\]*}
        json_rest=${json_rest#"$json_part"}
        printf '%s\\%s' "$json_part" "${json_rest%"${json_rest#?}"}"
        json_rest=${json_rest#?}
    done
    printf '%s"' "$json_rest"
}

# one_line TEXT sets ONE_LINE to TEXT with every control character replaced by a space.
one_line() {
    ONE_LINE='' line_rest=$1
    while :; do
        case $line_rest in *[[:cntrl:]]*) ;; *) break ;; esac
        ONE_LINE="$ONE_LINE${line_rest%%[[:cntrl:]]*} "
        line_rest=${line_rest#*[[:cntrl:]]}
    done
    ONE_LINE=$ONE_LINE$line_rest
}
