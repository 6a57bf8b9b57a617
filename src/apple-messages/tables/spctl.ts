import type { MessageTable } from '../message.ts';

/** What `spctl` says: Gatekeeper's verdicts. Words from public reports and from Security-61901: policyengine.cpp, CSCommon.h. */
export const SPCTL: MessageTable = {
  tools: ['spctl'],
  rows: [
    {
      code: 'GATEKEEPER_UNSIGNED',
      kind: 'verification',
      match: ['source=no usable signature'],
      cause: 'It is not signed, or was assessed as the wrong kind: packages need -t install.',
      who: 'maintainer',
      next: 'spctl -a -vv -t install "$PKG"',
      act: 'verify',
      area: 'sign-package',
    },
    {
      code: 'GATEKEEPER_UNNOTARIZED',
      kind: 'verification',
      match: ['Unnotarized Developer ID', 'source=Developer ID'],
      cause: 'The signature is right, but since macOS 10.15 it must be notarized too, and this Mac knows of no ticket.',
      who: 'maintainer',
      next: 'xcrun stapler validate -v "$PKG"',
      act: 'resume',
      area: 'notarize',
    },
    {
      code: 'GATEKEEPER_OBSOLETE',
      kind: 'verification',
      match: ['source=obsolete resource envelope'],
      cause: 'A plain program, or a version 1 signature, was assessed as if it were an application.',
      who: 'maintainer',
      next: 'codesign --verify --strict --verbose=2 "$TARGET"',
      area: 'sign-code',
    },
    {
      code: 'GATEKEEPER_NOT_AN_APP',
      kind: 'verification',
      match: ['the code is valid but does not seem to be an app'],
      cause: 'A plug-in is not an application: assess the package that installs it.',
      who: 'maintainer',
      next: 'spctl -a -vv -t install "$PKG"',
      act: 'verify',
      area: 'verify',
    },
  ],
};
