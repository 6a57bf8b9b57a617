import type { MessageTable } from '../message.ts';

/** What `xcrun` and `xcode-select` say. Other tools print it too when xcrun starts them, so its words begin with its name. */
export const XCRUN: MessageTable = {
  tools: ['xcrun'],
  rows: [
    {
      code: 'XCODE_INVALID',
      kind: 'tool',
      match: ['xcrun: error: invalid active developer path'],
      cause: 'The developer tools are missing at the selected path; an update of macOS may have removed them.',
      who: 'runner',
      next: 'xcode-select --install',
      area: 'developer-tools',
    },
    {
      code: 'XCODE_TOOL',
      kind: 'tool',
      match: ['xcrun: error: unable to find utility'],
      cause:
        'Only the command line tools are selected, or Xcode is too old for this tool. This pipeline can do without notarytool and stapler.',
      who: 'runner',
      next: 'sudo xcode-select -s /Applications/Xcode.app',
      act: 'notary-portable',
      area: 'developer-tools',
    },
  ],
};
