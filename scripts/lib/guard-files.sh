# shellcheck shell=sh disable=SC2034
# Where the guard lives: outside the bundle and outside every receipt, so that a removal by receipt leaves it alive.
GUARD_FOLDER="/Library/Application Support/$PRODUCT_NAME"
GUARD_SCRIPT=$GUARD_FOLDER/guard.sh
GUARD_RECORD=$GUARD_FOLDER/guard.plist
GUARD_JOB=/Library/LaunchDaemons/$GUARD_IDENTIFIER.plist
# Made when the guard has written the right in this boot; macOS empties the folder at every start.
GUARD_MARK=/var/run/$GUARD_IDENTIFIER.healed

# The job first: without it nothing starts the script again. What is left when this is cut short, the next run takes.
delete_guard_files() {
    /bin/rm -f -- "$GUARD_RECORD" "$GUARD_JOB" "$GUARD_SCRIPT"
    if [ -d "$GUARD_MARK" ]; then /bin/rmdir "$GUARD_MARK" 2>/dev/null; fi
    if [ -d "$GUARD_FOLDER" ] && [ ! -L "$GUARD_FOLDER" ]; then /bin/rmdir "$GUARD_FOLDER" 2>/dev/null; fi
    [ ! -e "$GUARD_JOB" ] && [ ! -e "$GUARD_SCRIPT" ]
}
