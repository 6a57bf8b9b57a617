# shellcheck shell=sh disable=SC2034
# macOS has no timeout(1): a command in the background, and a second process that kills it. authd, cfprefsd or codesign may
# hang, and then the tool that asks them does.
TIME_UP=124 # no tool that is asked ends with it

# limited SECONDS COMMAND...: runs the command with the input and output that are ours. Its exit status, or TIME_UP.
# Only inside ( ) or $( ), so that what runs in the background has none of our traps, and ends with its reader.
limited() {
    limited_seconds=$1
    shift
    # A command in the background would read from /dev/null.
    exec 3<&0
    "$@" <&3 3<&- &
    limited_command=$!
    end_later "$limited_command" "$limited_seconds" </dev/null >/dev/null 2>&1 3<&- &
    limited_clock=$!
    { wait "$limited_command"; } 2>/dev/null
    limited_status=$?
    kill -TERM "$limited_clock" 2>/dev/null
    { wait "$limited_clock"; } 2>/dev/null
    # 128 and the number of SIGALRM, which nobody else sends: a command that crashes or that others kill ends differently.
    [ "$limited_status" != 142 ] || limited_status=$TIME_UP
    return "$limited_status"
}

# end_later PROCESS SECONDS
# shellcheck disable=SC2317 # its trap is called by the shell
end_later() {
    sleeper=''
    trap '[ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null; exit 0' TERM
    /bin/sleep "$2" &
    sleeper=$!
    wait "$sleeper"
    kill -ALRM "$1" 2>/dev/null
    /bin/sleep 5 &
    sleeper=$!
    wait "$sleeper"
    kill -KILL "$1" 2>/dev/null
}

# quietly SECONDS COMMAND...: as limited, from anywhere, without input and output.
quietly() {
    (limited "$@") </dev/null >/dev/null 2>&1
}
