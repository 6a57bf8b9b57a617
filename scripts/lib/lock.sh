# shellcheck shell=sh disable=SC2034
# One lock between all scripts of this product. It lies where only root can write, so nobody else can take or block it.
STATE_FOLDER=/private/var/db
LOCK=$STATE_FOLDER/$DOMAIN.lock
LOCK_WAIT=90   # seconds until we give up
LOCK_LIFE=900  # seconds after which a lock counts as forgotten, whoever has its process number now
LOCK_TOKEN=''
NO_LOCK=''     # why there is none, where none could be made

catch_signals() {
    trap release_lock EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# take_lock: ends the script when another one holds it. Where none can be made, as on a full disk, NO_LOCK says why: an entry
# can be taken out without, as that never harms what another script does, but none is put in.
take_lock() {
    catch_signals
    if state_folder_is_private; then
        wait_for_lock
    else
        # shellcheck disable=SC2034 # as above
        NO_LOCK="$STATE_FOLDER is not a folder that only root can write; repair its owner and mode"
    fi
    [ -z "$LOCK_TOKEN" ] || remove_leftovers
}

# lock_allows TASK (as plan_right).
lock_allows() {
    if [ -n "$NO_LOCK" ]; then
        case $1 in unregister | unlock) return 0 ;; esac
        WHY=$NO_LOCK
        return 1
    fi
    lock_is_ours && return 0
    WHY="another script of $PRODUCT_NAME took over"
    return 1
}

# shellcheck disable=SC2317 # called by trap
release_lock() {
    [ -n "$LOCK_TOKEN" ] || return 0
    if lock_is_ours; then /bin/rm -f -- "$LOCK"; fi
    [ -L "$LOCK" ] || LOCK_TOKEN=''
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
wait_for_lock() {
    lock_waited=0
    lock_failed=0
    while [ "$lock_failed" -lt 5 ]; do
        LOCK_TOKEN=$$.$(/bin/date +%s)
        if /bin/ln -s "$LOCK_TOKEN" "$LOCK" 2>/dev/null && lock_is_ours; then return 0; fi
        LOCK_TOKEN=''
        if ! lock_holder=$(/usr/bin/readlink "$LOCK" 2>/dev/null) || [ -z "$lock_holder" ]; then
            lock_failed=$((lock_failed + 1))
        elif lock_is_stale "$lock_holder"; then
            break_lock "$lock_holder" || lock_failed=$((lock_failed + 1))
        elif [ "$lock_waited" -ge "$LOCK_WAIT" ]; then
            fail "Another script of $PRODUCT_NAME is still at work (process ${lock_holder%%.*}). Nothing was changed; run this again later."
        else
            lock_waited=$((lock_waited + 1))
            /bin/sleep 1
        fi
    done
    # shellcheck disable=SC2034 # not every script changes the right
    NO_LOCK="$LOCK could not be made; look at what stands there and at the free space"
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
        *[!0-9.]* | .* | *. | *.*.* | 0* | *.0*) return 0 ;;
    esac
    [ "$stale_process" != "$$" ] || return 0
    kill -0 "$stale_process" 2>/dev/null || return 0
    stale_now=$(/bin/date +%s) || return 1
    stale_age=$((stale_now - stale_since))
    [ "$stale_age" -gt "$LOCK_LIFE" ] || [ "$stale_age" -lt "-$LOCK_LIFE" ]
}

break_lock() {
    /bin/mv -f "$LOCK" "$LOCK.$$" 2>/dev/null || return 1
    broken=$(/usr/bin/readlink "$LOCK.$$" 2>/dev/null)
    /bin/rm -f -- "$LOCK.$$"
    # Somebody else was quicker and the link we moved was new: give it back.
    [ "$broken" = "$1" ] || /bin/ln -s "$broken" "$LOCK" 2>/dev/null || :
}

# What a run left that was killed while it broke a lock. We hold the lock now, so no living run owns it.
remove_leftovers() {
    for leftover in "$LOCK".*; do
        if [ -L "$leftover" ]; then /bin/rm -f -- "$leftover"; fi
    done
}
