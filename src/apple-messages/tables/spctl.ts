import type { MessageTable } from '../message.ts';

/**
 * What `spctl` says and what Gatekeeper shows on the screen. Words from public reports and from Security-61901: policyengine.cpp,
 * CSCommon.h.
 */
export const SPCTL: MessageTable = {
  tools: ['spctl', 'gatekeeper'],
  rows: [
    {
      code: 'GATEKEEPER_APP_STORE_ONLY',
      kind: 'verification',
      match: [/: rejected\nsource=Notarized Developer ID/],
      cause: 'The package is notarized, but this Mac is set to accept only software of the App Store.',
      who: 'runner',
      next: 'spctl --status; look at Privacy & Security in System Settings or at the profile that sets it',
      area: 'verify',
    },
    {
      code: 'GATEKEEPER_ACCEPTED',
      kind: 'harmless',
      match: [
        /: accepted\nsource=[^\n]+/,
        'source=Notarized Developer ID',
        'source=Apple Installer',
        'source=Apple System',
      ],
      cause: 'Gatekeeper accepts it: this is the good result.',
      who: 'maintainer',
      next: 'nothing',
      area: 'verify',
    },
    {
      code: 'GATEKEEPER_UNSIGNED',
      kind: 'verification',
      match: [
        /source ?= ?no usable signature/,
        'is from an unidentified developer',
        "can't be opened because it is from an unidentified developer",
      ],
      cause: 'It is not signed with a Developer ID, or was assessed as the wrong kind: packages need -t install.',
      who: 'maintainer',
      next: 'spctl -a -vv -t install "$PKG"; pkgutil --check-signature "$PKG"',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'GATEKEEPER_UNNOTARIZED',
      kind: 'verification',
      match: [
        /"[^"\n]+" Not Opened/,

        'Unnotarized Developer ID',
        /source=Developer ID$/,
        'cannot be opened because the developer cannot be verified',
        /because Apple (cannot|can"t) check it for malicious software/,
        'macOS cannot verify that this app is free from malware',
        /Apple (could not|couldn"t|cannot|can"t) verify (if |that )?[^\n]* (is|are) free (of|from) malware/,
      ],
      cause:
        'It is not notarized, or this Mac has no ticket for it and could not fetch one: since macOS 10.15 a Developer ID is not enough.',
      who: 'maintainer',
      next: 'xcrun stapler validate -v "$PKG"',
      act: 'resume',
      area: 'notarize',
    },
    {
      code: 'GATEKEEPER_DAMAGED',
      kind: 'verification',
      match: [
        /is damaged and can"t be opened/,
        'is damaged and cannot be opened',
        'will damage your computer',
        /contains malware/,
      ],
      cause: 'The file changed after it was signed (a cut-off download, a tool that unpacked it), or Apple revoked it.',
      who: 'maintainer',
      next: 'Compare its digest with SHA256SUMS of the release, then verify it',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'GATEKEEPER_OBSOLETE',
      kind: 'verification',
      match: ['source=obsolete resource envelope', 'resource envelope is obsolete'],
      cause: 'A plain program, or a version 1 signature, was assessed as if it were an application.',
      who: 'maintainer',
      next: 'codesign --verify --strict --verbose=2 "$TARGET"',
      act: 'release',
      area: 'sign-code',
    },
    {
      code: 'GATEKEEPER_NOT_AN_APP',
      kind: 'verification',
      match: ['the code is valid but does not seem to be an app', 'errSecCSNotAppLike', '-67002'],
      cause: 'A plug-in or a plain program is not an application: assess the package that installs it.',
      who: 'maintainer',
      next: 'spctl -a -vv -t install "$PKG"',
      act: 'verify',
      area: 'verify',
    },
    {
      code: 'GATEKEEPER_EXPLICIT',
      kind: 'verification',
      match: ['source=explicit preference', 'source=matched cdhash', 'explicitly rejected'],
      cause: 'A rule on this Mac decides, not the signature.',
      who: 'runner',
      next: 'Assess it on a Mac without that rule: spctl --list',
      area: 'verify',
    },
  ],
};
