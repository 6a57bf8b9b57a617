# shellcheck shell=sh disable=SC2034
# Whether the bundle can be loaded by the login window. Nothing is registered before this says "valid".

# check_bundle sets BUNDLE_STATE and BUNDLE_WHY:
#   valid
#   absent      the bundle or its executable is not there, or is something else       } proof that it cannot
#   exposed     somebody else than root owns it or may write to it                     } be trusted: an entry
#   not-code    its executable is not a Mach-O file                                       } must go
#   unsigned    codesign refused it three times over ten seconds                       }
#   unfamiliar  its signature is valid, but not ours: another version's, or a stranger's
#   unfit       not for this Mac's processor
#   unproven    a check could not be made, or codesign came to no result: proves nothing
check_bundle() {
    if ! bundle_is_there || ! bundle_is_roots || ! bundle_is_code; then return 1; fi
    # Before the processor: an executable that was cut short fits none, and only codesign can prove that it is broken.
    if ! bundle_is_signed || ! bundle_fits; then return 1; fi
    BUNDLE_STATE=valid BUNDLE_WHY="the bundle is valid"
}

bundle_is_proven_bad() {
    case $BUNDLE_STATE in absent | exposed | not-code | unsigned) return 0 ;; esac
    return 1
}

blame_bundle() {
    BUNDLE_STATE=$1 BUNDLE_WHY=$2
    return 1
}

bundle_is_there() {
    for part in "$BUNDLE" "$BUNDLE/Contents" "$BUNDLE/Contents/MacOS"; do
        if [ -L "$part" ] || [ ! -d "$part" ]; then blame_bundle absent "$part is not a folder" || return 1; fi
    done
    for part in "$BUNDLE/Contents/Info.plist" "$BUNDLE/Contents/MacOS/$EXECUTABLE"; do
        if [ -L "$part" ] || [ ! -f "$part" ]; then blame_bundle absent "$part is not a file" || return 1; fi
    done
    [ -x "$BUNDLE/Contents/MacOS/$EXECUTABLE" ] || blame_bundle exposed "$BUNDLE/Contents/MacOS/$EXECUTABLE is not executable"
}

# root:wheel, no link, and no write permission for anybody else, for all that the bundle holds and for the folder it lies in,
# where others could put another bundle in its place.
bundle_is_roots() {
    bundle_place=$(/usr/bin/stat -f '%u %Lp %HT' "$PLUG_IN_FOLDER" 2>/dev/null) || bundle_place=''
    case $bundle_place in
        '0 '[0-7][0145][0145]' Directory') ;;
        '') blame_bundle unproven "owner and mode of $PLUG_IN_FOLDER could not be read" || return 1 ;;
        *) blame_bundle exposed "$PLUG_IN_FOLDER is not a folder that only root can write ($bundle_place)" || return 1 ;;
    esac
    if ! bundle_odd=$(/usr/bin/find "$BUNDLE" \( ! -user 0 -o ! -group 0 -o -perm -020 -o -perm -02 -o ! -type d ! -type f \) -print 2>/dev/null </dev/null); then
        blame_bundle unproven "owners and modes in the bundle could not be read" || return 1
    fi
    if [ -n "$bundle_odd" ]; then
        show_entry "${bundle_odd%%"$NEWLINE"*}"
        blame_bundle exposed "not root:wheel, or others may write to it, or a link: $SHOWN" || return 1
    fi
    bundle_grants_nothing
}

# Access control lists give more than the mode shows. An ls that cannot list them says nothing against the bundle.
bundle_grants_nothing() {
    bundle_lists=$(/bin/ls -lde "$PLUG_IN_FOLDER" "$BUNDLE" "$BUNDLE/Contents" "$BUNDLE/Contents/MacOS" "$BUNDLE/Contents/MacOS/$EXECUTABLE" 2>/dev/null) || return 0
    bundle_lists=$bundle_lists$NEWLINE
    while [ -n "$bundle_lists" ]; do
        case ${bundle_lists%%"$NEWLINE"*} in
            ' '*': '*' allow '*write* | ' '*': '*' allow '*append* | ' '*': '*' allow '*add_* | ' '*': '*' allow '*delete* | ' '*': '*' allow '*chown*)
                blame_bundle exposed "an access control list lets others change the bundle (see: ls -lde)" || return 1
                ;;
        esac
        bundle_lists=${bundle_lists#*"$NEWLINE"}
    done
}

# The first four bytes: a universal or a 64-bit file of a Mac. An od that fails leaves the verdict to codesign.
bundle_is_code() {
    [ -s "$BUNDLE/Contents/MacOS/$EXECUTABLE" ] || blame_bundle not-code "$BUNDLE/Contents/MacOS/$EXECUTABLE is empty" || return 1
    bundle_magic=$(/usr/bin/od -A n -t x1 -N 4 "$BUNDLE/Contents/MacOS/$EXECUTABLE" 2>/dev/null </dev/null) || return 0
    case $bundle_magic in
        '' | *ca*fe*ba*be* | *cf*fa*ed*fe*) ;;
        *) blame_bundle not-code "$BUNDLE/Contents/MacOS/$EXECUTABLE is not a Mach-O file" ;;
    esac
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

# Status 1 is also how codesign ends in trouble of its own, so only three refusals in a row over ten seconds are proof; a
# crash of codesign over the bundle counts as one. Two runs without any result (its first may wait for the network) end it.
bundle_is_signed() {
    signed_refused=0 signed_stumbled=0
    while :; do
        quietly 30 /usr/bin/codesign --verify --strict -R "=$CODE_REQUIREMENT" "$BUNDLE"
        signed_status=$?
        case $signed_status in
            0) return 0 ;;
            3) blame_bundle unfamiliar "the bundle's signature is valid, but not that of this product's team" || return 1 ;;
            "$TIME_UP") signed_stumbled=$((signed_stumbled + 1)) ;;
            *)
                if [ "$signed_status" = 1 ] || [ "$signed_status" -gt 128 ]; then
                    signed_refused=$((signed_refused + 1))
                else
                    signed_stumbled=$((signed_stumbled + 1))
                fi
                ;;
        esac
        if [ "$signed_refused" -ge 3 ]; then
            blame_bundle unsigned "codesign does not accept the bundle's signature" || return 1
        fi
        if [ "$signed_stumbled" -ge 2 ]; then
            blame_bundle unproven "codesign came to no result about the bundle" || return 1
        fi
        /bin/sleep 5
    done
}
