# shellcheck shell=sh disable=SC2034
# Where the guard lives: outside the bundle and outside every receipt, so that a removal by receipt leaves it alive.
GUARD_FOLDER="/Library/Application Support/$PRODUCT_NAME"
GUARD_SCRIPT=$GUARD_FOLDER/guard.sh
GUARD_RECORD=$GUARD_FOLDER/guard.plist
GUARD_JOB=/Library/LaunchDaemons/$GUARD_IDENTIFIER.plist
# With the boot session behind it: made when the guard has written the right in this boot. macOS does not always empty the
# folder at a start.
GUARD_MARK=/var/run/$GUARD_IDENTIFIER.healed

# The job first: cut short after that, launchd still has it in memory and starts the script once more.
delete_guard_files() {
    clear_path "$GUARD_JOB"
    for mark in "$GUARD_MARK"*; do clear_path "$mark"; done
    clear_path "$GUARD_FOLDER"
    path_is_free "$GUARD_JOB" && path_is_free "$GUARD_FOLDER"
}

# clear_path PATH: nothing stands there afterwards, whatever did. The places are root's alone.
clear_path() {
    if ! path_is_free "$1"; then /bin/rm -rf -- "$1"; fi
    path_is_free "$1"
}

path_is_free() {
    [ ! -e "$1" ] && [ ! -L "$1" ]
}
