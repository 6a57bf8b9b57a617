# shellcheck shell=sh
# What the guard did last, for status.sh and for inventories: a property list beside guard.sh.

# read_record KEY sets RECORDED, empty when it is not there. PlistBuddy would make a missing file.
read_record() {
    RECORDED=''
    [ -f "$GUARD_RECORD" ] && [ ! -L "$GUARD_RECORD" ] || return 0
    RECORDED=$(/usr/libexec/PlistBuddy -c "Print :$1" "$GUARD_RECORD" 2>/dev/null </dev/null) || RECORDED=''
}

# record RESULT DETAIL DID: DID is "yes" when the right was written, or was to be. GONE_SINCE and SEEN are kept with it.
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
    write_record "$1" "$2" 2>/dev/null
}

write_record() {
    [ -d "$GUARD_FOLDER" ] && [ ! -L "$GUARD_FOLDER" ] || return 1
    clear_path "$GUARD_FOLDER/new" && print_record "$1" "$2" >"$GUARD_FOLDER/new" &&
        /usr/bin/plutil -lint -s "$GUARD_FOLDER/new" >/dev/null </dev/null && /bin/chmod 0644 "$GUARD_FOLDER/new" || return 1
    if [ -L "$GUARD_RECORD" ] || [ -d "$GUARD_RECORD" ]; then clear_path "$GUARD_RECORD" || return 1; fi
    /bin/mv -f "$GUARD_FOLDER/new" "$GUARD_RECORD"
}

print_record() {
    printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">' \
        '<plist version="1.0">' '<dict>'
    print_entry BundleSeen "$SEEN"
    print_entry GoneSince "$GONE_SINCE"
    print_entry LastAction "$record_action"
    print_entry LastActionTime "$record_time"
    print_entry LastDetail "$2"
    print_entry LastResult "$1"
    print_entry LastRun "$record_now"
    print_entry Version "$VERSION"
    printf '%s\n' '</dict>' '</plist>'
}

# print_entry KEY VALUE: nothing for an empty value.
print_entry() {
    [ -n "$2" ] || return 0
    escape "$2"
    printf '    <key>%s</key>\n    <string>%s</string>\n' "$1" "$ESCAPED"
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
