# shellcheck shell=sh
# The guard first, so that it puts nothing back; then the entry, then the bundle, then the rest: whatever cuts this short, no
# entry is left without a bundle.

# uninstall_product IDENTIFIER...: the receipts to forget.
uninstall_product() {
    guard_ran=no
    if job_is_loaded; then
        guard_ran=yes
        stop_job || say "The guard's job could not be stopped; it may put the mechanism back as long as the bundle is there."
    fi
    if ! unregister_bundle; then
        [ "$guard_ran" = no ] || start_job || say "The guard's job did not start again; it will at the next start of this Mac."
        say "Nothing was deleted."
        return 1
    fi
    uninstall_failed=no
    if ! delete_guard_files; then
        uninstall_failed=yes
        say "The guard's files could not be deleted: $GUARD_JOB, $GUARD_FOLDER. Delete them by hand (look for flags: ls -lO); until then the guard starts with this Mac, and puts the mechanism back if the bundle is there."
    fi
    delete_bundle || return 1
    delete_settings
    forget_receipts "$@"
    [ "$uninstall_failed" = no ] || return 1
    say "$PRODUCT_NAME was removed. Its log lines stay."
}

delete_bundle() {
    if ! path_is_free "$BUNDLE"; then
        if ! clear_path "$BUNDLE"; then
            say "$BUNDLE could not be deleted. The mechanism is gone, so logins work; delete it by hand (look for flags: ls -lO)."
            return 1
        fi
        say "The bundle was deleted."
    fi
    # Another program may have put an entry back in between.
    read_right || return 0
    measure_right
    [ "$NAMED" = 0 ] || change_right unlock || {
        say "THE NEXT LOGIN WILL FAIL: another program put an entry back that needs the bundle, and it could not be taken out: $WHY. Remove it by hand: security authorizationdb read $LOGIN_RIGHT"
        return 1
    }
}

# Through defaults first: cfprefsd keeps a copy in memory.
delete_settings() {
    for settings in "$LOCAL_SETTINGS" "$ROOT_SETTINGS"; do
        if path_is_free "$settings.plist"; then continue; fi
        quietly 10 /usr/bin/defaults delete "$settings"
        /bin/rm -f -- "$settings.plist"
    done
}

# pkgutil ends with 0 for damaged receipts and with 1 for missing ones, so its status says nothing.
forget_receipts() {
    for receipt in "$@"; do
        quietly 30 /usr/sbin/pkgutil --forget "$receipt"
    done
}
