# shellcheck shell=sh disable=SC2034
# Reads system.login.console. What is not understood in full is refused: the reason stands in RIGHT_PROBLEM.

# read_right FILE: leaves the bytes in FILE and sets RIGHT_LIST, RIGHT_COUNT, RIGHT_KEYS, RIGHT_SHAPE. For decisions.
read_right() {
    fetch_right "$1" || return 1
    right_items_agree "$1" || refuse_right unparsable
}

# fetch_right FILE: the same without the second witness. For comparisons with what is expected.
fetch_right() {
    if ! /usr/bin/security -q authorizationdb read system.login.console >"$1" 2>/dev/null </dev/null; then
        RIGHT_PROBLEM=empty
        [ ! -s "$1" ] || RIGHT_PROBLEM=unparsable
        return 1
    fi
    understand_right "$1"
}

understand_right() {
    RIGHT_PROBLEM='' RIGHT_LIST='' RIGHT_COUNT=0 RIGHT_KEYS='' RIGHT_SHAPE=none
    right_raw_keys=-1
    case $(/usr/bin/head -c 8 "$1" 2>/dev/null) in
        '') refuse_right empty || return 1 ;;
        bplist00) ;;
        *) right_is_whole_xml "$1" || refuse_right unparsable || return 1 ;;
    esac
    /usr/bin/plutil -lint -s "$1" >/dev/null 2>&1 </dev/null || refuse_right unparsable || return 1
    right_xml=$(/usr/libexec/PlistBuddy -x -c Print "$1" 2>/dev/null </dev/null) || refuse_right not-a-dictionary || return 1
    understand_document "$right_xml"
}

# understand_document XML: the checks that need no file.
understand_document() {
    read_document "$1"
    case $DOC_ROOT in
        dict) ;;
        '') refuse_right unparsable || return 1 ;;
        *) refuse_right not-a-dictionary || return 1 ;;
    esac
    if [ "$right_raw_keys" -ge 0 ]; then
        # Readers differ in which of two equal keys they take: fewer keys in the canonical form means there were some.
        count_text "$1" '<key>'
        [ "$COUNTED" = "$right_raw_keys" ] || refuse_right duplicate-key || return 1
    fi
    [ "$DOC_CLASS" = '<string>evaluate-mechanisms</string>' ] || refuse_right class-differs || return 1
    case $DOC_SHAPE in
        not-a-list) refuse_right mechanisms-not-an-array || return 1 ;;
        not-text) refuse_right element-not-a-string || return 1 ;;
    esac
    # shellcheck disable=SC2034 # not every script needs all of them
    RIGHT_LIST=$DOC_LIST RIGHT_COUNT=$DOC_COUNT RIGHT_KEYS=$DOC_KEYS RIGHT_SHAPE=$DOC_SHAPE
}

refuse_right() {
    RIGHT_PROBLEM=$1
    return 1
}

# XML from its first to its last byte: the tools below would ignore text behind the root element,
# and would read JSON and old text lists as well, none of which authd prints.
right_is_whole_xml() {
    right_text=$(/bin/cat "$1" 2>/dev/null && printf x) || return 1
    text_is_whole_xml "${right_text%x}"
}

text_is_whole_xml() {
    whole=$1
    while :; do
        case $whole in *' ' | *'	' | *"$NEWLINE" | *"$RETURN") whole=${whole%?} ;; *) break ;; esac
    done
    whole=${whole#"$BYTE_ORDER_MARK"}
    case $whole in '<?xml '* | '<plist'*) ;; *) return 1 ;; esac
    case $whole in *'</plist>') ;; *) return 1 ;; esac
    case $whole in *'<!ENTITY'* | *'</plist>'?*'</plist>') return 1 ;; esac
    count_text "$whole" '<key>'
    right_raw_keys=$COUNTED
}

# A second witness of what the XML says: the last item is where it belongs, and none is behind it. Asking for each would
# start PlistBuddy two dozen times; what an edit by index did is proven by reading the whole edited copy again.
# An item may hold any text, so an "x" guards its end.
right_items_agree() {
    if /usr/libexec/PlistBuddy -c "Print :mechanisms:$RIGHT_COUNT" "$1" >/dev/null 2>&1 </dev/null; then return 1; fi
    [ "$RIGHT_COUNT" -gt 0 ] || return 0
    item=$(/usr/libexec/PlistBuddy -c "Print :mechanisms:$((RIGHT_COUNT - 1))" "$1" 2>/dev/null </dev/null && printf x) || return 1
    item_last=${RIGHT_LIST%'<'}
    unescape "${item_last##*'<'}" || return 1
    [ "$item" = "$PLAIN${NEWLINE}x" ]
}

# why_refused REASON sets WHY, for people.
why_refused() {
    case $1 in
        empty) WHY="the authorization database gave nothing to read" ;;
        unparsable) WHY="what the authorization database printed is no complete property list in XML" ;;
        duplicate-key) WHY="the right has a key twice" ;;
        not-a-dictionary) WHY="the right is no dictionary" ;;
        class-differs) WHY="the right is not of class evaluate-mechanisms" ;;
        no-mechanisms) WHY="the right has no mechanisms" ;;
        mechanisms-not-an-array) WHY="the mechanisms are no list" ;;
        element-not-a-string) WHY="a mechanism is no text" ;;
        anchor-absent) WHY="$ANCHOR is not among the mechanisms" ;;
        *) WHY=$1 ;;
    esac
    WHY="$WHY ($1)"
}
