#!/bin/sh
# Removes the mechanism and leaves the bundle. Exit 0: nothing needs the bundle any more. Exit 1: something does, so the
# bundle must not be deleted, see the message.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/arguments.sh
# @include lib/characters.sh
# @include lib/lock.sh
# @include lib/time-limit.sh
# @include lib/property-list.sh
# @include lib/right-read.sh
# @include lib/right-plan.sh
# @include lib/right-change.sh
# @include lib/unregister.sh
# @include lib/guard-files.sh

take_no_arguments "usage: AuthDBTeardown.sh [--help]
Removes the login mechanism of $PRODUCT_NAME and leaves its bundle. Exit 0: nothing needs the bundle any more, 1: something does." "$@"
require_root
take_lock
unregister_bundle || exit 1
if [ -f "$GUARD_JOB" ]; then
    say "The guard is installed and will register the mechanism again. To remove the product, run uninstall.sh; to keep it without the mechanism, set DisableHeal."
fi
exit 0
