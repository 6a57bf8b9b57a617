import type { Row } from './row.ts';

const D = '/Library/Preferences/com.netflix.Escrow-Buddy';
export const DEFAULTS: readonly Row[] = [
  [
    'a boolean reads as 1',
    `/usr/bin/defaults write ${D} k -bool true; /usr/bin/defaults read ${D} k; /usr/bin/defaults read-type ${D}.plist k`,
    0,
    '1\nType is boolean\n',
    '',
  ],
  [
    'without a type it is a string',
    `/usr/bin/defaults write ${D} k true; /usr/bin/defaults read-type ${D} k`,
    0,
    'Type is string\n',
  ],
  [
    'writing makes a binary file of mode 0600',
    `/usr/bin/defaults write ${D} k -int 5; head -c 6 ${D}.plist; /usr/bin/stat -f %Lp ${D}.plist`,
    0,
    'bplist600\n',
  ],
  [
    'a missing key',
    `/usr/bin/defaults write ${D} k -int 5; /usr/bin/defaults read ${D} z`,
    1,
    '',
    /defaults\[\d+:\d+\] \nThe domain\/default pair of \(\/Library\/Preferences\/com\.netflix\.Escrow-Buddy, z\) does not exist\n$/,
  ],
  ['a missing domain', `/usr/bin/defaults read ${D}x`, 1, '', /Domain .*x does not exist\n$/],
  [
    'delete of a missing key',
    `/usr/bin/defaults delete ${D} z`,
    1,
    '',
    /Domain \(.*\) not found\.\nDefaults have not been changed\.\n$/,
  ],
  [
    'an array reads as old-style text',
    `/usr/bin/defaults write ${D} k -array a 'b c'; /usr/bin/defaults read ${D} k`,
    0,
    '(\n    a,\n    "b c"\n)\n',
  ],
  [
    "a domain without slash is root's own",
    '/usr/bin/defaults write dom k v; /usr/bin/cmp -s /var/root/Library/Preferences/dom.plist /dev/null',
    1,
  ],
  [
    'a managed value shows in the domain only',
    `echo '{k=m;}' >'/Library/Managed Preferences/dom.plist'; /usr/bin/defaults read dom k; /usr/bin/defaults read /Library/Preferences/dom k`,
    1,
    'm\n',
  ],
];
