#!/bin/sh
# Audit of Kandji (Iru). Exit 0: it is there, 1: install it.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/time-limit.sh
# @include lib/settings.sh
# @include kit/lib/state.sh
# @include kit/lib/need.sh

install_is_needed || exit 0
exit 1
