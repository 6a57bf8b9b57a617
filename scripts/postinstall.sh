#!/bin/sh
# postinstall: checks the bundle, registers the mechanism, and installs the guard when a setting asks for it.
SCRIPT_FOLDER=${0%/*}
[ "$SCRIPT_FOLDER" != "$0" ] || SCRIPT_FOLDER=.
SCRIPT_FOLDER=$(CDPATH='' cd -- "$SCRIPT_FOLDER" && pwd -P) || exit 1
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
# @include lib/bundle.sh
# @include lib/register.sh
# @include lib/settings.sh
# @include lib/guard-files.sh
# @include lib/launch-job.sh
# @include lib/guard-install.sh

take_installer_arguments "usage: postinstall [--help] | postinstall PACKAGE LOCATION TARGET ROOT
Registers the login mechanism of $PRODUCT_NAME; called by Installer." "$@"
if [ "${3:-/}" != / ]; then
    say "Installed on $3, which is not the running system: nothing was registered. Once that system runs, start \"$BUNDLE/Contents/Resources/AuthDBSetup.sh\" as root."
    exit 0
fi
require_root
take_lock
register_bundle || exit 1
# The mechanism is in place; a guard that cannot start is not a reason to call the installation failed.
# One that is there already is replaced: an older one would check the new bundle by an older signer.
if setting_is_on EnableGuard || [ -f "$GUARD_JOB" ]; then install_guard || :; fi
exit 0
