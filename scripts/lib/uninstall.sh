# shellcheck shell=sh
# Entry first, then the bundle, then the rest: whatever cuts this short, no entry is left without a bundle.

# uninstall_product IDENTIFIER...: the receipts to forget.
uninstall_product() {
    guard_ran=no
    if job_is_loaded; then
        guard_ran=yes
        stop_job || :
    fi
    if ! unregister_bundle; then
        [ "$guard_ran" = no ] || start_job || :
        say "Nothing was deleted."
        return 1
    fi
    delete_bundle || return 1
    delete_guard_files || { say "The guard's files could not be deleted: $GUARD_JOB, $GUARD_FOLDER. Delete them by hand."; return 1; }
    delete_settings
    forget_receipts "$@"
    say "$PRODUCT_NAME was removed. Its log lines stay."
}

delete_bundle() {
    if [ -e "$BUNDLE" ] || [ -L "$BUNDLE" ]; then
        /bin/rm -rf -- "$BUNDLE"
        if [ -e "$BUNDLE" ] || [ -L "$BUNDLE" ]; then
            say "$BUNDLE could not be deleted. The mechanism is gone, so logins work; delete it by hand (look for flags: ls -lO)."
            return 1
        fi
        say "The bundle was deleted."
    fi
    # Another program may have put an entry back in between.
    fetch_right "$WORK/proof" || return 0
    measure_right
    [ "$NAMED" = 0 ] || change_right unlock || {
        say "THE NEXT LOGIN WILL FAIL: another program put an entry back that needs the bundle, and it could not be taken out: $WHY. Remove it by hand: security authorizationdb read system.login.console"
        return 1
    }
}

# Through defaults first: cfprefsd keeps a copy in memory.
delete_settings() {
    if [ -e "$LOCAL_SETTINGS.plist" ]; then
        /usr/bin/defaults delete "$LOCAL_SETTINGS" >/dev/null 2>&1 </dev/null
        /bin/rm -f -- "$LOCAL_SETTINGS.plist"
    fi
}

# pkgutil ends with 0 for damaged receipts and with 1 for missing ones, so its status says nothing.
forget_receipts() {
    for receipt in "$@"; do
        /usr/sbin/pkgutil --forget "$receipt" >/dev/null 2>&1 </dev/null || :
    done
}
