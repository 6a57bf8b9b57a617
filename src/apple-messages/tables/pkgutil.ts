import type { MessageTable } from '../message.ts';

/** What `pkgutil` says about a package's signature. From public reports. */
export const PKGUTIL: MessageTable = {
  tools: ['pkgutil'],
  rows: [
    {
      code: 'PACKAGE_MODIFIED',
      kind: 'verification',
      match: ['package is invalid (checksum did not verify)'],
      cause: 'The package was cut off or changed after it was signed. spctl may accept it nevertheless.',
      who: 'maintainer',
      next: 'Verify the package, then sign it again',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'PACKAGE_SIGNATURE',
      kind: 'verification',
      match: ['Status: invalid signature'],
      cause: 'The signature does not belong to this table of contents.',
      who: 'maintainer',
      next: 'Verify the package, then sign it again',
      act: 'verify',
      area: 'sign-package',
    },
  ],
};
