import type { MessageTable } from '../message.ts';

/** What `stapler` says; its exit codes are those of sysexits.h. From public reports. */
export const STAPLER: MessageTable = {
  tools: ['stapler'],
  rows: [
    {
      code: 'TICKET_NOT_FOUND',
      kind: 'network',
      match: [
        'failed due to "Record not found"',
        'Could not find base64 encoded ticket in response',
        'The staple and validate action failed! Error 65',
      ],
      cause:
        'Apple has no ticket for exactly these bytes: not accepted, other bytes were submitted, or not published yet.',
      who: 'maintainer',
      next: 'Ask for the status of the submission; once it is Accepted, resume',
      act: 'resume',
      area: 'staple',
    },
    {
      code: 'STAPLE_SIGNATURE',
      kind: 'tool',
      match: ['Could not find an appropriate "code signature"', 'Cannot download ticket. CDHash must be set'],
      cause: 'The package has no CMS signature, which is the one that stapler reads.',
      who: 'maintainer',
      next: 'Sign the package again with a Developer ID Installer certificate',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'STAPLE_KIND',
      kind: 'tool',
      match: ['Could not remove existing ticket from'],
      cause: 'Plain programs take no ticket; bundles, disk images and packages do.',
      who: 'maintainer',
      next: 'file "$TARGET"',
      area: 'staple',
    },
    {
      code: 'STAPLE_SERVICE',
      kind: 'network',
      match: ["CloudKit's response is inconsistent with expec…", 'The staple and validate action failed! Error 68'],
      cause:
        "The ticket service gave no answer that could be used: often a proxy that opens TLS connections answers in Apple's place.",
      who: 'runner',
      next: 'curl -sS -o /dev/null -w "%{http_code}" https://api.apple-cloudkit.com/',
      act: 'resume',
      area: 'staple',
    },
    {
      code: 'STAPLE_MISSING',
      kind: 'verification',
      match: ['does not have a ticket stapled to it'],
      cause: 'The package was never stapled, or was signed again afterwards.',
      who: 'maintainer',
      next: 'Staple the package',
      act: 'staple',
      area: 'staple',
    },
    {
      code: 'STAPLE_NOT_WRITABLE',
      kind: 'tool',
      match: ['The staple and validate action failed! Error 73'],
      cause: 'There is a ticket, but it cannot be written: the file or folder is read-only, or it is a plain program.',
      who: 'maintainer',
      next: 'ls -lO "$PKG"',
      act: 'staple',
      area: 'staple',
    },
  ],
};
