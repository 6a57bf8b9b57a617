#!/bin/sh
# The guard. Started by launchd at start-up, when the plug-in folder changes, and once a day. It puts a lost entry back
# while the bundle is valid, and takes the entry out when the bundle is gone or broken, so that logins keep working.
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
# @include lib/settings.sh
# @include lib/version.sh
# @include lib/guard-files.sh
# @include lib/guard-record.sh
# @include lib/guard-work.sh

require_root
open_workspace
guard_login || exit 1
exit 0
