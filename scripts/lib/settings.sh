# shellcheck shell=sh disable=SC2034
# Settings: what a profile sets wins over what is set on this Mac.
MANAGED_SETTINGS="/Library/Managed Preferences/$DOMAIN"
LOCAL_SETTINGS=/Library/Preferences/$DOMAIN
# Where `sudo defaults write com.netflix.Escrow-Buddy` without a path puts a value.
ROOT_SETTINGS=/var/root/Library/Preferences/$DOMAIN
SETTINGS_ANSWER=yes

# read_setting FILE KEY sets SETTING; fails when it is not there, or when cfprefsd gave no answer: SETTINGS_ANSWER is "no" then,
# and nothing more is asked.
read_setting() {
    [ -e "$1.plist" ] || return 1
    [ "$SETTINGS_ANSWER" = yes ] || return "$TIME_UP"
    SETTING=$(limited 10 /usr/bin/defaults read "$1" "$2" 2>/dev/null </dev/null)
    setting_status=$?
    # shellcheck disable=SC2034 # not every script looks at it
    [ "$setting_status" != "$TIME_UP" ] || SETTINGS_ANSWER=no
    return "$setting_status"
}

# setting_is_on KEY: true for 1, true, yes, y, on in any case and for numbers but 0. What is none of them counts as not set.
setting_is_on() {
    for setting_place in "$MANAGED_SETTINGS" "$LOCAL_SETTINGS"; do
        read_setting "$setting_place" "$1" || continue
        read_boolean "$SETTING" && return "$BOOLEAN"
        say "$1 in $setting_place is neither true nor false, so it counts as not set."
    done
    return 1
}

# read_boolean TEXT sets BOOLEAN to 0 (true) or 1 (false), as exit statuses are; fails when TEXT is neither.
read_boolean() {
    boolean_text=$1
    while :; do
        case $boolean_text in
            ' '* | '	'*) boolean_text=${boolean_text#?} ;;
            *' ' | *'	') boolean_text=${boolean_text%?} ;;
            *) break ;;
        esac
    done
    case $boolean_text in
        [Tt][Rr][Uu][Ee] | [Yy][Ee][Ss] | [Yy] | [Oo][Nn]) BOOLEAN=0 ;;
        [Ff][Aa][Ll][Ss][Ee] | [Nn][Oo] | [Nn] | [Oo][Ff][Ff]) BOOLEAN=1 ;;
        '' | *[!0-9.-]* | ?*-* | *.*.*) return 1 ;;
        *[1-9]*) BOOLEAN=0 ;;
        *0*) BOOLEAN=1 ;;
        *) return 1 ;;
    esac
}

# read_text_setting KEY sets SETTING; fails when it is set nowhere.
read_text_setting() {
    read_setting "$MANAGED_SETTINGS" "$1" || read_setting "$LOCAL_SETTINGS" "$1"
}

# REQUEST: none, pending or forced; any domain that says true is a request.
find_request() {
    REQUEST=none
    if read_setting "$MANAGED_SETTINGS" GenerateNewKey; then
        REQUEST=forced
        return
    fi
    for request_place in "$LOCAL_SETTINGS" "$ROOT_SETTINGS"; do
        if read_setting "$request_place" GenerateNewKey && read_boolean "$SETTING" && [ "$BOOLEAN" = 0 ]; then REQUEST=pending; fi
    done
}
