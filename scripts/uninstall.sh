#!/bin/sh
# Removes the guard, the mechanism, then the bundle, the settings and the receipts. Exit 0: all is gone. Exit 1: the bundle is
# still needed or something could not be deleted, see the message.
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
# @include lib/settings.sh
# @include lib/guard-files.sh
# @include lib/launch-job.sh
# @include lib/uninstall.sh

take_no_arguments "usage: uninstall.sh [--help]
Removes $PRODUCT_NAME: guard, login mechanism, bundle, settings, receipts. Exit 0: all is gone, 1: something is left, see the message." "$@"
require_root
take_lock
uninstall_product "$PACKAGE_IDENTIFIER" "$GUARD_IDENTIFIER" "$UNINSTALL_IDENTIFIER" "$REQUEST_IDENTIFIER" || exit 1
exit 0
