#!/bin/sh
# Says how the product is doing.
# @include lib/values.sh
# @include lib/environment.sh
# @include lib/report.sh
require_root
exit 2
