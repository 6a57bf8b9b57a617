# shellcheck shell=sh
# Asks for a new key at the next login, where one can be made and sent.

# request_key: 0 it is asked for, or was already; 1 it cannot work here, for the reason in WHY_NOT.
request_key() {
    WHY_NOT=''
    find_version
    find_entry
    find_request
    if [ "$HAS_CODE:$ENTRY" != yes:yes ]; then
        WHY_NOT='the plug-in is not installed and registered'
    elif [ "$REQUEST" = forced ]; then
        WHY_NOT='a profile sets GenerateNewKey; remove it from the profile'
    elif [ "$REQUEST" = pending ]; then
        return 0
    elif ! quietly 20 /usr/bin/fdesetup isactive; then
        WHY_NOT='FileVault is not on'
    elif ! read_setting "/Library/Managed Preferences/com.apple.security.FDERecoveryKeyEscrow" Location; then
        WHY_NOT='no profile escrows recovery keys'
    elif ! quietly 20 /usr/bin/defaults write "$LOCAL_SETTINGS.plist" GenerateNewKey -bool true; then
        WHY_NOT='the preference cannot be written'
    fi
    [ -z "$WHY_NOT" ]
}
