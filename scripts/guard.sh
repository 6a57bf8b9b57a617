#!/bin/sh
# The guard. Started by launchd at start-up, when something comes or goes in the plug-in folder or the bundle, and every ten
# minutes. It puts a lost entry back while the bundle is valid, and takes the entry out when the bundle is gone or broken, so
# that logins keep working.
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
# @include lib/settings.sh
# @include lib/version.sh
# @include lib/guard-files.sh
# @include lib/guard-record.sh
# @include lib/guard-look.sh
# @include lib/guard-work.sh

take_no_arguments "usage: guard.sh [--help]
One look of the guard of $PRODUCT_NAME, which launchd starts: puts a lost login mechanism back, or removes one without its bundle." "$@"
require_root
if all_is_well; then exit 0; fi
take_lock
look_at_bundle
guard_login || exit 1
exit 0
