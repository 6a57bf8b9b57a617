#!/bin/sh
# Registers the mechanism, once the bundle has been checked. Exit 0: it is registered. Exit 1: it is not, see the message.
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

take_no_arguments "usage: AuthDBSetup.sh [--help]
Registers the login mechanism of $PRODUCT_NAME, once its bundle was found valid. Exit 0: registered, 1: not, see the message." "$@"
require_root
take_lock
register_bundle || exit 1
exit 0
