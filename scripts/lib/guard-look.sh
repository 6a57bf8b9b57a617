# shellcheck shell=sh disable=SC2034
# What the guard sees. It looks every ten minutes, so a look at a bundle that has not changed starts few processes and no
# codesign. Whatever it does to the right, it does after a full look.

SEEN=''        # what the bundle looked like at the last full look, and what came of it; kept in the record
BUNDLE_FRESH=no # whether BUNDLE_STATE comes from a full look of this run

# look_at_bundle sets BUNDLE_STATE and BUNDLE_WHY, from the record where nothing has changed since.
look_at_bundle() {
    look_is_cheap || look_closely
}

look_is_cheap() {
    read_record BundleSeen
    take_picture
    case $RECORDED in [a-z]*" $PICTURE") ;; *) return 1 ;; esac
    SEEN=$RECORDED
    BUNDLE_STATE=${RECORDED%%' '*}
    BUNDLE_WHY="nothing of the bundle has changed since it was found $BUNDLE_STATE"
}

# An installer may be at work in this moment, so a bad bundle is looked at twice.
look_closely() {
    if [ "$BUNDLE_FRESH" = yes ]; then return; fi
    BUNDLE_FRESH=yes
    if ! check_bundle && bundle_is_proven_bad; then
        /bin/sleep 2
        check_bundle
    fi
    take_picture
    SEEN=''
    # What proves nothing is asked again at the next look.
    [ -z "$PICTURE" ] || [ "$BUNDLE_STATE" = unproven ] || SEEN="$BUNDLE_STATE $PICTURE"
}

# Sets PICTURE: a sum over number, size, time of change, mode and owner of all that the bundle holds; the boot, and the day, so
# that a certificate that was revoked is found too. Empty when it could not be taken.
take_picture() {
    read_boot_session
    picture_day=$(/bin/date +%s) || picture_day=''
    picture_sum=$( (/usr/bin/stat -f '%p %u %g' "$PLUG_IN_FOLDER" &&
        /usr/bin/find "$BUNDLE" -exec /usr/bin/stat -f '%i %z %c %p %u %g %N' '{}' +) 2>/dev/null </dev/null | /usr/bin/cksum)
    PICTURE=''
    case $picture_day in '' | *[!0-9]*) return ;; esac
    [ -z "$picture_sum" ] || PICTURE="$picture_sum $((picture_day / 86400)) $BOOT_SESSION"
}

# Sets BOOT_SESSION: what macOS calls this boot; empty where it does not tell.
read_boot_session() {
    BOOT_SESSION=$(/usr/sbin/sysctl -n kern.bootsessionuuid 2>/dev/null </dev/null) || BOOT_SESSION=''
    case $BOOT_SESSION in *[!0-9A-Fa-f-]*) BOOT_SESSION='' ;; esac
}

bundle_is_away() {
    [ ! -e "$BUNDLE" ] && [ ! -L "$BUNDLE" ]
}

# Nothing to do and nothing to say: the entry is where it belongs, and bundle and record are as the last run left them.
all_is_well() {
    look_is_cheap && [ "$BUNDLE_STATE" = valid ] || return 1
    read_record LastResult
    [ "$RECORDED" = healthy ] && read_right || return 1
    measure_right
    [ "$ANCHOR_AT" -ge 0 ] && right_is_healthy
}
