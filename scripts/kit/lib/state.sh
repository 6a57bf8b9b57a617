# shellcheck shell=sh disable=SC2034
# Is a key on its way, made, or stuck, and why: one line that an MDM can keep and search. Works whatever of the product is there.

# find_state sets ANSWER. Its first words are fixed; docs/deploying.md lists them.
find_state() {
    find_version
    find_entry
    case $HAS_CODE:$ENTRY in
        no:yes)
            ANSWER='ORPHANED: the login entry has no bundle'
            return 0
            ;;
        no:*)
            ANSWER='Not Installed'
            return 0
            ;;
        yes:no)
            ANSWER="Not Registered $HAVE"
            return 0
            ;;
        yes:unknown)
            ANSWER="No Answer $HAVE: the authorization database cannot be read"
            return 0
            ;;
    esac
    find_request
    read_local LastOutcome
    OUTCOME=$SETTING
    case $REQUEST in
        forced) ANSWER="Stuck $HAVE: request-forced" ;;
        pending) answer_pending ;;
        *) answer_idle ;;
    esac
}

# The request is set: what came of it so far. A success belongs to an earlier request.
answer_pending() {
    case $OUTCOME in
        '' | not-requested | rotated | rotated-unconfirmed) ANSWER="Requested $HAVE" ;;
        not-awaited | filevault-busy | no-credentials | guest-login | token-login | no-password-login | no-token-yet)
            ANSWER="Waiting $HAVE: $OUTCOME"
            ;;
        *)
            read_local LastExitStatus
            ANSWER="Stuck $HAVE: $OUTCOME${SETTING:+ ($SETTING)}"
            ;;
    esac
}

answer_idle() {
    case $OUTCOME in
        rotated | rotated-unconfirmed)
            read_local LastRotation
            case $OUTCOME in
                rotated) ANSWER="Rotated $HAVE${SETTING:+: $SETTING}" ;;
                *) ANSWER="Unconfirmed $HAVE${SETTING:+: $SETTING}" ;;
            esac
            ;;
        *) ANSWER="Idle $HAVE" ;;
    esac
}

# HAVE: the version on this Mac, of whatever maker. HAS_CODE: a login entry needs the executable, nothing else.
find_version() {
    HAVE='' HAS_CODE=no
    if [ -f "$BUNDLE/Contents/MacOS/$EXECUTABLE" ]; then HAS_CODE=yes; fi
    if read_setting "$BUNDLE/Contents/Info" CFBundleShortVersionString; then HAVE=$SETTING; else HAVE='(no version)'; fi
}

# ENTRY: yes, no or unknown. Any entry of the plug-in counts: macOS loads the bundle for each.
find_entry() {
    ENTRY=unknown
    entry_right=$(limited 20 /usr/bin/security -q authorizationdb read system.login.console 2>/dev/null </dev/null) || return 0
    case $entry_right in
        *"<string>${MECHANISM%%:*}:"*) ENTRY=yes ;;
        *"<string>$ANCHOR</string>"*) ENTRY=no ;;
    esac
}

# SETTING is empty when the key is not there.
read_local() {
    read_setting "$LOCAL_SETTINGS" "$1" || SETTING=''
}
