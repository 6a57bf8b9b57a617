import type { MessageTable } from '../../message.ts';

/** Words that name an exit code of stapler: its own last line, and those of programs that start it. */
function exitCode(code: number): (string | RegExp)[] {
  return [
    `action failed! Error ${code}`,
    `Failed to staple your application with code: ${code}`,
    new RegExp(`\\bstapler\\b[^\\n]*\\b(exited( with)?( code)?|exit (code|status)|was) ${code}\\b`),
  ];
}

/** What `stapler` says; its exit codes are those of sysexits.h. From public reports. */
export const STAPLER: MessageTable = {
  tools: ['stapler'],
  rows: [
    {
      code: 'STAPLE_DONE',
      kind: 'harmless',
      match: ['The staple and validate action worked', 'The validate action worked'],
      cause: 'The ticket is stapled and fits: this is the good result.',
      who: 'maintainer',
      next: 'nothing',
      area: 'staple',
    },
    {
      code: 'STAPLE_FILE_KIND',
      kind: 'tool',
      match: [/Stapler is incapable of working with [^\n]+ files/, 'Could not remove existing ticket from'],
      cause: 'Zip archives, folders and plain programs take no ticket; packages, disk images and bundles do.',
      who: 'maintainer',
      next: 'file "$TARGET"; staple the package',
      act: 'staple',
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
      code: 'STAPLE_SERVICE',
      kind: 'network',
      match: [
        /CloudKit"s response is inconsistent with expec\w+/,
        /Certificate trust evaluation [^\n]*did not return expected result/,
        'Could not establish secure connection to api.apple-cloudkit.com',
        /CloudKit query [^\n]*failed due to "(?!Record not found)/,
        ...exitCode(68),
        ...exitCode(69),
        ...exitCode(76),
      ],
      cause:
        "The ticket service gave no answer that could be used: often a proxy or VPN that opens TLS connections answers in Apple's place.",
      who: 'runner',
      next: 'date -u; curl -sS -o /dev/null -w "%{http_code}" https://api.apple-cloudkit.com/, without VPN if there is one',
      act: 'resume',
      area: 'staple',
    },
    {
      code: 'TICKET_NOT_FOUND',
      kind: 'network',
      match: [
        'failed due to "Record not found"',
        'NOT_FOUND: Record not found',
        'Could not find base64 encoded ticket in response',
        ...exitCode(65),
      ],
      cause:
        'Apple has no ticket for exactly these bytes: not accepted, other bytes were submitted, or not published yet.',
      who: 'maintainer',
      next: 'Ask for the status of the submission; once it is Accepted, resume',
      act: 'resume',
      area: 'staple',
    },
    {
      code: 'STAPLE_INPUT',
      kind: 'tool',
      match: [...exitCode(66), ...exitCode(64)],
      cause:
        'stapler cannot use the file it was given: no such file, not a package, or a package without a CMS signature.',
      who: 'maintainer',
      next: 'file "$PKG"; pkgutil --check-signature "$PKG"',
      act: 'verify',
      area: 'staple',
    },
    {
      code: 'STAPLE_NOT_WRITABLE',
      kind: 'tool',
      match: [...exitCode(73), ...exitCode(74), ...exitCode(77)],
      cause: 'There is a ticket, but it cannot be written: the file or folder is read-only, or it is a plain program.',
      who: 'maintainer',
      next: 'ls -lO "$PKG"',
      act: 'staple',
      area: 'staple',
    },
    {
      code: 'STAPLE_TOOL_FAULT',
      kind: 'tool',
      match: [...exitCode(70), ...exitCode(71), ...exitCode(75)],
      cause: 'stapler itself failed.',
      who: 'runner',
      next: 'Choose another Xcode with DEVELOPER_DIR, or do without stapler',
      act: 'notary-portable',
      area: 'staple',
    },
  ],
};
