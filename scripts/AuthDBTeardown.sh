#!/bin/sh
# Removes the mechanism and leaves the bundle. Exit 0: nothing needs the bundle any more. Exit 1: something does, so the
# bundle must not be deleted, see the message.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/characters.sh
# @include lib/workspace.sh
# @include lib/property-list.sh
# @include lib/right-read.sh
# @include lib/right-plan.sh
# @include lib/right-change.sh
# @include lib/unregister.sh

require_root
open_workspace
unregister_bundle || exit 1
exit 0
