#!/bin/sh
# postinstall of the guard's package: installs the guard. It has no payload, so no removal by receipt takes the guard away.
SCRIPT_FOLDER=${0%/*}
[ "$SCRIPT_FOLDER" != "$0" ] || SCRIPT_FOLDER=.
SCRIPT_FOLDER=$(CDPATH='' cd -- "$SCRIPT_FOLDER" && pwd -P) || exit 1
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/arguments.sh
# @include lib/lock.sh
# @include lib/time-limit.sh
# @include lib/guard-files.sh
# @include lib/launch-job.sh
# @include lib/guard-install.sh

take_installer_arguments "usage: postinstall [--help] | postinstall PACKAGE LOCATION TARGET ROOT
Installs the guard of $PRODUCT_NAME; called by Installer." "$@"
if [ "${3:-/}" != / ]; then
    say "The guard can only be installed on the running system, not on $3: nothing was done. Install this package once that system runs."
    exit 0
fi
require_root
take_lock
install_guard || exit 1
exit 0
