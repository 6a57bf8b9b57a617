import { BUNDLE as B } from '../test-package.ts';
import type { Row } from './row.ts';

export const BUNDLE: readonly Row[] = [
  ['a sealed bundle', `/usr/bin/codesign --verify --strict '${B}'`, 0, '', ''],
  [
    'verbose',
    `/usr/bin/codesign -v -v '${B}'`,
    0,
    '',
    `${B}: valid on disk\n${B}: satisfies its Designated Requirement\n`,
  ],
  [
    'one = is taken away, and what follows is the requirement',
    `/usr/bin/codesign --verify --strict -R '=anchor apple generic' '${B}'; /usr/bin/codesign --verify '-R=anchor apple generic' '${B}'`,
    0,
    '',
    '',
  ],
  [
    'two = are one too many',
    `/usr/bin/codesign --verify '-R==anchor apple generic' '${B}'`,
    1,
    '',
    'error: invalid requirement specification\n',
  ],
  [
    'without = it is the path of a file',
    `echo 'anchor apple generic' >/tmp/r; /usr/bin/codesign --verify -R /tmp/r '${B}' && /usr/bin/codesign --verify -R 'anchor apple generic' '${B}'`,
    1,
    '',
    'error: No such file or directory\n',
  ],
  ['what no file can show is not checked', `/usr/bin/codesign --verify -R '=notarized' '${B}'`, 97],
  [
    'a requirement not met, in words',
    `echo team=TEAM123456 >/.sim/facts; /usr/bin/codesign --verify -R '=anchor apple' '${B}'`,
    3,
    '',
    'test-requirement: code failed to satisfy specified code requirement(s)\n',
  ],
  [
    'a changed executable',
    `printf x >>'${B}/Contents/MacOS/Escrow Buddy.'; printf 'x' | /bin/dd of='${B}/Contents/MacOS/Escrow Buddy' bs=1 seek=5000 conv=notrunc 2>/dev/null; /usr/bin/codesign --verify '${B}'`,
    1,
    '',
    `${B}: invalid signature (code or signature have been modified)\n`,
  ],
  [
    'a changed Info.plist',
    `echo >>'${B}/Contents/Info.plist'; /usr/bin/codesign --verify '${B}'`,
    1,
    '',
    `${B}: invalid Info.plist (plist or signature have been modified)\n`,
  ],
  [
    'a changed resource',
    `echo x >>'${B}/Contents/Resources/a.sh'; /usr/bin/codesign --verify '${B}'`,
    1,
    '',
    `${B}: a sealed resource is missing or invalid\nfile modified: ${B}/Contents/Resources/a.sh\n`,
  ],
  [
    'an added file',
    `echo x >'${B}/Contents/Resources/b'; /usr/bin/codesign --verify '${B}'`,
    1,
    '',
    /a sealed resource is missing or invalid/,
  ],
  ['no bundle', '/usr/bin/codesign --verify /nowhere', 1, '', '/nowhere: No such file or directory\n'],
  [
    'file',
    `/usr/bin/file -b '${B}/Contents/MacOS/Escrow Buddy' | head -1`,
    0,
    'Mach-O universal binary with 2 architectures: [x86_64:Mach-O 64-bit bundle x86_64] [arm64:Mach-O 64-bit bundle arm64]\n',
  ],
  [
    'file of what is missing succeeds',
    '/usr/bin/file -b /nowhere',
    0,
    "cannot open `/nowhere' (No such file or directory)\n",
  ],
];
