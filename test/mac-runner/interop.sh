#!/bin/bash
# Lets Apple's tools read a package of ours, and our reader one that Apple's tools made: interop.sh PACKAGE.
# A rehearsal's package is signed by an authority that no Mac trusts: what is checked here is the form, not the trust.
set -euo pipefail

package=${1:-}
[ -f "$package" ] || { printf 'usage: interop.sh PACKAGE\n' >&2 && exit 2; }
here=$(cd -- "$(dirname -- "$0")" && pwd)
project=$(cd -- "$here/../.." && pwd)
work=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/interop.XXXXXX")
trap 'rm -rf -- "$work"' EXIT

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'interop: FAILED: %s\n' "$*" >&2 && exit 1; }
cli() { node "$project/.build/cli.mjs" "$@"; }

say 'pkgutil expands ours'
pkgutil --expand-full "$package" "$work/expanded" || fail 'pkgutil --expand-full'
component="$work/expanded/com.netflix.Escrow-Buddy.pkg"
bundle="$component/Payload/Escrow Buddy.bundle"
[ -d "$bundle" ] || fail 'the bundle is not in the payload'

say 'lsbom reads our Bom'
lsbom "$component/Bom" | tee "$work/bom"
grep -q 'Escrow Buddy.bundle/Contents/Info.plist' "$work/bom" || fail 'lsbom does not list Info.plist'
awk -F '\t' '$3 != "0/0" { exit 1 }' "$work/bom" || fail 'an entry is not owned by root and wheel'

say 'xar lists ours'
xar -tf "$package" | sort >"$work/members"
grep -qx Distribution "$work/members" || fail 'xar does not list the Distribution'

say 'codesign reads the code'
codesign -dvvv "$bundle" 2>&1 | tee "$work/codesign"
grep -q '^Identifier=com.netflix.Escrow-Buddy$' "$work/codesign" || fail 'codesign shows another identifier'
lipo -archs "$bundle/Contents/MacOS/Escrow Buddy" | tee "$work/archs"
for slice in x86_64 arm64; do
  grep -q "$slice" "$work/archs" || fail "lipo does not see $slice"
done
plutil -lint "$bundle/Contents/Info.plist" || fail 'plutil refuses Info.plist'

say 'pkgutil and stapler check ours (told; no Mac trusts a rehearsal)'
pkgutil --check-signature "$package" || true
xcrun stapler validate "$package" || true
installer -pkginfo -pkg "$package" || fail 'installer does not read it'

say 'we read what pkgbuild made'
mkdir -p "$work/root"
cp -R "$bundle" "$work/root/"
pkgbuild --root "$work/root" --identifier com.netflix.Escrow-Buddy --version 1 \
  --install-location /Library/Security/SecurityAgentPlugins "$work/theirs.pkg" || fail 'pkgbuild'
cli inspect --json "$work/theirs.pkg" >"$work/theirs.json" || fail 'we cannot read what pkgbuild made'
grep -q com.netflix.Escrow-Buddy "$work/theirs.json" || fail 'our reader does not see its identifier'
say 'interop: all well'
