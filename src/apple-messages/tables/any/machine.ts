import { ANY_TOOL } from '../../find-messages.ts';
import type { MessageTable } from '../../message.ts';

/** What a machine says when a program crashes or finds no room, whatever the program. */
export const MACHINE: MessageTable = {
  tools: [ANY_TOOL],
  rows: [
    {
      code: 'TOOL_CRASHED',
      kind: 'tool',
      match: [
        /^[^\n]*(Illegal instruction|Bus error|Segmentation fault|Trace\/BPT trap|Abort trap)(: \d+)?( \(core dumped\))?$/,
        /\bline \d+: +\d+ (Illegal instruction|Bus error|Segmentation fault|Trace\/BPT trap|Abort trap)(: \d+)?( \(core dumped\))? +\S/,
        'was ended by SIG…',
      ],
      cause: "The tool itself crashed; Xcode 16.3's notarytool does so on Intel images of macOS 15.",
      who: 'runner',
      next: 'Choose another Xcode with DEVELOPER_DIR, or do without notarytool and stapler',
      act: 'notary-portable',
      area: 'notarytool',
    },
    {
      code: 'PROGRAM_KILLED',
      kind: 'tool',
      match: [/\bKilled: 9\b/],
      cause:
        'macOS ended the program at once: its code signature is not valid (changed after signing), or memory ran out.',
      who: 'maintainer',
      next: 'codesign --verify --strict --verbose=2 "$TARGET"',
      act: 'release',
      area: 'sign-code',
    },
    {
      code: 'DISK_FULL',
      kind: 'tool',
      match: ['No space left on device', 'ENOSPC', 'The disk is full', 'errSecDiskFull'],
      cause: 'The disk of this machine is full.',
      who: 'runner',
      next: 'df -h; free some space',
      act: 'resume',
      area: 'package',
    },
  ],
};
