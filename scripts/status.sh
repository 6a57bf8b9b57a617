#!/bin/sh
# Says how the product is doing, one line a fact, or with --json as one document. Writes nothing.
# Exit 0: healthy. Exit 1: needs attention. Exit 2: broken.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/characters.sh
# @include lib/time-limit.sh
# @include lib/property-list.sh
# @include lib/right-read.sh
# @include lib/right-plan.sh
# @include lib/bundle.sh
# @include lib/settings.sh
# @include lib/guard-files.sh
# @include lib/guard-record.sh
# @include lib/launch-job.sh
# @include lib/status-facts.sh
# @include lib/status-print.sh

FORM=text
case $#${1:-} in
    0) ;;
    1--json) FORM=json ;;
    *)
        printf '%s\n' "usage: status.sh [--json]"
        exit 2
        ;;
esac
# shellcheck disable=SC2086 # process numbers
catch_signals() {
    trap '[ -z "$RUNNING" ] || kill -TERM $RUNNING 2>/dev/null' EXIT
    trap 'exit 130' HUP INT TERM
}
catch_signals

look_at_bundle
look_at_mechanism
look_at_escrow
look_at_request
look_at_guard
if [ "$FORM" = json ]; then print_json; else print_lines; fi
exit "$STATE"
