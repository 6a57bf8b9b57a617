#!/bin/bash
# Installs a package on a Mac that is thrown away afterwards, uses the plug-in as far as a runner allows, uninstalls it, and
# compares the login right with what it was before. Never restarts, never logs out.
#
#   smoke.sh --release PACKAGE    notarized: Gatekeeper, signature and ticket are judged too
#   smoke.sh --ad-hoc PACKAGE     of a development build: those are left out
set -euo pipefail

mode=${1:-}
package=${2:-}
case $mode in
  --release | --ad-hoc) ;;
  *) printf 'usage: smoke.sh --release|--ad-hoc PACKAGE\n' >&2 && exit 2 ;;
esac
[ -f "$package" ] || { printf 'smoke: no file: %s\n' "$package" >&2 && exit 2; }

here=$(cd -- "$(dirname -- "$0")" && pwd)
receipt=com.netflix.Escrow-Buddy
bundle="/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle"
mechanism='Escrow Buddy:Invoke,privileged'
right=system.login.console
work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/smoke.XXXXXX")
remove_at_exit() { trap 'rm -rf -- "$work"' EXIT; }
remove_at_exit

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'smoke: FAILED: %s\n' "$*" >&2 && exit 1; }

# Tries a command a few times: the ticket service answers late now and then.
patiently() {
  local try
  for try in 1 2 3; do
    "$@" && return
    [ "$try" -eq 3 ] || sleep 20
  done
  return 1
}

read_right() { security authorizationdb read "$right" 2>/dev/null; }
mechanisms() { read_right | sed -n 's/^[[:space:]]*<string>\(.*\)<\/string>$/\1/p' | grep ':' || true; }

judge_package() {
  say 'signature, ticket, Gatekeeper'
  pkgutil --check-signature "$package"
  patiently xcrun stapler validate "$package" || fail 'no valid ticket is stapled'
  # A runner with Gatekeeper off would accept everything.
  spctl --status | grep -q 'assessments enabled' || fail 'Gatekeeper is off on this runner: it proves nothing'
  spctl -a -vv -t install "$package" || fail 'Gatekeeper refuses the package'
}

install_package() {
  sudo installer -dumplog -pkg "$package" -target / || fail 'installer'
  pkgutil --pkg-info-plist "$receipt" >"$work/receipt.plist" || fail 'there is no receipt'
  pkgutil --files "$receipt" >"$work/files"
  [ -s "$work/files" ] || fail 'the receipt lists no file'
}

check_installed() {
  say 'owner, modes, code signature'
  local wrong
  wrong=$(sudo find "$bundle" \( ! -user 0 -o ! -group 0 -o -perm -0020 -o -perm -0002 \) -print)
  [ -z "$wrong" ] || fail "not root:wheel, or others may write: $wrong"
  codesign --verify --strict --verbose=2 "$bundle" || fail 'codesign refuses the bundle'
  say 'registered once, in front of loginwindow:done'
  [ "$(mechanisms | grep -c -x -F "$mechanism")" -eq 1 ] || fail 'the mechanism is not there exactly once'
  [ "$(mechanisms | grep -x -A 1 -F "$mechanism" | tail -n 1)" = 'loginwindow:done' ] || fail 'it is in another place'
  sudo sh "$bundle/Contents/Resources/status.sh" || fail 'status.sh does not find it healthy'
}

# Both slices, where the machine can run both: arm64 images have Rosetta.
check_loads() {
  say 'dlopen, AuthorizationPluginCreate'
  xcrun clang -arch x86_64 -arch arm64 -o "$work/probe" "$here/probe.c"
  "$work/probe" "$bundle/Contents/MacOS/Escrow Buddy" || fail 'the plug-in does not load'
  if [ "$(uname -m)" = arm64 ]; then
    arch -x86_64 "$work/probe" "$bundle/Contents/MacOS/Escrow Buddy" || fail 'the x86_64 slice does not load'
  fi
}

# The real host, through a right of our own. Not known to work on a runner: told, never failed on.
try_host() {
  say 'the real plug-in host (only told)'
  cat >"$work/own.plist" <<PLIST
<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict><key>class</key><string>evaluate-mechanisms</string><key>mechanisms</key><array><string>$mechanism</string></array><key>shared</key><false/></dict></plist>
PLIST
  # shellcheck disable=SC2024 # the file is ours; root is for the database
  sudo security authorizationdb write com.netflix.Escrow-Buddy.smoke <"$work/own.plist" || return 0
  # A child of bash that is killed before it became another program runs the trap of its parent.
  trap - EXIT
  security authorize com.netflix.Escrow-Buddy.smoke &
  local asked=$!
  remove_at_exit
  sleep 20
  kill "$asked" 2>/dev/null || true
  wait "$asked" || true
  log show --last 2m --style compact --predicate 'subsystem == "com.netflix.Escrow-Buddy"' || true
  sudo security authorizationdb remove com.netflix.Escrow-Buddy.smoke || true
}

say "$(sw_vers -productVersion) on $(uname -m), $(csrutil status 2>&1 || true) (behaviour under SIP is untested where it is off)"
shasum -a 256 "$package"
if pkgutil --pkg-info "$receipt" >/dev/null 2>&1; then fail 'this Mac has a receipt already'; fi
[ "$mode" = --ad-hoc ] || judge_package
read_right >"$work/right.before" || fail "cannot read $right"

say install
install_package
check_installed
check_loads
try_host
say 'install again'
install_package
check_installed

say uninstall
sudo sh "$bundle/Contents/Resources/uninstall.sh" || fail 'uninstall.sh'
[ ! -e "$bundle" ] || fail 'the bundle is still there'
if pkgutil --pkg-info "$receipt" >/dev/null 2>&1; then fail 'the receipt is still there'; fi
# Times and version of the right change with every write; everything else must not.
strip_times() { awk '/<key>(created|modified|version)<\/key>/ { getline; next } { print }' "$1"; }
read_right >"$work/right.after"
strip_times "$work/right.before" >"$work/before"
strip_times "$work/right.after" >"$work/after"
diff -u "$work/before" "$work/after" || fail "$right is not what it was"
say 'smoke: all well'
