# shellcheck shell=sh disable=SC2034
# Takes a right apart in the form plutil converts it to: canonical XML, where "<" stands only at the start of a tag.
# Lists of text are kept as the XML has them, each item followed by "<": no character of an item can be mistaken for it.

# read_document XML sets
#   DOC_ROOT   dict, another tag, or empty when the text is not whole
#   DOC_CLASS  the value of "class" with its tags
#   DOC_SHAPE  of "mechanisms": none, list, not-a-list, not-text (an item is not a string)
#   DOC_LIST   the mechanisms
#   DOC_HEAD   the text before the first of them, DOC_TAIL the text from the end of their list on; empty without a list
#   DOC_KEYS   every other key with its value, but "modified": "<<key>value" one after the other
read_document() {
    DOC_ROOT='' DOC_CLASS='' DOC_SHAPE=none DOC_LIST='' DOC_HEAD='' DOC_TAIL='' DOC_KEYS=''
    doc_root='' doc_depth=0 doc_key='' doc_value=''
    doc_whole=$1
    case $1 in *'<plist'*'>'*) ;; *) return 0 ;; esac
    doc_rest=${1#*'<plist'}
    while :; do
        case $doc_rest in *'<'*'>'*) ;; *) return 0 ;; esac
        doc_rest=${doc_rest#*'<'}
        doc_tag=${doc_rest%%'>'*}
        doc_rest=${doc_rest#*'>'}
        doc_text=${doc_rest%%'<'*}
        [ "$doc_tag" != /plist ] || break
        [ -n "$doc_root" ] || doc_root=${doc_tag%/}
        read_tag
    done
    [ "$doc_depth" != 0 ] || DOC_ROOT=$doc_root
}

read_tag() {
    case $doc_tag in
        /dict | /array) doc_depth=$((doc_depth - 1)) ;;
    esac
    if [ "$doc_depth" = 1 ] && [ "$doc_tag" = key ]; then
        keep_value
        doc_key=$doc_text
    elif [ "$doc_depth" = 0 ] && [ "$doc_tag" = /dict ]; then
        keep_value
    elif [ "$doc_depth" -ge 1 ] && [ "$doc_depth$doc_tag" != 1/key ]; then
        case $doc_tag in */ | /* | dict | array) doc_text='' ;; esac
        doc_value="$doc_value<$doc_tag>$doc_text"
        [ "$doc_key" != mechanisms ] || read_mechanism_tag
    fi
    case $doc_tag in
        dict | array) doc_depth=$((doc_depth + 1)) ;;
    esac
}

read_mechanism_tag() {
    case $doc_depth$doc_tag in
        1array)
            DOC_SHAPE=list
            DOC_HEAD=${doc_whole%"$doc_rest"}
            ;;
        1array/) DOC_SHAPE=list ;;
        1/array) DOC_TAIL="</array>$doc_rest" ;;
        2/string) ;;
        2string | 2string/) DOC_LIST="$DOC_LIST$doc_text<" ;;
        1*) DOC_SHAPE=not-a-list ;;
        *) [ "$DOC_SHAPE" = not-a-list ] || DOC_SHAPE=not-text ;;
    esac
}

keep_value() {
    case $doc_key in
        '' | mechanisms | modified) ;;
        *) DOC_KEYS="$DOC_KEYS<<$doc_key>$doc_value" ;;
    esac
    [ "$doc_key" != class ] || DOC_CLASS=$doc_value
    doc_key='' doc_value=''
}

# keys_that_stay KEYS LATER: authd has kept every key of KEYS that it keeps at all (Security, OSX/authd/rule.c).
# A version or a number of tries that is not an integer is replaced by authd, like any other value of a wrong type.
keys_that_stay() {
    stay_rest=$1
    while [ -n "$stay_rest" ]; do
        stay_rest=${stay_rest#'<<'}
        stay_key="<<${stay_rest%%'<<'*}"
        case $stay_rest in *'<<'*) stay_rest="<<${stay_rest#*'<<'}" ;; *) stay_rest='' ;; esac
        case $stay_key in
            '<<class>'* | '<<comment><string>'* | '<<version><integer>'* | '<<tries><integer>'*) ;;
            '<<shared><true/>'* | '<<shared><false/>'* | '<<extract-password><true/>'*) ;;
            '<<created>'* | '<<identifier>'* | '<<requirement>'* | '<<entitled><true/>'*) ;;
            '<<require-apple-signed><true/>'* | '<<default-prompt><dict>'* | '<<default-button><dict>'*) ;;
            *) continue ;;
        esac
        case "$2<<" in *"$stay_key<<"*) ;; *) return 1 ;; esac
    done
}

# count_text TEXT PART sets COUNTED to the number of places of PART in TEXT.
count_text() {
    COUNTED=0 count_rest=$1
    while :; do
        case $count_rest in *"$2"*) ;; *) return 0 ;; esac
        count_rest=${count_rest#*"$2"}
        COUNTED=$((COUNTED + 1))
    done
}
