# shellcheck shell=sh disable=SC2034
# The facts, and a verdict on each. Nothing here writes, not even a temporary file, and nothing waits for ever.

STATE=0
CHECKS=''

# verdict ID LEVEL REASON: LEVEL 0 pass, 1 needs attention, 2 broken, "unknown" no result, which needs attention too.
# CHECKS: lines of "ID LEVEL REASON".
verdict() {
    case $2 in
        unknown) [ "$STATE" -ge 1 ] || STATE=1 ;;
        *) [ "$2" -le "$STATE" ] || STATE=$2 ;;
    esac
    one_line "$3"
    CHECKS="$CHECKS$1 $2 $FLAT$NEWLINE"
}

# one_line TEXT sets FLAT to TEXT with every control character replaced by a space.
one_line() {
    FLAT='' line_rest=$1
    while :; do
        case $line_rest in *[[:cntrl:]]*) ;; *) break ;; esac
        FLAT="$FLAT${line_rest%%[[:cntrl:]]*} "
        line_rest=${line_rest#*[[:cntrl:]]}
    done
    FLAT=$FLAT$line_rest
}

look_at_bundle() {
    INSTALLED=''
    if [ -f "$BUNDLE/Contents/Info.plist" ] && read_setting "$BUNDLE/Contents/Info" CFBundleShortVersionString; then INSTALLED=$SETTING; fi
    check_bundle || :
    case $BUNDLE_STATE in
        valid) verdict bundle 0 "$BUNDLE_WHY" ;;
        unproven) verdict bundle unknown "$BUNDLE_WHY; run this again" ;;
        unfamiliar) verdict bundle 1 "$BUNDLE_WHY; logins work, but nothing is registered for it" ;;
        *) verdict bundle 2 "$BUNDLE_WHY; install the package again" ;;
    esac
}

look_at_mechanism() {
    PLACE=unknown
    if ! read_right; then
        why_refused "$RIGHT_PROBLEM"
        case $RIGHT_PROBLEM in
            no-answer) verdict mechanism unknown "$WHY" ;;
            *) verdict mechanism 2 "$WHY" ;;
        esac
        return
    fi
    measure_right
    check_mechanism
}

check_mechanism() {
    status_setup="run \"$BUNDLE/Contents/Resources/AuthDBSetup.sh\" as root"
    if right_is_healthy; then
        PLACE=in-place
    elif [ "$OURS" -gt 1 ]; then
        PLACE=doubled
    elif [ "$OURS" = 1 ]; then
        PLACE=misplaced
    else
        PLACE=absent
    fi
    show_entry "${NAMED_OTHER:-$MECHANISM}"
    if [ "$NAMED" -gt 0 ] && bundle_is_proven_bad; then
        verdict mechanism 2 "THE NEXT LOGIN WILL FAIL: \"$SHOWN\" needs the bundle, which is not usable; install the package again or remove the entry"
    elif [ "$ANCHOR_AT" -lt 0 ]; then
        verdict mechanism 2 "$ANCHOR is not among the mechanisms, so ours cannot be placed"
    elif [ -n "$NAMED_OTHER" ]; then
        verdict mechanism 1 "an entry that is not ours needs the bundle: $SHOWN"
    elif [ "$PLACE" = in-place ]; then
        verdict mechanism 0 "registered in place"
    else
        verdict mechanism 1 "$PLACE; $status_setup"
    fi
}

# The profile forces its values into a file of this place; the plug-in asks for the same key.
look_at_escrow() {
    if read_setting "/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow" Location; then
        ESCROW=$SETTING
        verdict escrow-profile 0 "escrow to $ESCROW"
    elif [ "$SETTINGS_ANSWER" = no ]; then
        ESCROW=''
        no_settings escrow-profile
    else
        ESCROW=''
        verdict escrow-profile 1 "no profile escrows recovery keys; no key will be rotated"
    fi
    quietly 20 /usr/bin/fdesetup isactive
    case $? in
        0) FILEVAULT=on ;;
        1) FILEVAULT=off ;;
        2) FILEVAULT=busy ;;
        *) FILEVAULT=unknown ;;
    esac
    case $FILEVAULT in
        on) verdict filevault 0 on ;;
        unknown) verdict filevault unknown "fdesetup came to no result; run this again" ;;
        *) verdict filevault 1 "$FILEVAULT" ;;
    esac
}

no_settings() {
    verdict "$1" unknown "the preferences gave no answer in time; run this again"
}

# Any domain that says true is a request.
look_at_request() {
    REQUEST=none
    if read_setting "$MANAGED_SETTINGS" GenerateNewKey; then
        REQUEST=forced
        verdict request 1 "a profile sets GenerateNewKey, which could never be cleared, so the plug-in refuses it: remove it from the profile"
        return
    fi
    for request_place in "$LOCAL_SETTINGS" "$ROOT_SETTINGS"; do
        if read_setting "$request_place" GenerateNewKey && read_boolean "$SETTING" && [ "$BOOLEAN" = 0 ]; then REQUEST=pending; fi
    done
    case $REQUEST:$SETTINGS_ANSWER in
        *:no) no_settings request ;;
        pending:*) verdict request 0 "a new key will be made at the next login" ;;
        *) verdict request 0 none ;;
    esac
}

look_at_guard() {
    GUARD=absent GUARD_RESULT='' GUARD_RUN='' GUARD_ACTION='' GUARD_ACTION_TIME=''
    if [ -f "$GUARD_JOB" ] || [ -f "$GUARD_SCRIPT" ]; then
        GUARD=not-running
        if job_is_loaded; then GUARD=running; fi
        read_record LastResult
        GUARD_RESULT=$RECORDED
        read_record LastRun
        GUARD_RUN=$RECORDED
        read_record LastAction
        GUARD_ACTION=$RECORDED
        read_record LastActionTime
        GUARD_ACTION_TIME=$RECORDED
    fi
    case $GUARD:$GUARD_RESULT in
        absent:*) verdict guard 0 "not installed" ;;
        not-running:*) verdict guard 1 "installed, but its job is not loaded; see Login Items, or install it again" ;;
        running:*-failed | running:not-understood | running:no-answer | running:unfamiliar) verdict guard 1 "$GUARD_RESULT" ;;
        *) verdict guard 0 "running" ;;
    esac
}
