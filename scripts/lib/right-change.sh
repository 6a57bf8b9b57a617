# shellcheck shell=sh disable=SC2034
# The only place that writes the right: read, plan, edit a copy, read again, write, read back, compare.
# Another tool's change inside the write call itself cannot be seen: authd has no compare-and-swap.

# change_right TASK (as plan_right): 0 when the right is as TASK wants it. CHANGED says what happened: changed, unchanged,
# refused (nothing was written) or failed; WHY says why. CHANGE_WROTE: whether a write was tried.
change_right() {
    change_attempt=1
    CHANGE_WROTE=no
    while [ "$change_attempt" -le 3 ]; do
        attempt_change "$1"
        case $? in
            0) return 0 ;;
            1) return 1 ;;
        esac
        # The guard writes once, whatever comes of it: two healers must not fight.
        if [ "$1$CHANGE_WROTE" = healyes ]; then return 1; fi
        change_attempt=$((change_attempt + 1))
    done
    return 1
}

# 0 done, 1 given up, 2 start again from what is there now.
attempt_change() {
    CHANGED=refused
    if ! read_right || ! plan_right "$1"; then
        why_refused "$RIGHT_PROBLEM"
        return 1
    fi
    if [ "$PLANNED" = "$RIGHT_LIST" ]; then
        CHANGED=unchanged
        return 0
    fi
    lock_allows "$1" || return 1
    before_raw=$RIGHT_RAW before_xml=$RIGHT_XML before_list=$RIGHT_LIST before_keys=$RIGHT_KEYS
    CHANGED=failed
    edit_right || return 2
    nobody_came_between || return $?
    lock_allows "$1" || return 1
    CHANGE_WROTE=yes
    write_right "$EDITED"
    check_write "$?"
}

# The second look, directly before the write.
nobody_came_between() {
    ask_authd
    case $? in
        0)
            WHY="another program changed the login right at the same time"
            [ "$RIGHT_RAW" = "$before_raw" ] || return 2
            ;;
        "$TIME_UP")
            why_refused no-answer
            return 1
            ;;
        *)
            why_refused empty
            return 2
            ;;
    esac
}

# The text that was read, with another list in it and nothing else different: proven before it is written.
edit_right() {
    WHY="the changed text of the login right could not be made"
    EDITED=$RIGHT_HEAD edit_rest=$PLANNED
    while [ -n "$edit_rest" ]; do
        EDITED="$EDITED$NEWLINE		<string>${edit_rest%%'<'*}</string>"
        edit_rest=${edit_rest#*'<'}
    done
    EDITED="$EDITED$NEWLINE	$RIGHT_TAIL"
    right_raw_keys=-1
    understand_right "$EDITED" && [ "$RIGHT_LIST" = "$PLANNED" ] && [ "$RIGHT_KEYS" = "$before_keys" ]
}

# write_right XML: the status of security, or TIME_UP. Through a pipe: no file can be cut short, and none is left.
write_right() {
    (printf '%s\n' "$1" | limited 30 /usr/bin/security -q authorizationdb write "$LOGIN_RIGHT" >/dev/null 2>&1)
}

# The exit status of the write proves nothing in either direction; what can be read afterwards does.
check_write() {
    read_back || return 1
    authd_list "$PLANNED"
    if [ "$RIGHT_LIST" = "$STORED" ] && keys_that_stay "$before_keys" "$RIGHT_KEYS"; then
        CHANGED=changed
        return 0
    fi
    if [ "$RIGHT_LIST" = "$before_list" ]; then
        WHY="the authorization database did not take the change (security ended with $1)"
        return 2
    fi
    WHY="the login right differs from what was written"
    others_are_there || { restore_right; return 1; }
    return 2
}

read_back() {
    for back_try in 1 2 3; do
        if read_right; then return 0; fi
        [ "$RIGHT_PROBLEM" != no-answer ] || break
        [ "$back_try" = 3 ] || /bin/sleep 1
    done
    why_refused "$RIGHT_PROBLEM"
    WHY="the login right was written but could not be read back: $WHY"
    return 1
}

# Every entry of others that was to stay, the anchor among them, is in what was read back.
others_are_there() {
    there_rest=$STORED
    while [ -n "$there_rest" ]; do
        there_item=${there_rest%%'<'*}
        there_rest=${there_rest#*'<'}
        [ "$there_item" != "$MECHANISM" ] || continue
        case "<$RIGHT_LIST" in *"<$there_item<"*) ;; *) return 1 ;; esac
    done
}

restore_right() {
    WHY="entries of others were gone after the write"
    write_right "$before_xml"
    authd_list "$before_list"
    if read_right && [ "$RIGHT_LIST" = "$STORED" ]; then
        WHY="$WHY; the original was written back"
    else
        WHY="$WHY; writing the original back did not help, look at: security authorizationdb read $LOGIN_RIGHT"
    fi
}
