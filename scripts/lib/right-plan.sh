# shellcheck shell=sh disable=SC2034
# What a list of mechanisms has to become. Pure: no command is run here.
# Lists as in property-list.sh: each item followed by "<".

# plan_right TASK: from RIGHT_LIST to PLANNED. TASK: register, heal, unregister, unlock. Fails with RIGHT_PROBLEM when the task cannot be done.
plan_right() {
    measure_right
    PLANNED=$RIGHT_LIST
    case $1 in
        register | heal)
            [ "$RIGHT_SHAPE" = list ] || refuse_right no-mechanisms || return 1
            [ "$ANCHOR_AT" -ge 0 ] || refuse_right anchor-absent || return 1
            if [ "$1" = heal ] && right_is_healthy; then return 0; fi
            ;;
    esac
    plan_items "$1"
}

plan_items() {
    PLANNED='' plan_index=0 plan_rest=$RIGHT_LIST
    while [ -n "$plan_rest" ]; do
        plan_item=${plan_rest%%'<'*}
        plan_rest=${plan_rest#*'<'}
        if [ "$plan_index" = "$ANCHOR_AT" ]; then
            case $1 in register | heal) PLANNED="$PLANNED$MECHANISM<" ;; esac
        fi
        plan_index=$((plan_index + 1))
        [ "$plan_item" != "$MECHANISM" ] || continue
        if [ "$1" = unlock ] && names_our_bundle "$plan_item"; then continue; fi
        PLANNED="$PLANNED$plan_item<"
    done
}

# Counts and places in RIGHT_LIST: OURS, OURS_AT, ANCHOR_AT, AUTHENTICATE_AT (-1: absent), NAMED (entries that need
# our bundle, exact ones included) and NAMED_OTHER (the first of them that is not exactly ours).
measure_right() {
    OURS=0 OURS_AT=-1 ANCHOR_AT=-1 AUTHENTICATE_AT=-1 NAMED=0 NAMED_OTHER=''
    measure_index=0 measure_rest=$RIGHT_LIST
    while [ -n "$measure_rest" ]; do
        measure_item=${measure_rest%%'<'*}
        measure_rest=${measure_rest#*'<'}
        case $measure_item in
            "$MECHANISM")
                OURS=$((OURS + 1))
                [ "$OURS_AT" -ge 0 ] || OURS_AT=$measure_index
                ;;
            "$ANCHOR") [ "$ANCHOR_AT" -ge 0 ] || ANCHOR_AT=$measure_index ;;
            builtin:authenticate,privileged) [ "$AUTHENTICATE_AT" -ge 0 ] || AUTHENTICATE_AT=$measure_index ;;
        esac
        if names_our_bundle "$measure_item"; then
            NAMED=$((NAMED + 1))
            [ "$measure_item" = "$MECHANISM" ] || [ -n "$NAMED_OTHER" ] || NAMED_OTHER=$measure_item
        fi
        measure_index=$((measure_index + 1))
    done
}

# Once, before the anchor, and not before the password was checked. The exact place is left to others: Crypt insists on it.
right_is_healthy() {
    [ "$OURS" = 1 ] && [ "$OURS_AT" -lt "$ANCHOR_AT" ] || return 1
    [ "$AUTHENTICATE_AT" -gt "$ANCHOR_AT" ] || [ "$OURS_AT" -gt "$AUTHENTICATE_AT" ]
}

# authd takes the text before the first ":" or "," for the name of the bundle (Security, OSX/authd/mechanism.c); it skips
# delimiters in front and resolves the path, and the file system does not distinguish case.
names_our_bundle() {
    named=$1
    while :; do
        case $named in :* | ,*) named=${named#?} ;; *) break ;; esac
    done
    named=${named%%[,:]*}
    named=${named##*/}
    # shellcheck disable=SC2254 # the value is meant as a pattern
    case $named in $BUNDLE_NAME_ANY_CASE) return 0 ;; esac
    return 1
}

# authd_list LIST sets STORED to what authd gives back after LIST was written: plug-in, mechanism and the privileged
# flag are all it keeps of an entry (Security, OSX/authd/mechanism.c). What authd itself printed comes back unchanged.
authd_list() {
    STORED='' stored_rest=$1
    while [ -n "$stored_rest" ]; do
        authd_entry "${stored_rest%%'<'*}"
        stored_rest=${stored_rest#*'<'}
        [ -z "$ENTRY" ] || STORED="$STORED$ENTRY<"
    done
}

authd_entry() {
    ENTRY='' entry_part1='' entry_part2='' entry_part3='' entry_rest=$1,
    case $1 in *:*) ;; *) return 0 ;; esac
    while [ -n "$entry_rest" ]; do
        entry_part=${entry_rest%%[,:]*}
        entry_rest=${entry_rest#"$entry_part"}
        entry_rest=${entry_rest#?}
        [ -n "$entry_part" ] || continue
        if [ -z "$entry_part1" ]; then
            entry_part1=$entry_part
        elif [ -z "$entry_part2" ]; then
            entry_part2=$entry_part
        elif [ -z "$entry_part3" ]; then
            entry_part3=$entry_part
        fi
    done
    ENTRY=$entry_part1:$entry_part2
    case $entry_part3 in
        [Pp][Rr][Ii][Vv][Ii][Ll][Ee][Gg][Ee][Dd]) ENTRY=$ENTRY,privileged ;;
    esac
}

# show_entry TEXT sets SHOWN to TEXT when a line of a log can carry it.
show_entry() {
    case $1 in
        *[!\ -~]*) SHOWN="(an entry with unusual characters)" ;;
        *) SHOWN=$1 ;;
    esac
}
