import type { MessageTable } from '../message.ts';

/** What the login window shows of plug-ins that its right names. From public reports. */
export const LOGIN_WINDOW: MessageTable = {
  tools: ['SecurityAgent'],
  rows: [
    {
      code: 'LOGIN_MECHANISM',
      kind: 'verification',
      match: ['SecurityAgent was unable to create requested mechanism'],
      cause:
        'The login right names a plug-in that is gone or cannot be loaded, as when its files were removed and its entry was not.',
      who: 'runner',
      next: 'In recovery or over ssh: put the plug-in back, or take its entry out (docs/upgrading.md)',
      area: 'scripts',
    },
  ],
};
