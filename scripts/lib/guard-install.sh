# shellcheck shell=sh
# Lays the guard's files down and starts its job. guard.sh lies beside the script that is running.

install_guard() {
    if ! place_guard_files; then
        say "The guard was not installed: $PLACE_PROBLEM."
        return 1
    fi
    if ! stop_job || ! start_job; then
        say "The guard's files are in place, but its job $GUARD_IDENTIFIER did not start; it will at the next start of this Mac, unless it is switched off in Login Items."
        return 1
    fi
    say "The guard is installed and running ($GUARD_IDENTIFIER)."
}

# What root will run must lie where only root can write: owner, mode and access control list, from the top down.
place_guard_files() {
    PLACE_PROBLEM="guard.sh is not beside this script"
    [ -f "$SCRIPT_FOLDER/guard.sh" ] && [ ! -L "$SCRIPT_FOLDER/guard.sh" ] || return 1
    for place in "${GUARD_FOLDER%/*}" "${GUARD_JOB%/*}"; do
        PLACE_PROBLEM="$place is not a folder that only root can write; repair its owner and mode, then install again"
        [ ! -L "$place" ] || return 1
        case $(/usr/bin/stat -f '%u %Lp %HT' "$place" 2>/dev/null) in
            '0 '[0-7][0145][0145]' Directory') ;;
            *) return 1 ;;
        esac
    done
    PLACE_PROBLEM="its files could not be written to $GUARD_FOLDER and ${GUARD_JOB%/*}; make room on the disk, look for flags (ls -lO), then install again"
    own_guard_folder || return 1
    clear_path "$GUARD_FOLDER/new" && /bin/cp "$SCRIPT_FOLDER/guard.sh" "$GUARD_FOLDER/new" &&
        /usr/bin/cmp -s "$SCRIPT_FOLDER/guard.sh" "$GUARD_FOLDER/new" && place_file 0755 "$GUARD_SCRIPT" &&
        print_job >"$GUARD_FOLDER/new" && /usr/bin/plutil -lint -s "$GUARD_FOLDER/new" >/dev/null 2>&1 </dev/null &&
        place_file 0644 "$GUARD_JOB"
}

# A folder that was somebody else's may hold anything: it is made anew. In one of ours, the record stays.
own_guard_folder() {
    if guard_folder_is_roots; then return 0; fi
    if [ -d "$GUARD_FOLDER" ] && [ ! -L "$GUARD_FOLDER" ]; then
        # Closed to its owner before it is emptied.
        /usr/sbin/chown 0:0 "$GUARD_FOLDER" && /bin/chmod 0700 "$GUARD_FOLDER" || return 1
    fi
    clear_path "$GUARD_FOLDER" && /bin/mkdir "$GUARD_FOLDER" && /usr/sbin/chown 0:0 "$GUARD_FOLDER" && /bin/chmod 0755 "$GUARD_FOLDER" || return 1
    # What its own parent hands down.
    case $(/bin/ls -lde "$GUARD_FOLDER" 2>/dev/null) in *' allow '*) /bin/chmod -N "$GUARD_FOLDER" ;; esac
    guard_folder_is_roots
}

guard_folder_is_roots() {
    [ ! -L "$GUARD_FOLDER" ] && [ -d "$GUARD_FOLDER" ] || return 1
    [ "$(/usr/bin/stat -f '%u:%g %Lp' "$GUARD_FOLDER" 2>/dev/null)" = '0:0 755' ] || return 1
    case $(/bin/ls -lde "$GUARD_FOLDER" 2>/dev/null) in *' allow '*) return 1 ;; esac
}

# place_file MODE PATH: the new file becomes PATH. Owner and mode before the name: nobody sees it with others. A folder or a
# link of that name would swallow it.
place_file() {
    /usr/sbin/chown 0:0 "$GUARD_FOLDER/new" && /bin/chmod "$1" "$GUARD_FOLDER/new" || return 1
    if [ -L "$2" ] || [ -d "$2" ]; then clear_path "$2" || return 1; fi
    /bin/mv -f "$GUARD_FOLDER/new" "$2" && [ -f "$2" ] && [ ! -L "$2" ]
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
        '    <key>StartInterval</key>' \
        '    <integer>600</integer>' \
        '    <key>WatchPaths</key>' \
        '    <array>'
    # A folder's own event tells of names that come and go in it, and of nothing further down.
    for watched in "$PLUG_IN_FOLDER" "$BUNDLE" "$BUNDLE/Contents" "$BUNDLE/Contents/MacOS"; do
        printf '        <string>%s</string>\n' "$watched"
    done
    printf '%s\n' '    </array>' '</dict>' '</plist>'
}
