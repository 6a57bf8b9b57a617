#!/bin/bash
# Installs a package on a Mac that is thrown away afterwards, uses the plug-in as far as a runner allows, uninstalls it, and
# compares the login right with what it was before. Never restarts, never logs out.
#
#   smoke.sh --release TEAM --image NAME PACKAGE   notarized: Gatekeeper, signature, team and ticket are checked too
#   smoke.sh --ad-hoc --image NAME PACKAGE         of a development build: those are left out
#
# In a job of GitHub Actions the output NAME is what was found: one line of JSON, schema 1 of build/github/release/verdicts.ts.
set -euo pipefail

usage() { printf 'usage: smoke.sh --release TEAM|--ad-hoc --image NAME PACKAGE\n' >&2 && exit 2; }
mode=${1:-}
team=
case $mode in
  --release)
    team=${2:-}
    [[ $team =~ ^[A-Z0-9]{10}$ ]] || usage
    shift 2
    ;;
  --ad-hoc) shift ;;
  *) usage ;;
esac
if [ "${1:-}" != --image ] || [ "$#" -ne 3 ]; then usage; fi
image=$2
package=$3
[[ $image =~ ^[a-z0-9-]+$ ]] || usage
# What comes after takes the same words for a pattern or for a list of files, and would mean others than the one that is tried.
[[ $package =~ ^[A-Za-z0-9._/-]+\.pkg$ ]] || { printf 'smoke: the path of a package has letters, digits, ., _, - and / alone\n' >&2 && exit 2; }
[ -f "$package" ] || { printf 'smoke: no file: %s\n' "$package" >&2 && exit 2; }

here=$(cd -- "$(dirname -- "$0")" && pwd)
receipt=com.netflix.Escrow-Buddy
bundle="/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle"
mechanism='Escrow Buddy:Invoke,privileged'
right=system.login.console
work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/smoke.XXXXXX")
remove_at_exit() { trap 'rm -rf -- "$work"' EXIT; }
remove_at_exit
tried=()
skipped=()

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'smoke: FAILED: %s\n' "$*" >&2 && exit 1; }
# What was tried, and what this Mac does not allow to try, goes into the verdict.
tried() { tried+=("$1"); }
skip() {
  printf 'skipped: %s: %s\n' "$1" "$2"
  skipped+=("$1" "$2")
}

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

check_package() {
  say 'signature, team, ticket, Gatekeeper'
  pkgutil --check-signature "$package" | tee "$work/signature"
  # "    1. Developer ID Installer: Example Ltd (ABCDE12345)"
  grep -q "^ *1\. Developer ID Installer: .*($team)\$" "$work/signature" || fail "the package is not signed by team $team"
  tried package-signature
  patiently xcrun stapler validate "$package" || fail 'no valid ticket is stapled'
  tried ticket
  # A runner with Gatekeeper off would accept everything.
  spctl --status | grep -q 'assessments enabled' || fail 'Gatekeeper is off on this runner: it proves nothing'
  spctl -a -vv -t install "$package" || fail 'Gatekeeper refuses the package'
  tried gatekeeper
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
  if [ -n "$team" ]; then
    codesign -dvv "$bundle" 2>&1 | grep -qx "TeamIdentifier=$team" || fail "the code is not signed by team $team"
  fi
  say 'registered once, in front of loginwindow:done'
  [ "$(mechanisms | grep -c -x -F "$mechanism")" -eq 1 ] || fail 'the mechanism is not there exactly once'
  [ "$(mechanisms | grep -x -A 1 -F "$mechanism" | tail -n 1)" = 'loginwindow:done' ] || fail 'it is in another place'
  check_status
}

# A runner has no profile that escrows keys, and FileVault is off: status.sh has to say so, and nothing worse.
check_status() {
  local status=0 state place bad
  say 'status.sh'
  # shellcheck disable=SC2024 # the file is ours; root is for the login right
  sudo sh "$bundle/Contents/Resources/status.sh" --json >"$work/status.json" || status=$?
  cat "$work/status.json"
  [ "$status" -le 1 ] || fail "status.sh finds it broken: exit $status"
  jq -r '.bundle.state, .mechanism.place, (.checks[] | select(.status != "pass" and (.id | IN("escrow-profile", "filevault") | not)) |
    "\(.id): \(.reason)")' "$work/status.json" >"$work/answer" || fail 'status.sh does not print JSON'
  {
    read -r state
    read -r place
    bad=$(cat)
  } <"$work/answer"
  [ "$state" = valid ] || fail 'status.sh does not find the bundle valid'
  [ "$place" = in-place ] || fail 'status.sh finds the mechanism in another place'
  [ -z "$bad" ] || fail "status.sh: $bad"
}

# Each slice, where the machine can run both: an Apple silicon Mac with Rosetta 2 can. macOS 27 installs without it, 28 has none.
check_loads() {
  local slice
  say 'what dyld makes of each slice'
  for slice in x86_64 arm64; do
    lipo -thin "$slice" -output "$work/$slice" "$bundle/Contents/MacOS/Escrow Buddy" || fail "no slice for $slice"
    if ! xcrun --find dyld_info >"$work/answer" 2>&1; then
      skip "dyld-$slice" 'this Xcode has no dyld_info'
    else
      xcrun dyld_info -validate_only "$work/$slice" || fail "dyld would refuse the slice for $slice"
      tried "dyld-$slice"
    fi
  done
  say 'dlopen, AuthorizationPluginCreate'
  xcrun clang -arch x86_64 -arch arm64 -o "$work/probe" "$here/probe.c"
  "$work/probe" "$bundle/Contents/MacOS/Escrow Buddy" || fail 'the plug-in does not load'
  tried "load-$(uname -m)"
  [ "$(uname -m)" = arm64 ] || return 0
  if arch -x86_64 /usr/bin/true 2>"$work/answer"; then
    arch -x86_64 "$work/probe" "$bundle/Contents/MacOS/Escrow Buddy" || fail 'the x86_64 slice does not load'
    tried load-x86_64
  else
    skip load-x86_64 'Rosetta 2 is not installed'
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

# One line, so that it can be a job's output.
write_verdict() {
  local system build
  system=$(sw_vers -productVersion)
  build=$(sw_vers -buildVersion)
  jq -cn --arg image "$image" --arg version "$system" --arg build "$build" --arg architecture "$(uname -m)" \
    --arg sip "$sip" --arg name "$(basename -- "$package")" --arg sha256 "$digest" --arg team "$team" \
    --arg tried "$(printf '%s\n' "${tried[@]}")" --arg skipped "$(printf '%s\n' ${skipped[@]+"${skipped[@]}"})" '
    ($skipped | split("\n") | map(select(. != ""))) as $pairs |
    {schema: 1, image: $image, macOS: {version: $version, build: $build}, architecture: $architecture, sip: $sip,
     package: {name: $name, sha256: $sha256, team: (if $team == "" then null else $team end)},
     tried: ($tried | split("\n")),
     skipped: [range(0; $pairs | length; 2) as $at | {id: $pairs[$at], reason: $pairs[$at + 1]}], verdict: "pass"}' >"$work/verdict"
  cat "$work/verdict"
  if [ -n "${GITHUB_OUTPUT:-}" ]; then
    printf '%s=%s\n' "$image" "$(cat "$work/verdict")" >>"$GITHUB_OUTPUT"
  fi
}

sip=$(csrutil status 2>&1 | tr '\n' ' ' | sed 's/ *$//' || true)
say "$(sw_vers -productVersion) on $(uname -m), $sip (behaviour under SIP is untested where it is off)"
# An Xcode that GitHub took off the image must not stop a release that is signed and notarized: the image's own one does too.
if [ -n "${DEVELOPER_DIR:-}" ] && [ ! -d "$DEVELOPER_DIR" ]; then
  printf 'warning: %s is not on this image: its default Xcode is used\n' "$DEVELOPER_DIR"
  unset DEVELOPER_DIR
fi
digest=$(shasum -a 256 <"$package" | cut -c 1-64)
printf '%s  %s\n' "$digest" "$package"
if pkgutil --pkg-info "$receipt" >/dev/null 2>&1; then fail 'this Mac has a receipt already'; fi
if [ "$mode" = --ad-hoc ]; then skip gatekeeper 'a development build is not notarized'; else check_package; fi
read_right >"$work/right.before" || fail "cannot read $right"

say install
install_package
check_installed
tried install
check_loads
try_host
say 'install again'
install_package
check_installed
tried install-again

say uninstall
sudo sh "$bundle/Contents/Resources/uninstall.sh" || fail 'uninstall.sh'
if sudo test -e "$bundle"; then fail 'the bundle is still there'; fi
if pkgutil --pkg-info "$receipt" >/dev/null 2>&1; then fail 'the receipt is still there'; fi
# Times and version of the right change with every write; everything else must not.
strip_times() { awk '/<key>(created|modified|version)<\/key>/ { getline; next } { print }' "$1"; }
read_right >"$work/right.after"
strip_times "$work/right.before" >"$work/before"
strip_times "$work/right.after" >"$work/after"
diff -u "$work/before" "$work/after" || fail "$right is not what it was"
tried uninstall
say 'smoke: all well'
write_verdict
