# shellcheck shell=sh disable=SC2154 # `mac` and `on_mac` are those of fake-mac/standin
# Installs a flat package on the simulated Mac as test/mac/simulated/installer.ts does: preinstall, payload, postinstall, receipt.

install_package() {
  opened=$(mktemp -d "$RUNNER_TEMP/package.XXXXXX")
  bsdtar -xf "$1" -C "$opened"
  for information in "$opened"/*/PackageInfo; do
    install_component "${information%/PackageInfo}"
  done
  rm -rf "$opened"
}

# The value of an attribute of pkg-info.
attribute() { sed -n "/<pkg-info/s/.* $2=\"\([^\"]*\)\".*/\1/p" "$1/PackageInfo"; }

install_component() {
  identifier=$(attribute "$1" identifier)
  location=$(attribute "$1" install-location)
  for archive in Payload Scripts; do
    if [ -f "$1/$archive" ]; then
      mkdir "$1/$archive.tree"
      bsdtar -xpf "$1/$archive" -C "$1/$archive.tree" --numeric-owner
    fi
  done
  run_script "$1" preinstall
  if [ -d "$1/Payload.tree" ]; then
    mkdir -p "$mac$location"
    # The one bundle of ours is replaced whole, as `upgrade-bundle` asks.
    rm -rf "$mac$location/Escrow Buddy.bundle"
    cp -a "$1/Payload.tree/." "$mac$location"
    chmod 0755 "$mac$location"
  fi
  run_script "$1" postinstall
  write_receipt "$1"
}

run_script() {
  [ -f "$1/Scripts.tree/$2" ] || return 0
  sandbox=/private/tmp/PKInstallSandbox.sImUla/Scripts
  mkdir -p "$mac$sandbox"
  cp -a "$1/Scripts.tree/." "$mac$sandbox"
  SIM_ENV_SCRIPT_NAME=$2 SIM_ENV_COMMAND_LINE_INSTALL=1 SIM_ENV_PWD=$sandbox \
    on_mac "$sandbox/$2" "/private/tmp/$identifier.pkg" "$location" / / || return 1
  rm -rf "$mac/private/tmp/PKInstallSandbox.sImUla"
}

write_receipt() {
  receipts=$mac/private/var/db/receipts
  printf '<plist version="1.0"><dict>\n<key>InstallDate</key><date>2026-11-24T12:00:00Z</date>\n<key>InstallPrefixPath</key><string>%s</string>\n<key>InstallProcessName</key><string>installer</string>\n<key>PackageFileName</key><string>%s.pkg</string>\n<key>PackageIdentifier</key><string>%s</string>\n<key>PackageVersion</key><string>%s</string>\n</dict></plist>\n' \
    "${location#/}" "$identifier" "$identifier" "$(attribute "$1" version)" >"$receipts/$identifier.plist"
  if [ -d "$1/Payload.tree" ]; then (cd "$1/Payload.tree" && find . -mindepth 1 | sed 's|^\./||' | sort) >"$receipts/$identifier.bom"; fi
}
