# shellcheck shell=sh disable=SC2034
# What this build is; the release pipeline fills it in.
PRODUCT_NAME=@PRODUCT_NAME@
VERSION=@VERSION@
DOMAIN=@DOMAIN@
PACKAGE_IDENTIFIER=@PACKAGE_IDENTIFIER@
GUARD_IDENTIFIER=@GUARD_IDENTIFIER@
UNINSTALL_IDENTIFIER=@UNINSTALL_IDENTIFIER@
PLUG_IN_FOLDER=@PLUG_IN_FOLDER@
BUNDLE=@BUNDLE@
EXECUTABLE=@EXECUTABLE@
# The bundle's name as a pattern that matches it in any case, as the file system does.
BUNDLE_NAME_ANY_CASE=@BUNDLE_NAME_ANY_CASE@
MECHANISM=@MECHANISM@
ANCHOR=@ANCHOR@
MINIMUM_MACOS=@MINIMUM_MACOS@
# "no" in unsigned builds: then codesign is not asked.
CODE_SIGNED=@CODE_SIGNED@
# Requirement the signature must meet; empty: any valid signature.
CODE_REQUIREMENT=@CODE_REQUIREMENT@
