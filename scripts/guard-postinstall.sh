#!/bin/sh
# postinstall of the guard's package: installs the guard. It has no payload, so no removal by receipt takes the guard away.
SCRIPT_FOLDER=${0%/*}
[ "$SCRIPT_FOLDER" != "$0" ] || SCRIPT_FOLDER=.
SCRIPT_FOLDER=$(CDPATH='' cd -- "$SCRIPT_FOLDER" && pwd -P) || exit 1
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
# @include lib/workspace.sh
# @include lib/guard-files.sh
# @include lib/launch-job.sh
# @include lib/guard-install.sh

if [ "${3:-/}" != / ]; then
    say "The guard can only be installed on the running system, not on $3: nothing was done. Install this package once that system runs."
    exit 0
fi
require_root
open_workspace
install_guard || exit 1
exit 0
