# shellcheck shell=sh disable=SC2034
# Reads the login right. What is not understood in full is refused: the reason stands in RIGHT_PROBLEM.
# Nothing is written to a disk: what authd prints goes through pipes into variables, so that a full disk stops nobody.

# read_right sets RIGHT_RAW (as printed), RIGHT_XML (as plutil writes it), RIGHT_LIST, RIGHT_KEYS, RIGHT_SHAPE, RIGHT_HEAD and
# RIGHT_TAIL, or RIGHT_PROBLEM.
read_right() {
    RIGHT_PROBLEM='' RIGHT_XML='' RIGHT_LIST='' RIGHT_KEYS='' RIGHT_SHAPE=none
    ask_authd
    case $? in
        0) ;;
        "$TIME_UP") refuse_right no-answer || return 1 ;;
        *)
            [ -n "$RIGHT_RAW" ] || refuse_right empty || return 1
            refuse_right unparsable || return 1
            ;;
    esac
    right_raw_keys=-1
    case $RIGHT_RAW in
        '') refuse_right empty || return 1 ;;
        bplist00*) RIGHT_XML=$(limited 20 /usr/bin/security -q authorizationdb read "$LOGIN_RIGHT" </dev/null 2>/dev/null | convert_right) ;;
        *)
            text_is_whole_xml "$RIGHT_RAW" || refuse_right unparsable || return 1
            RIGHT_XML=$(printf '%s\n' "$RIGHT_RAW" | convert_right)
            ;;
    esac
    [ -n "$RIGHT_XML" ] || refuse_right unparsable || return 1
    understand_right "$RIGHT_XML"
}

# ask_authd sets RIGHT_RAW; its status is that of security, or TIME_UP. Binary output holds NUL, which no variable can.
ask_authd() {
    { RIGHT_RAW=$(limited 20 /usr/bin/security -q authorizationdb read "$LOGIN_RIGHT" </dev/null 2>/dev/null); } 2>/dev/null
}

convert_right() {
    /usr/bin/plutil -convert xml1 -o - - 2>/dev/null
}

understand_right() {
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
    RIGHT_LIST=$DOC_LIST RIGHT_KEYS=$DOC_KEYS RIGHT_SHAPE=$DOC_SHAPE RIGHT_HEAD=$DOC_HEAD RIGHT_TAIL=$DOC_TAIL
}

refuse_right() {
    RIGHT_PROBLEM=$1
    return 1
}

# XML from its first to its last byte: plutil would ignore text behind the root element, and would read JSON and old text
# lists as well, none of which authd prints.
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

# why_refused REASON sets WHY, for people.
why_refused() {
    case $1 in
        no-answer) WHY="the authorization database gave no answer in time; run this again" ;;
        empty) WHY="the authorization database gave nothing to read" ;;
        unparsable) WHY="what the authorization database printed is not one complete property list in XML" ;;
        duplicate-key) WHY="the right has a key twice" ;;
        not-a-dictionary) WHY="the right is not a dictionary" ;;
        class-differs) WHY="the right is not of class evaluate-mechanisms" ;;
        no-mechanisms) WHY="the right has no mechanisms" ;;
        mechanisms-not-an-array) WHY="the mechanisms are not a list" ;;
        element-not-a-string) WHY="a mechanism is not text" ;;
        anchor-absent) WHY="$ANCHOR is not among the mechanisms" ;;
        *) WHY=$1 ;;
    esac
    WHY="$WHY ($1)"
}
