# shellcheck shell=sh
# Takes exact entries of ours out and proves that none is left which needs the bundle.

# unregister_bundle: 0 when no mechanism names the bundle any more, so that it may be deleted.
unregister_bundle() {
    if ! change_right unregister; then
        say "The mechanism was not removed: $WHY. The bundle must stay until it is gone: security authorizationdb read $LOGIN_RIGHT"
        return 1
    fi
    case $CHANGED in
        unchanged) say "The mechanism was not registered." ;;
        *) say "The mechanism was removed." ;;
    esac
    nothing_names_bundle
}

nothing_names_bundle() {
    if ! read_right; then
        why_refused "$RIGHT_PROBLEM"
        say "It could not be proven that nothing needs the bundle: $WHY. The bundle must stay; run this again."
        return 1
    fi
    measure_right
    [ "$NAMED" -gt 0 ] || return 0
    show_entry "${NAMED_OTHER:-$MECHANISM}"
    say "A mechanism still needs the bundle, and a person has to remove it: \"$SHOWN\" in $LOGIN_RIGHT. The bundle must stay until then."
    return 1
}
