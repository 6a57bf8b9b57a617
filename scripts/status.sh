#!/bin/sh
# Says how the product is doing, one line a fact, or with --json as one document. Writes nothing.
# Exit 0: healthy. Exit 1: needs attention. Exit 2: broken.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/arguments.sh
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
# @include lib/status-outcome.sh
# @include lib/status-tokens.sh
# @include lib/status-print.sh
# @include lib/json.sh

FORM=text
case $#:${1:-} in
    1:--json) FORM=json ;;
    *) take_no_arguments "usage: status.sh [--json | --help]
Says how $PRODUCT_NAME is doing, and changes nothing. Exit 0: healthy, 1: needs attention, 2: broken." "$@" ;;
esac

look_at_bundle
look_at_mechanism
look_at_escrow
look_at_tokens
look_at_request
look_at_outcome
look_at_guard
if [ "$FORM" = json ]; then print_json; else print_lines; fi
exit "$STATE"
