# shellcheck shell=sh disable=SC2034
# macOS has no timeout(1): a command in the background, and a second process that kills it.
RUNNING='' # both, to be ended when the script is

# run_limited SECONDS COMMAND...: the command's exit status; 137 when it had to be killed.
run_limited() {
    limit=$1
    shift
    # A process that is killed before it has forgotten our traps would run them, and clean up under our feet.
    trap - EXIT HUP INT TERM
    "$@" </dev/null >/dev/null 2>&1 &
    limited=$!
    limit_process "$limited" "$limit" </dev/null >/dev/null 2>&1 &
    limiter=$!
    RUNNING="$limited $limiter"
    catch_signals
    { wait "$limited"; } 2>/dev/null
    limited_status=$?
    RUNNING=$limiter
    kill -TERM "$limiter" 2>/dev/null
    { wait "$limiter"; } 2>/dev/null
    RUNNING=''
    return "$limited_status"
}

limit_process() {
    sleeper=''
    trap '[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null; exit 0' TERM
    /bin/sleep "$2" &
    sleeper=$!
    wait "$sleeper"
    kill -KILL "$1" 2>/dev/null
}
