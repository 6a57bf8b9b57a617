import type { Row } from './row.ts';

const JOB = '<plist><dict><key>Label</key><string>a.job</string></dict></plist>';
const P = '/Library/LaunchDaemons/a.job.plist';
export const LAUNCHCTL: readonly Row[] = [
  [
    'bootstrap and print',
    `umask 022; echo '${JOB}' >${P}; /bin/launchctl bootstrap system ${P}; /bin/launchctl print system/a.job >/dev/null`,
    0,
    '',
    '',
  ],
  [
    'bootstrap twice',
    `umask 022; echo '${JOB}' >${P}; /bin/launchctl bootstrap system ${P}; /bin/launchctl bootstrap system ${P}`,
    5,
    '',
    'Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n',
  ],
  ['bootstrap of a writable plist', `umask 0; echo '${JOB}' >${P}; /bin/launchctl bootstrap system ${P}`, 5],
  ['bootout of nothing', '/bin/launchctl bootout system/a.job', 3, '', 'Boot-out failed: 3: No such process\n'],
  [
    'print of nothing',
    '/bin/launchctl print system/a.job',
    113,
    '',
    'Could not find service "a.job" in domain for system\n',
  ],
  [
    'bootout may leave the job for a while',
    `umask 022; echo busyAfterBootout=2 >/.sim/facts; echo '${JOB}' >${P}; /bin/launchctl bootstrap system ${P}; /bin/launchctl bootout system/a.job; /bin/launchctl bootstrap system ${P}; /bin/launchctl print system/a.job >/dev/null && /bin/launchctl bootstrap system ${P}`,
    0,
  ],
  [
    'disabled',
    `umask 022; echo '${JOB}' >${P}; /bin/launchctl disable system/a.job; /bin/launchctl bootstrap system ${P}`,
    5,
  ],
];
