# shellcheck shell=sh disable=SC2034
# The package that this kit belongs to, read from the finished file; its SHA-256 in hexadecimal is the digest.
PACKAGE_URL=@PACKAGE_URL@
PACKAGE_BYTES=@PACKAGE_BYTES@
PACKAGE_DIGEST=@PACKAGE_DIGEST@
# Team of its Developer ID Installer certificate.
PACKAGE_TEAM=@PACKAGE_TEAM@
