# shellcheck shell=sh disable=SC2034
# Whether the bundle can be loaded by the login window. Nothing is registered before this says "valid".

# check_bundle sets BUNDLE_STATE and BUNDLE_WHY:
#   valid
#   absent     the bundle or its executable is not there, or is no folder or file     } proof that it cannot
#   exposed    somebody else than root owns it or may write to it                      } be trusted: an entry
#   unsigned   codesign refused it twice                                               } must go
#   unfit      not for this Mac's processor
#   unproven   a check could not be made, or codesign did not end: proves nothing
check_bundle() {
    if ! bundle_is_there || ! bundle_is_roots; then return 1; fi
    # Before the processor: an executable that was cut short fits none, and only codesign can prove that it is broken.
    if [ "$CODE_SIGNED" = yes ]; then bundle_is_signed || return 1; fi
    bundle_fits || return 1
    BUNDLE_STATE=valid BUNDLE_WHY="the bundle is valid"
}

bundle_is_proven_bad() {
    case $BUNDLE_STATE in absent | exposed | unsigned) return 0 ;; esac
    return 1
}

blame_bundle() {
    BUNDLE_STATE=$1 BUNDLE_WHY=$2
    return 1
}

bundle_is_there() {
    for part in "$BUNDLE" "$BUNDLE/Contents" "$BUNDLE/Contents/MacOS"; do
        if [ -L "$part" ] || [ ! -d "$part" ]; then blame_bundle absent "$part is no folder" || return 1; fi
    done
    for part in "$BUNDLE/Contents/Info.plist" "$BUNDLE/Contents/MacOS/$EXECUTABLE"; do
        if [ -L "$part" ] || [ ! -f "$part" ]; then blame_bundle absent "$part is no file" || return 1; fi
    done
    [ -x "$BUNDLE/Contents/MacOS/$EXECUTABLE" ] || blame_bundle exposed "$BUNDLE/Contents/MacOS/$EXECUTABLE is not executable"
}

# root:wheel, no link, and no write permission for group or others, for all that the bundle holds.
bundle_is_roots() {
    set -- "$BUNDLE" "$BUNDLE"/Contents "$BUNDLE"/Contents/* "$BUNDLE"/Contents/*/*
    if ! bundle_modes=$(/usr/bin/stat -f '%u:%g %Lp %HT' "$@" 2>/dev/null) || [ -z "$bundle_modes" ]; then
        blame_bundle unproven "owner and mode of the bundle could not be read" || return 1
    fi
    bundle_modes=$bundle_modes$NEWLINE
    while [ -n "$bundle_modes" ]; do
        bundle_mode=${bundle_modes%%"$NEWLINE"*}
        bundle_modes=${bundle_modes#*"$NEWLINE"}
        case $bundle_mode in
            '0:0 '[0-7][0145][0145]' Directory' | '0:0 '[0-7][0145][0145]' Regular File') ;;
            *) blame_bundle exposed "$1 holds something that is not root:wheel or that others may write ($bundle_mode)" || return 1 ;;
        esac
    done
}

# file(1), as lipo is only a placeholder on Macs without the developer tools.
bundle_fits() {
    bundle_processor=$(/usr/bin/uname -m) || bundle_processor=''
    bundle_kind=$(/usr/bin/file -b "$BUNDLE/Contents/MacOS/$EXECUTABLE" 2>/dev/null </dev/null) || bundle_kind=''
    if [ -z "$bundle_processor" ] || [ -z "$bundle_kind" ]; then
        blame_bundle unproven "the processor type of the bundle could not be read" || return 1
    fi
    case $bundle_kind in
        *Mach-O*"$bundle_processor"*) ;;
        *) blame_bundle unfit "the bundle is not made for $bundle_processor" ;;
    esac
}

# Two refusals are proof; a codesign that hangs (its first run may wait for the network) or that fails in another way is not.
bundle_is_signed() {
    for signed_try in 1 2; do
        ask_codesign
        case $? in
            0) return 0 ;;
            1 | 3) signed_verdict=unsigned ;;
            *) signed_verdict=unproven ;;
        esac
        [ "$signed_try" = 2 ] || signed_first=$signed_verdict
    done
    if [ "$signed_first$signed_verdict" = unsignedunsigned ]; then
        blame_bundle unsigned "codesign does not accept the bundle's signature"
    else
        blame_bundle unproven "codesign did not come to a result about the bundle"
    fi
}

ask_codesign() {
    if [ -n "$CODE_REQUIREMENT" ]; then
        run_limited 30 /usr/bin/codesign --verify --strict "-R=$CODE_REQUIREMENT" "$BUNDLE"
    else
        run_limited 30 /usr/bin/codesign --verify --strict "$BUNDLE"
    fi
}
