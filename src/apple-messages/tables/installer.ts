import type { MessageTable } from '../message.ts';

const LOG = 'grep -B20 -A5 "Install Failed" /var/log/install.log';

/**
 * What `installer`, Installer.app and installd's log say when a package is installed. From public reports; PackageKit's codes are
 * named by their messages, as Apple publishes none of them.
 */
export const INSTALLER: MessageTable = {
  tools: ['installer', 'installd'],
  rows: [
    {
      code: 'INSTALLER_UNSIGNED',
      kind: 'verification',
      match: [/The package "[^"\n]*" is not signed/, /PKInstallErrorDomain Code=101\b/],
      cause: 'The package, or one inside it, has no signature that this Mac knows.',
      who: 'maintainer',
      next: 'pkgutil --check-signature "$PKG"',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'INSTALLER_UNTRUSTED',
      kind: 'verification',
      match: [
        /The package "[^"\n]*" is untrusted/,
        'Certificate used to sign package is not trusted',
        /PKInstallErrorDomain Code=102\b/,
      ],
      cause:
        'This Mac does not trust the signer: an unknown issuer, a rehearsal, an expired certificate without a timestamp, or a wrong clock.',
      who: 'maintainer',
      next: 'date -u; pkgutil --check-signature "$PKG"',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'INSTALLER_SCRIPT_TIMEOUT',
      kind: 'verification',
      match: [/Task has exceeded its \d+ seconds of runtime/],
      cause: 'A script of the package ran longer than the installer allows, often because it waits for something.',
      who: 'maintainer',
      next: LOG,
      area: 'scripts',
    },
    {
      code: 'INSTALLER_SCRIPT_FAILED',
      kind: 'verification',
      match: ['An error occurred while running scripts from the package', /PKInstallErrorDomain Code=112\b/],
      cause:
        'preinstall or postinstall exited with a status other than 0; the install log has its output and its name.',
      who: 'maintainer',
      next: LOG,
      area: 'scripts',
    },
    {
      code: 'INSTALLER_SCRIPT_NOT_EXECUTABLE',
      kind: 'verification',
      match: ['launch path not accessible'],
      cause: 'A script of the package is not executable.',
      who: 'maintainer',
      next: 'Look at the modes of its scripts',
      act: 'inspect',
      area: 'scripts',
    },
    {
      code: 'INSTALLER_EXTRACT',
      kind: 'verification',
      match: [
        /The package "[^"\n]*" is missing or invalid/,

        'uses a deprecated pre-10.2 format',
        'there was no software found to install',

        'An error occurred while extracting files from the package',
        /PKInstallErrorDomain Code=110\b/,
        /PKXARArchiveErrorDomain Code=\d+/,
        /xar_verify failed/,
      ],
      cause:
        'The package cannot be read: cut off, damaged, in a folder that the installer may not read, or the disk is full.',
      who: 'maintainer',
      next: 'Compare its digest with SHA256SUMS of the release; try it from /tmp',
      act: 'verify',
      area: 'package',
    },
    {
      code: 'INSTALLER_SERVICE',
      kind: 'tool',
      match: [/PKInstallErrorDomain Code=20[01]\b/, 'An error occurred connecting to the installation service'],
      cause: 'installd did not start or refused the request.',
      who: 'runner',
      next: 'tail -n 50 /var/log/install.log; restart the Mac',
      area: 'verify',
    },
    {
      code: 'INSTALLER_NOT_ROOT',
      kind: 'tool',
      match: [
        'must be run as root to install this package',
        'Authorization is required to install',
        /PKInstallErrorDomain Code=100\b/,
      ],
      cause: 'The package installs into a system folder, which needs the rights of root.',
      who: 'maintainer',
      next: 'sudo installer -pkg "$PKG" -target /',
      area: 'verify',
    },
    {
      code: 'INSTALLER_NO_PACKAGE',
      kind: 'tool',
      match: [/Error (- )?the package path specified was invalid/],
      cause: 'There is no package at this path, or what lies there is not one (a failed download, a folder).',
      who: 'maintainer',
      next: 'file "$PKG"',
      area: 'verify',
    },
    {
      code: 'INSTALLER_ROSETTA',
      kind: 'verification',
      match: [/(need|have) to install Rosetta/, /requires (that )?Rosetta/],
      cause: 'The package or one of its scripts is for Intel only, or does not say that it runs on Apple silicon.',
      who: 'maintainer',
      next: 'Look at hostArchitectures of the Distribution: arm64,x86_64',
      act: 'inspect',
      area: 'configuration',
    },
    {
      code: 'INSTALLER_SYSTEM_VERSION',
      kind: 'verification',
      match: [
        'This package is incompatible with this version of macOS',
        'The version of macOS is too new',
        'installer: version check failure',
        /requires (macOS|OS X|Mac OS X) (version )?[\d.]+ or later/,
        /can"t be installed on this (disk|computer|mac)/,
      ],
      cause: 'The Distribution does not allow this macOS or this processor.',
      who: 'maintainer',
      next: 'sw_vers; compare it with minimumSystemVersion in the configuration',
      act: 'inspect',
      area: 'configuration',
    },
    {
      code: 'INSTALLER_VOLUME',
      kind: 'tool',
      match: [/Cannot install on volume [^\n]* because it is disabled/],
      cause: 'The Distribution does not allow this volume; the next line of the installer says why.',
      who: 'maintainer',
      next: 'Have the next line explained; installer -volinfo -pkg "$PKG"',
      act: 'inspect',
      area: 'configuration',
    },
    {
      code: 'INSTALLER_DONE',
      kind: 'harmless',
      match: ['installer: The install was successful', 'installer: The upgrade was successful'],
      cause: 'The package is installed: this is the good result.',
      who: 'maintainer',
      next: 'nothing',
      area: 'verify',
    },
    {
      code: 'INSTALLER_FAILED',
      kind: 'verification',
      match: [
        'The Installer encountered an error that caused the installation to fail',
        'The Installer could not install the software because',
        /PKInstallErrorDomain Code=\d+/,
      ],
      cause: 'The installation failed; only the install log says why.',
      who: 'maintainer',
      next: LOG,
      area: 'scripts',
    },
  ],
};
