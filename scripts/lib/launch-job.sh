# shellcheck shell=sh
# The guard's job in launchd. "print" decides; the other verbs' exit statuses differ between releases.
job_is_loaded() {
    quietly 20 /bin/launchctl print "system/$GUARD_IDENTIFIER"
}

# bootout may return before the job is gone.
stop_job() {
    job_is_loaded || return 0
    quietly 20 /bin/launchctl bootout "system/$GUARD_IDENTIFIER"
    for stop_try in 1 2 3 4 5; do
        job_is_loaded || return 0
        [ "$stop_try" = 5 ] || /bin/sleep 1
    done
    return 1
}

# bootstrap fails with 5 for a moment after a bootout.
start_job() {
    for start_try in 1 2 3 4; do
        quietly 20 /bin/launchctl bootstrap system "$GUARD_JOB"
        if job_is_loaded; then return 0; fi
        [ "$start_try" = 4 ] || /bin/sleep 1
    done
    return 1
}
