#!/bin/sh
# Removes the mechanism, then the bundle, the guard, the settings and the receipts. Exit 0: all is gone. Exit 1: the
# bundle is still needed or could not be deleted, see the message.
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
# @include lib/settings.sh
# @include lib/guard-files.sh
# @include lib/launch-job.sh
# @include lib/uninstall.sh

require_root
open_workspace
uninstall_product "$PACKAGE_IDENTIFIER" "$GUARD_IDENTIFIER" "$UNINSTALL_IDENTIFIER" || exit 1
exit 0
