#!/bin/sh
# Registers the mechanism, once the bundle has been checked. Exit 0: it is registered. Exit 1: it is not, see the message.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/characters.sh
# @include lib/workspace.sh
# @include lib/time-limit.sh
# @include lib/property-list.sh
# @include lib/right-read.sh
# @include lib/right-plan.sh
# @include lib/right-change.sh
# @include lib/bundle.sh
# @include lib/register.sh

require_root
open_workspace
register_bundle || exit 1
exit 0
