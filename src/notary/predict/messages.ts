import type { NotaryIssue } from '../log.ts';

const PAGE =
  'https://developer.apple.com/documentation/security/notarizing_macos_software_before_distribution/resolving_common_notarization_issues';

/** What the notary's log says, word by word. Source: logs published in electron-builder#4637, pyoxidizer#522, jssc#54 and others. */
export const MESSAGES = {
  notSigned: 'The binary is not signed.',
  notDeveloperId: 'The binary is not signed with a valid Developer ID certificate.',
  invalid: 'The signature of the binary is invalid.',
  noTimestamp: 'The signature does not include a secure timestamp.',
  noRuntime: 'The executable does not have the hardened runtime enabled.',
  getTaskAllow: 'The executable requests the com.apple.security.get-task-allow entitlement.',
  oldSdk: 'The binary uses an SDK older than the 10.9 SDK.',
  weak: 'The signature algorithm used is too weak.',
  /** UNCERTAIN: Apple documents the case, nobody has published a log with it. */
  notExtracted: (path: string) => `The contents of the package at ${path} could not be extracted.`,
} as const;

/** Sections of Apple's page. Those of the last three are UNCERTAIN: second-hand. */
const SECTIONS: Readonly<Record<string, string>> = {
  [MESSAGES.notSigned]: '3087721',
  [MESSAGES.notDeveloperId]: '3087721',
  [MESSAGES.invalid]: '3087735',
  [MESSAGES.noTimestamp]: '3087733',
  [MESSAGES.noRuntime]: '3087724',
  [MESSAGES.getTaskAllow]: '3087731',
  [MESSAGES.oldSdk]: '3087723',
};

/** Returns an issue as the log has it. */
export function issue(path: string, message: string, architecture: string | null): NotaryIssue {
  const section = SECTIONS[message];
  return {
    severity: 'error',
    code: null,
    path,
    message,
    docUrl: section ? `${PAGE}#${section}` : null,
    architecture,
  };
}
