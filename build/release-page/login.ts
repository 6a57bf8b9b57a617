import type { KitInput } from '../kit/system.ts';
import type { PageSection } from './blocks.ts';
import { type LoginStep, loginPicture } from './picture.ts';

const STEPS: readonly LoginStep[] = [
  { title: 'Somebody logs in', note: 'macOS has accepted the password' },
  { title: 'Is a new key asked for?', note: 'GenerateNewKey, set by your MDM', otherwise: 'no: nothing more' },
  { title: 'Can one be made and sent?', note: 'escrow profile, FileVault, password', otherwise: 'no: request stays' },
  { title: 'fdesetup makes a new key', note: 'the password goes through a pipe', otherwise: 'failed: request stays' },
  { title: 'Was a key recorded?', note: 'yes: the request is cleared', otherwise: 'late: next login looks' },
  { title: 'The desktop', note: 'the MDM collects the key later' },
];

/** Returns how a login with a request runs: drawn, and the same in words. */
export function loginSection({ facts }: KitInput): PageSection {
  const { DOMAIN, ANCHOR } = facts.values;
  return {
    id: 'login',
    title: 'How a login with a request runs',
    blocks: [
      {
        kind: 'picture',
        svg: loginPicture(
          STEPS,
          'A login in six steps, the same as in the list below. At each question that is answered with no, and at each failure, the login goes on to the desktop without a new key.',
        ),
      },
      {
        kind: 'list',
        ordered: true,
        items: [
          'Somebody logs in, and macOS accepts name and password.',
          `The plug-in, the last entry before \`${ANCHOR}\`, looks whether \`GenerateNewKey\` is set. It is not: the login goes on.`,
          'It looks for an escrow profile, for FileVault, and for a password (a smart card has none). One is missing: the request stays, `LastOutcome` says why, and the login goes on.',
          '`fdesetup changerecovery` gets name and password through a pipe and makes a new key, which macOS encrypts for the MDM. It fails: the request stays, and after three failures in a row this user gets one attempt a day. It takes longer than `CommandTimeout`: the login goes on without it, and the next one looks what became of it.',
          `The key record has changed: the request is cleared, and \`LastOutcome\` of \`${DOMAIN}\` says \`rotated\`.`,
          'The desktop appears, in every case. The MDM collects the key at its next inventory.',
        ],
      },
    ],
  };
}
