# shellcheck shell=sh
# Lays the guard's files down and starts its job. guard.sh lies beside the script that is running.

install_guard() {
    if ! place_guard_files; then
        say "The guard was not installed: its files could not be written to $GUARD_FOLDER and /Library/LaunchDaemons. Make room on the disk or repair these folders, then install again."
        return 1
    fi
    if ! stop_job || ! start_job; then
        say "The guard's files are in place, but its job $GUARD_IDENTIFIER did not start; it will at the next start of this Mac, unless it is switched off in Login Items."
        return 1
    fi
    say "The guard is installed and running ($GUARD_IDENTIFIER)."
}

place_guard_files() {
    [ -f "$SCRIPT_FOLDER/guard.sh" ] && [ ! -L "$SCRIPT_FOLDER/guard.sh" ] || return 1
    make_guard_folder || return 1
    /bin/cp "$SCRIPT_FOLDER/guard.sh" "$WORK/guard.sh" && print_job >"$WORK/guard.plist" &&
        /usr/bin/cmp -s "$SCRIPT_FOLDER/guard.sh" "$WORK/guard.sh" &&
        /usr/bin/plutil -lint -s "$WORK/guard.plist" >/dev/null 2>&1 </dev/null &&
        place_file "$WORK/guard.sh" 0755 "$GUARD_SCRIPT" &&
        place_file "$WORK/guard.plist" 0644 "$GUARD_JOB"
}

make_guard_folder() {
    if [ -L "$GUARD_FOLDER" ]; then return 1; fi
    if [ ! -d "$GUARD_FOLDER" ]; then /bin/mkdir "$GUARD_FOLDER" || return 1; fi
    /usr/sbin/chown 0:0 "$GUARD_FOLDER" && /bin/chmod 0755 "$GUARD_FOLDER"
}

# Owner and mode before the name: nobody sees the file with another content, owner or mode.
place_file() {
    /usr/sbin/chown 0:0 "$1" && /bin/chmod "$2" "$1" && /bin/mv -f "$1" "$3"
}

print_job() {
    printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
        '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">' \
        '<plist version="1.0">' \
        '<dict>' \
        '    <key>AssociatedBundleIdentifiers</key>' \
        "    <array><string>$DOMAIN</string></array>" \
        '    <key>Label</key>' \
        "    <string>$GUARD_IDENTIFIER</string>" \
        '    <key>ProcessType</key>' \
        '    <string>Background</string>' \
        '    <key>ProgramArguments</key>' \
        "    <array><string>/bin/sh</string><string>$GUARD_SCRIPT</string></array>" \
        '    <key>RunAtLoad</key>' \
        '    <true/>' \
        '    <key>StartCalendarInterval</key>' \
        '    <dict><key>Hour</key><integer>11</integer><key>Minute</key><integer>40</integer></dict>' \
        '    <key>WatchPaths</key>' \
        "    <array><string>$PLUG_IN_FOLDER</string></array>" \
        '</dict>' \
        '</plist>'
}
