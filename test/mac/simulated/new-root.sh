#!/bin/sh
# Makes the root folder of one simulated Mac: empty disk, stock login right of the given case, nothing of ours.
#
# usage: new-root.sh ROOT [RIGHT-FILE [SHELL]]
# RIGHT-FILE: bytes that `security authorizationdb read system.login.console` prints. SHELL: dash (default) or bash.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=${1:?usage: new-root.sh ROOT [RIGHT-FILE [SHELL]]}
right=${2:-$here/../../fixtures/authorizationdb/stock-macos-15.plist}
shell=${3:-dash}

umask 022
mkdir -p "$root"
cd "$root"
mkdir -p .host .sim/rights .sim/rules .sim/launchd .sim/hooks .sim/sleepers bin sbin usr dev Users/alex Volumes \
  Library/Security/SecurityAgentPlugins Library/LaunchDaemons Library/Preferences 'Library/Managed Preferences' \
  'Library/Application Support' System/Library/Security private/etc private/tmp private/var/select private/var/db/receipts \
  private/var/log private/var/run private/var/root/Library/Preferences private/var/tmp \
  private/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T
chmod 1777 private/tmp private/var/tmp
chmod 0750 private/var/root
chmod 0700 .sim
ln -sf private/tmp tmp
ln -sf private/var var
ln -sf private/etc etc
ln -sf .host/lib lib
ln -sf .host/lib64 lib64
ln -sf "/bin/$shell" private/var/select/sh
cp "$right" .sim/rights/system.login.console
chmod 0600 .sim/rights/system.login.console
