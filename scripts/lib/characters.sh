# shellcheck shell=sh disable=SC2034
# Characters that a line of shell cannot show.
NEWLINE='
'
RETURN=$(printf '\r')
BYTE_ORDER_MARK=$(printf '\357\273\277')
