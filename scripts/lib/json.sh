# shellcheck shell=sh
# Words of JSON. Whatever a name holds, the document stays valid: ASCII alone, every other character as \u.

json_or_null() {
    if [ -n "$1" ]; then json "$1"; else printf null; fi
}

json_number() {
    case $1 in
        -*) json_digits=${1#-} ;;
        *) json_digits=$1 ;;
    esac
    case $json_digits in
        '' | *[!0-9]* | 0?*) printf null ;;
        *) printf '%s' "$1" ;;
    esac
}

json() {
    one_line "$1"
    json_rest=$FLAT
    printf '"'
    case $json_rest in
        *[!\ -~]*) json_unicode "$json_rest" ;;
        *) json_ascii ;;
    esac
    printf '"'
}

json_ascii() {
    while :; do
        case $json_rest in *[\"\\]*) ;; *) break ;; esac
        json_part=${json_rest%%[\"\\]*}
        json_rest=${json_rest#"$json_part"}
        printf '%s\\%s' "$json_part" "${json_rest%"${json_rest#?}"}"
        json_rest=${json_rest#?}
    done
    printf '%s' "$json_rest"
}

# json_unicode TEXT: byte by byte, as UTF-8; what is none becomes U+FFFD. Source: RFC 3629, section 3; RFC 8259, section 7.
json_unicode() {
    utf8_left=0
    for byte in $(printf '%s' "$1" | /usr/bin/od -A n -v -t u1) 0; do
        if [ "$utf8_left" -gt 0 ]; then
            if [ "$byte" -ge 128 ] && [ "$byte" -lt 192 ]; then
                utf8_point=$((utf8_point * 64 + byte - 128))
                utf8_left=$((utf8_left - 1))
                [ "$utf8_left" -gt 0 ] || json_point
                continue
            fi
            utf8_left=0
            printf '\\ufffd'
        fi
        if [ "$byte" -eq 0 ]; then
            break
        elif [ "$byte" -lt 128 ]; then
            printf '\\u%04x' "$byte"
        elif [ "$byte" -ge 194 ] && [ "$byte" -lt 224 ]; then
            utf8_left=1 utf8_point=$((byte - 192)) utf8_least=128
        elif [ "$byte" -ge 224 ] && [ "$byte" -lt 240 ]; then
            utf8_left=2 utf8_point=$((byte - 224)) utf8_least=2048
        elif [ "$byte" -ge 240 ] && [ "$byte" -lt 245 ]; then
            utf8_left=3 utf8_point=$((byte - 240)) utf8_least=65536
        else
            printf '\\ufffd'
        fi
    done
}

json_point() {
    if [ "$utf8_point" -lt "$utf8_least" ] || [ "$utf8_point" -gt 1114111 ]; then
        printf '\\ufffd'
    elif [ "$utf8_point" -ge 55296 ] && [ "$utf8_point" -lt 57344 ]; then
        printf '\\ufffd'
    elif [ "$utf8_point" -ge 65536 ]; then
        printf '\\u%04x\\u%04x' $((55296 + (utf8_point - 65536) / 1024)) $((56320 + (utf8_point - 65536) % 1024))
    else
        printf '\\u%04x' "$utf8_point"
    fi
}
