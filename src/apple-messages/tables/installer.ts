import type { MessageTable } from '../message.ts';

/** What `installer`, Installer.app and installd's log say when a package is installed. From public reports. */
export const INSTALLER: MessageTable = {
  tools: ['installer', 'installd'],
  rows: [
    {
      code: 'INSTALLER_UNTRUSTED',
      kind: 'verification',
      match: ['The package "…" is untrusted'],
      cause:
        'This Mac does not trust the signer: an unknown issuer, a rehearsal, or an expired certificate without a timestamp.',
      who: 'maintainer',
      next: 'pkgutil --check-signature "$PKG"',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'INSTALLER_SCRIPT_FAILED',
      kind: 'verification',
      match: ['An error occurred while running scripts from the package', 'PKInstallErrorDomain Code=112'],
      cause:
        'preinstall or postinstall exited with a status other than 0; the install log has its output and its name.',
      who: 'maintainer',
      next: 'grep -B20 "Code=112" /var/log/install.log',
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
  ],
};
