# shellcheck shell=sh
# What the guard did last, for status.sh and for inventories: a property list beside guard.sh.

# read_record KEY sets RECORDED, empty when it is not there. PlistBuddy would make a missing file.
read_record() {
    RECORDED=''
    [ -f "$GUARD_RECORD" ] || return 0
    RECORDED=$(/usr/libexec/PlistBuddy -c "Print :$1" "$GUARD_RECORD" 2>/dev/null </dev/null) || RECORDED=''
}

# record RESULT DETAIL DID: DID is "yes" when the right was written, or was to be.
record() {
    record_now=$(/bin/date -u +%Y-%m-%dT%H:%M:%SZ) || return 1
    if [ "$3" = yes ]; then
        record_action=$1
        record_time=$record_now
    else
        read_record LastAction
        record_action=$RECORDED
        read_record LastActionTime
        record_time=$RECORDED
    fi
    escape "$2"
    print_record "$1" "$ESCAPED" >"$WORK/record" && /usr/bin/plutil -lint -s "$WORK/record" >/dev/null 2>&1 </dev/null &&
        /bin/chmod 0644 "$WORK/record" && /bin/mv -f "$WORK/record" "$GUARD_RECORD" 2>/dev/null
}

print_record() {
    printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">' \
        '<plist version="1.0">' '<dict>'
    if [ -n "$record_action" ] && [ -n "$record_time" ]; then
        printf '    <key>%s</key>\n    <string>%s</string>\n' LastAction "$record_action" LastActionTime "$record_time"
    fi
    printf '    <key>%s</key>\n    <string>%s</string>\n' LastDetail "$2" LastResult "$1" LastRun "$record_now" Version "$VERSION"
    printf '%s\n' '</dict>' '</plist>'
}

escape() {
    ESCAPED='' escape_rest=$1
    while [ -n "$escape_rest" ]; do
        ESCAPED=$ESCAPED${escape_rest%%[\&\<\>]*}
        escape_rest=${escape_rest#"${escape_rest%%[\&\<\>]*}"}
        case $escape_rest in
            '&'*) ESCAPED="$ESCAPED&amp;" ;;
            '<'*) ESCAPED="$ESCAPED&lt;" ;;
            '>'*) ESCAPED="$ESCAPED&gt;" ;;
        esac
        escape_rest=${escape_rest#?}
    done
}
