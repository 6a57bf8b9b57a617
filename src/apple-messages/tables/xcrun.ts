import { ANY_TOOL } from '../find-messages.ts';
import type { MessageTable } from '../message.ts';

/** What `xcrun`, `xcode-select` and `xcodebuild` say about the developer tools. Other tools print it too, as xcrun starts them. */
export const XCRUN: MessageTable = {
  tools: ['xcrun', 'xcode-select', 'xcodebuild', ANY_TOOL],
  rows: [
    {
      code: 'XCODE_LICENSE',
      kind: 'tool',
      match: [
        'You have not agreed to the Xcode license',
        'Agreeing to the Xcode/iOS license requires admin privileges',
        'Agreeing to the Xcode and Apple SDKs license requires admin privileges',
      ],
      cause: 'Nobody has accepted the license of this Xcode on this machine.',
      who: 'runner',
      next: 'sudo xcodebuild -license accept',
      act: 'release',
      area: 'developer-tools',
    },
    {
      code: 'XCODE_INVALID',
      kind: 'tool',
      match: [
        'invalid active developer path',
        'xcode-select: error: invalid developer directory',
        'xcode-select: error: unable to get active developer directory',
        'xcrun: error: missing DEVELOPER_DIR path',
        'xcode-select: note: no developer tools were found',
      ],
      cause: 'The developer tools are missing at the selected path; an update of macOS may have removed them.',
      who: 'runner',
      next: 'xcode-select -p; xcode-select --install, or sudo xcode-select -s /Applications/Xcode.app',
      area: 'developer-tools',
    },
    {
      code: 'XCODE_SDK',
      kind: 'tool',
      match: [
        /xcrun: error: SDK "[^"\n]*" cannot be located/,
        /xcodebuild: error: SDK "[^"\n]*" cannot be located/,
        'xcrun: error: unable to lookup item',
        /xcrun: error: Failed to determine realpath of "[^"\n]*\.sdk"/,
        /xcrun: error: [^\n]*xcodebuild -sdk [^\n]* failed with exit code/,
      ],
      cause: 'The selected developer tools have no such SDK: SDKROOT or the selected Xcode does not fit.',
      who: 'runner',
      next: 'unset SDKROOT; sudo xcode-select -s /Applications/Xcode.app',
      act: 'release',
      area: 'developer-tools',
    },
    {
      code: 'TOOL_NOT_FOUND',
      kind: 'tool',
      match: [
        /(notarytool|stapler|codesign|productsign|productbuild|pkgbuild|pkgutil|spctl|xcrun): (command )?not found/,
        /command not found: (notarytool|stapler|codesign|productsign|productbuild|pkgbuild|pkgutil|spctl|xcrun)/,
        /\b(notarytool|stapler) not found\b/,
      ],
      cause:
        'The tool is not on this machine, or not on its PATH: not a Mac, or no developer tools. This pipeline can do without all of them.',
      who: 'runner',
      next: 'xcode-select --install; on another system use the portable toolchain',
      act: 'sign-portable',
      area: 'developer-tools',
    },
    {
      code: 'XCODE_MACOS',
      kind: 'tool',
      match: [
        /xcrun: error: unable (to )?execute utility [^\n]* requires a newer version of macOS/,
        /Xcode[^\n]* requires macOS [\d.]+ or later/,
      ],
      cause: 'This Xcode, or a tool copied out of one, needs a newer macOS than this machine has.',
      who: 'runner',
      next: 'sw_vers -productVersion; choose another Xcode with DEVELOPER_DIR',
      act: 'notary-portable',
      area: 'developer-tools',
    },
    {
      code: 'XCODE_NOISE',
      kind: 'harmless',
      match: [/Failed to open macho file at [^\n]* for reading: Too many levels of symbolic links/],
      cause: 'xcrun says so before it starts the tool all the same.',
      who: 'maintainer',
      next: 'nothing',
      area: 'developer-tools',
    },
    {
      code: 'XCODE_TOOL',
      kind: 'tool',
      match: ['xcrun: error: unable to find utility', /xcode-select: error: tool "[^"\n]*" requires Xcode/],
      cause:
        'Only the command line tools are selected, or Xcode is too old for this tool. This pipeline can do without notarytool and stapler.',
      who: 'runner',
      next: 'sudo xcode-select -s /Applications/Xcode.app',
      act: 'notary-portable',
      area: 'developer-tools',
    },
  ],
};
