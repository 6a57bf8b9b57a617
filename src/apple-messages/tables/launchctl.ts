import type { MessageTable } from '../message.ts';

/** The ways in which `launchctl` says that an errno stopped it; `load` and `unload` are its old words. */
function failed(verb: 'in' | 'out', ...numbers: number[]): RegExp {
  const words = verb === 'in' ? '(Bootstrap|Load)' : '(Boot-?out|Unload)';
  return new RegExp(`\\b${words} failed: (${numbers.join('|')})\\b`);
}

const LOOK = 'launchctl print "system/$LABEL"; ls -l "$PLIST"; plutil -lint "$PLIST"';

/** What `launchctl` says when a job of launchd cannot be started or ended. From public reports; numbers are those of errno.h and launchd. */
export const LAUNCHCTL: MessageTable = {
  tools: ['launchctl'],
  rows: [
    {
      code: 'LAUNCHD_DISABLED',
      kind: 'tool',
      match: ['Service is disabled', failed('in', 119)],
      cause: 'Somebody disabled this job with launchctl, which outlives the removal of its file and a restart.',
      who: 'runner',
      next: 'sudo launchctl enable "system/$LABEL", then install again',
      area: 'scripts',
    },
    {
      code: 'LAUNCHD_PERMISSIONS',
      kind: 'tool',
      match: ['Path had bad ownership/permissions', /Dubious (ownership|permissions) on file/, failed('in', 122)],
      cause: 'The file of the job, or a folder above it, does not belong to root or can be written by others.',
      who: 'maintainer',
      next: 'ls -le "$PLIST"; its owner must be root:wheel, its mode 644',
      area: 'permissions',
    },
    {
      code: 'LAUNCHD_DOMAIN',
      kind: 'tool',
      match: ['Domain does not support specified action', 'Could not find domain for', failed('in', 125)],
      cause:
        'The domain that was named does not exist: gui/UID needs a user who is logged in at the screen, and root has none.',
      who: 'maintainer',
      next: 'Name the domain system for a daemon',
      area: 'scripts',
    },
    {
      code: 'LAUNCHD_NOT_THERE',
      kind: 'harmless',
      match: [
        failed('out', 3, 113),
        /Could not find (specified )?service\b/,
        /Could not find service "[^"\n]*" in domain/,
      ],
      cause:
        'No job of this name is loaded: there is nothing to end, and what is to start it must load its file first.',
      who: 'maintainer',
      next: 'nothing, or: sudo launchctl bootstrap system "$PLIST"',
      area: 'scripts',
    },
    {
      code: 'LAUNCHD_IN_PROGRESS',
      kind: 'wait',
      match: [failed('in', 36, 37), failed('out', 36, 37)],
      cause: 'launchd is still ending an earlier job of this name.',
      who: 'runner',
      next: 'Wait some seconds, then run it again',
      area: 'scripts',
    },
    {
      code: 'LAUNCHD_REFUSED',
      kind: 'tool',
      match: [failed('in', 5, 17), failed('out', 5)],
      cause:
        'launchd refuses and says no more: the job is loaded already or still ending, was disabled, or its file is not valid.',
      who: 'runner',
      next: LOOK,
      area: 'scripts',
    },
  ],
};
