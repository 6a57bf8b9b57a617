# shellcheck shell=sh disable=SC2034
# What the plug-in wrote at the last login that was asked for a new key.

look_at_outcome() {
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
    read_local LastFailedUID
    FAILED_UID=$SETTING
    if [ "$SETTINGS_ANSWER" = no ]; then no_settings last-outcome; else check_outcome; fi
}

# SETTING is empty when the key is not there.
read_local() {
    read_setting "$LOCAL_SETTINGS" "$1" || SETTING=''
}

check_outcome() {
    case $OUTCOME in
        '') verdict last-outcome 0 none ;;
        rotated) verdict last-outcome 0 "rotated; whether the MDM has the new key, the MDM tells" ;;
        not-awaited) verdict last-outcome 0 "not-awaited: the change went on without the login; the next login looks whether a new key came of it" ;;
        held-back) verdict last-outcome 0 "held-back after failures; another attempt follows later, or at the login of another user" ;;
        no-credentials | token-login) verdict last-outcome 0 "$OUTCOME: the request waits for a login with the password" ;;
        no-password-login) verdict last-outcome 0 "no-password-login: this login had no password; the request waits for one with it" ;;
        guest-login) verdict last-outcome 0 "guest-login: a guest cannot change the key; the request waits for another user" ;;
        no-token-yet) verdict last-outcome 0 "no-token-yet: no user held a SecureToken; the request waits until one does" ;;
        filevault-off | filevault-busy | no-escrow-profile) verdict last-outcome 0 "$OUTCOME" ;;
        *) verdict last-outcome 1 "$OUTCOME" ;;
    esac
}
