#!/bin/sh
# installcheck_script of Munki and Workspace ONE. Exit 0: install it, 1: it is there.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh
# @include kit/lib/need.sh

install_is_needed && exit 0
exit 1
