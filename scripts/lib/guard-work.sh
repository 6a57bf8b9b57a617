# shellcheck shell=sh
# One run of the guard.
GONE_SINCE='' # second since when neither bundle nor entry is there; kept in the record

guard_login() {
    if ! read_right; then
        why_refused "$RIGHT_PROBLEM"
        guard_result=not-understood
        [ "$RIGHT_PROBLEM" != no-answer ] || guard_result=no-answer
        tell "$guard_result" "The login right was left alone: $WHY. Look at: security authorizationdb read $LOGIN_RIGHT" no
        return 1
    fi
    measure_right
    if [ "$NAMED" = 0 ] && bundle_is_away; then
        guard_wait
    elif [ "$BUNDLE_STATE" = valid ]; then
        guard_heal
    elif bundle_is_proven_bad; then
        guard_unlock
    elif [ "$BUNDLE_STATE" = unfamiliar ]; then
        tell unfamiliar "Nothing was done: $BUNDLE_WHY. If somebody went back to another version, remove the guard; else install the package again." no
        return 1
    else
        tell unproven "Nothing was done: $BUNDLE_WHY." no
        return 1
    fi
}

# tell RESULT TEXT DID: says it and records it.
tell() {
    say "$2"
    record "$1" "$2" "$3" || say "The guard's record $GUARD_RECORD could not be written."
}

guard_heal() {
    if ! plan_right heal; then
        why_refused "$RIGHT_PROBLEM"
        tell not-understood "The mechanism cannot be registered: $WHY." no
        return 1
    fi
    if [ "$PLANNED" = "$RIGHT_LIST" ]; then
        record healthy "The mechanism is in place and the bundle is valid." no
        return 0
    fi
    look_closely
    if [ "$BUNDLE_STATE" != valid ]; then
        tell unproven "The mechanism is missing or misplaced and was left so: $BUNDLE_WHY." no
        return 1
    fi
    if ! healing_is_allowed; then
        tell held-back "The mechanism is missing or misplaced and was left so: $HOLD." no
        return 0
    fi
    if change_right heal; then
        heal_is_done
    elif [ "$CHANGE_WROTE" = yes ]; then
        tell heal-failed "The mechanism could not be put right: $WHY. Run \"$BUNDLE/Contents/Resources/AuthDBSetup.sh\" as root." yes
        return 1
    else
        clear_path "$HEAL_MARK"
        tell not-understood "The mechanism was not put right: $WHY." no
        return 1
    fi
}

heal_is_done() {
    if [ "$CHANGED" = unchanged ]; then
        clear_path "$HEAL_MARK"
        record healthy "The mechanism is in place and the bundle is valid." no || :
    else
        tell healed "The mechanism was put back directly before $ANCHOR." yes
    fi
}

# Fails with the reason in HOLD. Takes this boot's one write when it succeeds.
healing_is_allowed() {
    if [ -n "$NO_LOCK" ]; then
        HOLD=$NO_LOCK
        return 1
    fi
    if setting_is_on DisableHeal; then
        HOLD="DisableHeal is set"
        return 1
    fi
    version_is_allowed || return 1
    if [ "$SETTINGS_ANSWER" = no ]; then
        HOLD="the settings could not be read in time"
        return 1
    fi
    take_heal_mark
}

version_is_allowed() {
    read_text_setting MaximumOSVersion || return 0
    read_system_version
    if ! version_is_clean "$SETTING" || [ -z "$SYSTEM_VERSION" ]; then
        HOLD="MaximumOSVersion or the version of macOS could not be understood"
        return 1
    fi
    version_at_most "$SYSTEM_VERSION" "$SETTING" && return 0
    HOLD="macOS $SYSTEM_VERSION is above MaximumOSVersion $SETTING"
    return 1
}

take_heal_mark() {
    HEAL_MARK=$GUARD_MARK${BOOT_SESSION:+.$BOOT_SESSION}
    # Those of earlier boots.
    for mark in "$GUARD_MARK"*; do
        if [ "$mark" != "$HEAL_MARK" ]; then clear_path "$mark"; fi
    done
    if /bin/mkdir "$HEAL_MARK" 2>/dev/null; then return 0; fi
    HOLD="$HEAL_MARK could not be made"
    path_is_free "$HEAL_MARK" || HOLD="the guard has already put it right once since this Mac started"
    return 1
}

guard_unlock() {
    if [ "$NAMED" = 0 ]; then
        tell bundle-invalid "Logins work, as no mechanism needs the bundle, but it is not usable: $BUNDLE_WHY. Install the package again." no
        return 0
    fi
    look_closely
    if ! bundle_is_proven_bad; then
        tell unproven "Nothing was done: $BUNDLE_WHY." no
        return 1
    fi
    if ! change_right unlock; then
        tell unlock-failed "THE NEXT LOGIN WILL FAIL: an entry needs the bundle ($BUNDLE_WHY) and could not be taken out: $WHY. Remove it by hand: security authorizationdb read $LOGIN_RIGHT" yes
        return 1
    fi
    tell unlocked "The entry that needs the bundle was taken out, so that logins keep working: $BUNDLE_WHY. Install the package again." yes
}

# Neither bundle nor entry: the product is not installed yet, or is being replaced, or was removed without the guard. It
# leaves after a day of that, not before: an MDM believes its receipt.
guard_wait() {
    wait_now=$(/bin/date +%s) || return 1
    read_record GoneSince
    case $RECORDED in
        0* | *[!0-9]*) GONE_SINCE='' ;;
        *) GONE_SINCE=$RECORDED ;;
    esac
    if [ -z "$GONE_SINCE" ] || [ "$GONE_SINCE" -gt "$wait_now" ]; then
        GONE_SINCE=$wait_now
        tell waiting "$PRODUCT_NAME is not installed. The guard waits for it, and removes itself when it has not come within a day." no
    elif [ $((wait_now - GONE_SINCE)) -ge 86400 ]; then
        guard_leave
    fi
}

# The receipt first: with the guard gone and its receipt there, nobody would install it again. bootout ends this very process
# and comes last.
guard_leave() {
    say "Nothing of $PRODUCT_NAME has been on this Mac for a day; the guard removes itself."
    quietly 30 /usr/sbin/pkgutil --forget "$GUARD_IDENTIFIER"
    release_lock
    if ! delete_guard_files; then
        say "The guard's files could not be deleted: $GUARD_JOB, $GUARD_FOLDER."
        return 1
    fi
    quietly 20 /bin/launchctl bootout "system/$GUARD_IDENTIFIER"
}
