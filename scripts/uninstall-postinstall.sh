#!/bin/sh
# postinstall of the uninstall package: removes the product, as uninstall.sh does, for systems that can only push packages.
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

take_installer_arguments "usage: postinstall [--help] | postinstall PACKAGE LOCATION TARGET ROOT
Removes $PRODUCT_NAME; called by Installer." "$@"
if [ "${3:-/}" != / ]; then
    say "Only the running system can be cleaned, not $3: nothing was done. Install this package once that system runs."
    exit 0
fi
require_root
take_lock
# The receipt of this package is being written by the installer in this moment: it must not be forgotten here.
uninstall_product "$PACKAGE_IDENTIFIER" "$GUARD_IDENTIFIER" "$REQUEST_IDENTIFIER" || exit 1
exit 0
