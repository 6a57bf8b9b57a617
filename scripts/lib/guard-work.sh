# shellcheck shell=sh
# One run of the guard.

guard_login() {
    look_at_bundle
    if ! read_right "$WORK/guard"; then
        why_refused "$RIGHT_PROBLEM"
        tell not-understood "The login right was left alone: $WHY. Look at: security authorizationdb read system.login.console" no
        return 1
    fi
    measure_right
    if [ "$NAMED" = 0 ] && bundle_is_away; then
        leave
    elif [ "$BUNDLE_STATE" = valid ]; then
        guard_heal
    elif bundle_is_proven_bad; then
        guard_unlock
    else
        tell unproven "Nothing was done: $BUNDLE_WHY." no
        return 1
    fi
}

# An installer may be at work in this moment, so a bad bundle is looked at twice.
look_at_bundle() {
    if ! check_bundle && bundle_is_proven_bad; then
        /bin/sleep 2
        check_bundle || :
    fi
}

bundle_is_away() {
    [ ! -e "$BUNDLE" ] && [ ! -L "$BUNDLE" ]
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
        record healthy "The mechanism is in place and the bundle is valid." no || :
        return 0
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
        /bin/rmdir "$GUARD_MARK" 2>/dev/null
        tell not-understood "The mechanism was not put right: $WHY." no
        return 1
    fi
}

heal_is_done() {
    if [ "$CHANGED" = unchanged ]; then
        /bin/rmdir "$GUARD_MARK" 2>/dev/null
        record healthy "The mechanism is in place and the bundle is valid." no || :
    else
        tell healed "The mechanism was put back directly before $ANCHOR." yes
    fi
}

# Fails with the reason in HOLD. Takes this boot's one write when it succeeds.
healing_is_allowed() {
    if setting_is_on DisableHeal; then
        HOLD="DisableHeal is set"
        return 1
    fi
    if read_text_setting MaximumOSVersion; then
        read_system_version
        if ! version_is_clean "$SETTING" || [ -z "$SYSTEM_VERSION" ]; then
            HOLD="MaximumOSVersion or the version of macOS could not be understood"
            return 1
        fi
        if ! version_at_most "$SYSTEM_VERSION" "$SETTING"; then
            HOLD="macOS $SYSTEM_VERSION is above MaximumOSVersion $SETTING"
            return 1
        fi
    fi
    if ! /bin/mkdir "$GUARD_MARK" 2>/dev/null; then
        HOLD="$GUARD_MARK could not be made"
        [ ! -e "$GUARD_MARK" ] || HOLD="the guard has already put it right once since this Mac started"
        return 1
    fi
}

guard_unlock() {
    if [ "$NAMED" = 0 ]; then
        tell bundle-invalid "Logins work, as no mechanism needs the bundle, but it is not usable: $BUNDLE_WHY. Install the package again." no
        return 0
    fi
    if ! change_right unlock; then
        tell unlock-failed "THE NEXT LOGIN WILL FAIL: an entry needs the bundle ($BUNDLE_WHY) and could not be taken out: $WHY. Remove it by hand: security authorizationdb read system.login.console" yes
        return 1
    fi
    tell unlocked "The entry that needs the bundle was taken out, so that logins keep working: $BUNDLE_WHY. Install the package again." yes
    bundle_is_away || return 0
    # An upgrade that has moved the old bundle away would be back by now.
    /bin/sleep 10
    if bundle_is_away; then leave; fi
}

# Nothing of the product is left, so the guard goes too. What is not its own script goes first, as nothing runs after it;
# bootout ends this very process and comes last.
leave() {
    say "Nothing of $PRODUCT_NAME is left on this Mac; the guard removes itself."
    /bin/rm -f -- "$GUARD_RECORD"
    if [ -d "$GUARD_MARK" ]; then /bin/rmdir "$GUARD_MARK" 2>/dev/null; fi
    close_workspace
    if [ -e "$GUARD_RECORD" ] || [ -e "$GUARD_MARK" ] || ! workspace_is_gone; then return 1; fi
    delete_guard_files || return 1
    /bin/launchctl bootout "system/$GUARD_IDENTIFIER" >/dev/null 2>&1 </dev/null || :
}
