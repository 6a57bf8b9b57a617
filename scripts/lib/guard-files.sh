# shellcheck shell=sh disable=SC2034
# Where the guard lives: outside the bundle and outside every receipt, so that a removal by receipt leaves it alive.
GUARD_FOLDER="/Library/Application Support/$PRODUCT_NAME"
GUARD_SCRIPT=$GUARD_FOLDER/guard.sh
GUARD_RECORD=$GUARD_FOLDER/guard.plist
GUARD_JOB=/Library/LaunchDaemons/$GUARD_IDENTIFIER.plist
# Made when the guard has written the right in this boot; macOS empties the folder at every start.
GUARD_MARK=/var/run/$GUARD_IDENTIFIER.healed

# The job first: cut short after that, launchd still has it in memory and starts the script once more.
delete_guard_files() {
    /bin/rm -f -- "$GUARD_JOB"
    if [ -d "$GUARD_MARK" ]; then /bin/rmdir "$GUARD_MARK" 2>/dev/null; fi
    if [ -d "$GUARD_FOLDER" ] && [ ! -L "$GUARD_FOLDER" ]; then /bin/rm -rf -- "$GUARD_FOLDER"; fi
    [ ! -e "$GUARD_JOB" ] && [ ! -e "$GUARD_FOLDER" ]
}
