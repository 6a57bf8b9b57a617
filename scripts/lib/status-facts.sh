# shellcheck shell=sh disable=SC2034
# The facts, and a verdict on each. Nothing here writes, not even a temporary file.

STATE=0
CHECKS=''

# verdict ID LEVEL REASON: LEVEL 0 pass, 1 needs attention, 2 broken. CHECKS: lines of "ID LEVEL REASON".
verdict() {
    [ "$2" -le "$STATE" ] || STATE=$2
    CHECKS="$CHECKS$1 $2 $3$NEWLINE"
}

look_at_bundle() {
    INSTALLED=''
    if [ -f "$BUNDLE/Contents/Info.plist" ]; then
        INSTALLED=$(/usr/bin/defaults read "$BUNDLE/Contents/Info" CFBundleShortVersionString 2>/dev/null </dev/null) || INSTALLED=''
    fi
    check_bundle || :
    case $BUNDLE_STATE in
        valid) verdict bundle 0 "$BUNDLE_WHY" ;;
        unproven) verdict bundle 1 "$BUNDLE_WHY; run this again" ;;
        *) verdict bundle 2 "$BUNDLE_WHY; install the package again" ;;
    esac
}

# authd prints canonical XML, so that the text needs no other tool to be understood.
look_at_mechanism() {
    PLACE=unknown
    status_right=$(/usr/bin/security -q authorizationdb read system.login.console 2>/dev/null </dev/null && printf x) || status_right=''
    status_right=${status_right%x}
    RIGHT_PROBLEM=''
    case $status_right in
        '') RIGHT_PROBLEM=empty ;;
        *'<!--'* | *'<![CDATA['*) RIGHT_PROBLEM=unparsable ;;
        *) text_is_whole_xml "$status_right" && understand_document "$status_right" || RIGHT_PROBLEM=${RIGHT_PROBLEM:-unparsable} ;;
    esac
    if [ -n "$RIGHT_PROBLEM" ]; then
        why_refused "$RIGHT_PROBLEM"
        verdict mechanism 2 "$WHY"
        return 0
    fi
    measure_right
    judge_mechanism
}

judge_mechanism() {
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
    else
        ESCROW=''
        verdict escrow-profile 1 "no profile escrows recovery keys; no key will be rotated"
    fi
    /usr/bin/fdesetup isactive >/dev/null 2>&1 </dev/null
    case $? in
        0) FILEVAULT=on ;;
        1) FILEVAULT=off ;;
        2) FILEVAULT=busy ;;
        *) FILEVAULT=unknown ;;
    esac
    if [ "$FILEVAULT" = on ]; then verdict filevault 0 on; else verdict filevault 1 "$FILEVAULT"; fi
}

look_at_request() {
    REQUEST=none
    if read_setting "$MANAGED_SETTINGS" GenerateNewKey; then
        REQUEST=forced
        verdict request 1 "a profile sets GenerateNewKey, so the plug-in refuses it: remove it from the profile"
    elif read_setting "$LOCAL_SETTINGS" GenerateNewKey && read_boolean "$SETTING" && [ "$BOOLEAN" = 0 ]; then
        REQUEST=pending
        verdict request 0 "a new key will be made at the next login"
    else
        verdict request 0 none
    fi
    read_local LastOutcome
    OUTCOME=$SETTING
    read_local LastAttempt
    ATTEMPT=$SETTING
    read_local LastRotation
    ROTATION=$SETTING
    read_local LastExitStatus
    LAST_EXIT=$SETTING
    read_local ConsecutiveFailures
    FAILURES=$SETTING
    case $OUTCOME in
        '' | rotated | held-back | no-credentials | token-login | filevault-off | filevault-busy | no-escrow-profile)
            verdict last-outcome 0 "${OUTCOME:-none}"
            ;;
        *) verdict last-outcome 1 "$OUTCOME" ;;
    esac
}

# SETTING is empty when the key is not there.
read_local() {
    read_setting "$LOCAL_SETTINGS" "$1" || SETTING=''
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
    case $GUARD$GUARD_RESULT in
        absent*) verdict guard 0 "not installed" ;;
        not-running*) verdict guard 1 "installed, but its job is not loaded; see Login Items, or install it again" ;;
        running*-failed | runningnot-understood) verdict guard 1 "$GUARD_RESULT" ;;
        *) verdict guard 0 "running" ;;
    esac
}
