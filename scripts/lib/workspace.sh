# shellcheck shell=sh
# One lock between all scripts of this product, and a private folder while it is held.
# /private/var/db can be written by root only, so nobody else can place a file, a link or a pipe in our way.
STATE_FOLDER=/private/var/db
LOCK=$STATE_FOLDER/$DOMAIN.lock
LOCK_WAIT=90   # seconds until we give up
LOCK_LIFE=300  # seconds after which a lock counts as forgotten, whoever has its process number now
LOCK_TOKEN=''
WORK=''

catch_signals() {
    trap close_workspace EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

open_workspace() {
    catch_signals
    state_folder_is_private ||
        fail "$STATE_FOLDER is not a folder that only root can write. Nothing was changed; repair its owner and mode, then run this again."
    take_lock
    remove_leftovers
    WORK=$(/usr/bin/mktemp -d "$STATE_FOLDER/$DOMAIN.work.XXXXXX" 2>/dev/null) || WORK=''
    if [ -z "$WORK" ] || [ ! -d "$WORK" ]; then
        WORK=''
        fail "No private folder could be made in $STATE_FOLDER. Nothing was changed; make room on the disk, then run this again."
    fi
}

# shellcheck disable=SC2317 # called by trap
close_workspace() {
    # shellcheck disable=SC2086 # process numbers
    [ -z "${RUNNING:-}" ] || kill -TERM $RUNNING 2>/dev/null
    if [ -n "$WORK" ]; then
        /bin/rm -rf -- "$WORK"
        [ -e "$WORK" ] || WORK=''
    fi
    if [ -n "$LOCK_TOKEN" ]; then
        if lock_is_ours; then /bin/rm -f -- "$LOCK"; fi
        [ -L "$LOCK" ] || LOCK_TOKEN=''
    fi
}

workspace_is_gone() {
    [ -z "$WORK$LOCK_TOKEN" ]
}

state_folder_is_private() {
    [ ! -L "$STATE_FOLDER" ] && [ -d "$STATE_FOLDER" ] || return 1
    case $(/usr/bin/stat -f '%u %Lp' "$STATE_FOLDER" 2>/dev/null) in
        '0 '[0-7][0145][0145]) return 0 ;;
    esac
    return 1
}

# The lock is a symbolic link whose target says who holds it: link and owner appear in one step, so a
# script that is killed never leaves a lock without an owner.
take_lock() {
    lock_waited=0
    lock_failed=0
    while :; do
        LOCK_TOKEN=$$.$(/bin/date +%s)
        if /bin/ln -s "$LOCK_TOKEN" "$LOCK" 2>/dev/null && lock_is_ours; then return 0; fi
        if ! lock_holder=$(/usr/bin/readlink "$LOCK" 2>/dev/null) || [ -z "$lock_holder" ]; then
            lock_failed=$((lock_failed + 1))
            if [ "$lock_failed" -ge 5 ]; then
                LOCK_TOKEN=''
                fail "$LOCK could not be made. Nothing was changed; look at what stands there and at the free space, then run this again."
            fi
        elif lock_is_stale "$lock_holder"; then
            break_lock "$lock_holder"
        else
            if [ "$lock_waited" -ge "$LOCK_WAIT" ]; then
                LOCK_TOKEN=''
                fail "Another script of $PRODUCT_NAME is still at work (process ${lock_holder%%.*}). Nothing was changed; run this again later."
            fi
            lock_waited=$((lock_waited + 1))
            /bin/sleep 1
        fi
    done
}

lock_is_ours() {
    [ -n "$LOCK_TOKEN" ] && [ "$(/usr/bin/readlink "$LOCK" 2>/dev/null)" = "$LOCK_TOKEN" ]
}

# A holder is gone when its process is, when its number is now our own, or when the lock is older than
# any run of ours can be (its number may belong to somebody else by now).
lock_is_stale() {
    stale_process=${1%%.*}
    stale_since=${1#*.}
    case $stale_process.$stale_since in
        *[!0-9.]* | .* | *. | *.*.*) return 0 ;;
    esac
    [ "$stale_process" != "$$" ] || return 0
    kill -0 "$stale_process" 2>/dev/null || return 0
    stale_now=$(/bin/date +%s) || return 1
    stale_age=$((stale_now - stale_since))
    [ "$stale_age" -gt "$LOCK_LIFE" ] || [ "$stale_age" -lt "-$LOCK_LIFE" ]
}

break_lock() {
    /bin/mv -f "$LOCK" "$LOCK.$$" 2>/dev/null || return 0
    broken=$(/usr/bin/readlink "$LOCK.$$" 2>/dev/null)
    /bin/rm -f -- "$LOCK.$$"
    # Somebody else was quicker and the link we moved was new: give it back.
    [ "$broken" = "$1" ] || /bin/ln -s "$broken" "$LOCK" 2>/dev/null || :
}

# What a killed run left. We hold the lock, so no living run owns any of it.
remove_leftovers() {
    for leftover in "$STATE_FOLDER/$DOMAIN".work.* "$LOCK".*; do
        if [ -L "$leftover" ]; then
            case $leftover in "$LOCK".*) /bin/rm -f -- "$leftover" ;; esac
        elif [ -d "$leftover" ] && [ "$(/usr/bin/stat -f %u "$leftover" 2>/dev/null)" = 0 ]; then
            /bin/rm -rf -- "$leftover"
        fi
    done
}
