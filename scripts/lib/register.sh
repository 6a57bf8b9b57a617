# shellcheck shell=sh
# The bundle first, then the entry; and no entry without a bundle.

# register_bundle: 0 when our entry is in place, in front of a bundle that was checked.
register_bundle() {
    if ! check_bundle; then
        say "The mechanism was not registered: $BUNDLE_WHY."
        if bundle_is_proven_bad; then unlock_login; fi
        return 1
    fi
    if ! change_right register; then
        say "The mechanism was not registered: $WHY. Logins work as before. Correct this, then run \"$BUNDLE/Contents/Resources/AuthDBSetup.sh\" as root."
        return 1
    fi
    case $CHANGED in
        unchanged) say "The mechanism was already registered in its place." ;;
        *) say "The mechanism was registered directly before $ANCHOR." ;;
    esac
}

# Without a bundle that loads, an entry of ours would block every login.
unlock_login() {
    if ! change_right unlock; then
        say "An entry that needs the bundle could not be taken out: $WHY. Before anybody logs out, remove it: security authorizationdb read $LOGIN_RIGHT"
    elif [ "$CHANGED" != unchanged ]; then
        say "The entry that needs the bundle was taken out, so that logins keep working. Install the package again."
    fi
}
