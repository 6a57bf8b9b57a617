import { BUNDLE as B } from './test-package.ts';

/** [what, shell text, status, standard output, standard error]; undefined: not looked at. */
export type Row = readonly [string, string, number, (string | RegExp)?, (string | RegExp)?];

const PB = '/usr/libexec/PlistBuddy -c';
export const READ = '/usr/bin/security -q authorizationdb read system.login.console';
const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n';

/** apple-oss-distributions/Security, SecurityTool/macOS/authz.c and security.c. */
const SECURITY: readonly Row[] = [
  [
    'read says YES on standard error',
    '/usr/bin/security authorizationdb read system.login.console >/dev/null',
    0,
    '',
    'YES (0)\n',
  ],
  ['-q takes the status line away', `${READ} >/dev/null`, 0, '', ''],
  ['an unknown right is denied', '/usr/bin/security authorizationdb read no.such.right', 255, '', 'NO (-60005)\n'],
  ['a rule can be read', 'echo x >/.sim/rules/r; /usr/bin/security -q authorizationdb read r', 0, 'x\n', ''],
  [
    'write of no plist has no status line',
    'echo "YES (0)" | /usr/bin/security authorizationdb write system.login.console',
    255,
    '',
    /Unable to read the right definition\n$/,
  ],
  [
    'write of a bare word is no dictionary',
    'echo word | /usr/bin/security authorizationdb write system.login.console',
    255,
    '',
    'This is not a dictionary.\nUnable to read the right definition\n',
  ],
  ['write of nothing is no plist', '/usr/bin/security authorizationdb write x </dev/null', 255, '', /Unable to read/],
  [
    'write with a missing rule is denied',
    '/usr/bin/security authorizationdb write r2 nowhere',
    255,
    '',
    'NO (-60005)\n',
  ],
  [
    'write with a rule makes a shortcut',
    'echo x >/.sim/rules/is-root; /usr/bin/security authorizationdb write r2 is-root; /usr/bin/security -q authorizationdb read r2',
    0,
    /<key>rule<\/key>\n\t<array>\n\t\t<string>is-root/,
    'YES (0)\n',
  ],
  [
    'a rule is not written',
    `${READ} >/tmp/x; echo x >/.sim/rules/r; /usr/bin/security authorizationdb write r </tmp/x`,
    255,
    '',
    'NO (-60005)\n',
  ],
  [
    'a protected right is not written',
    `${READ} >/tmp/x; echo '{protectedRights=(system.login.console);}' >/Library/Preferences/com.apple.security.authorization.plist; /usr/bin/security authorizationdb write system.login.console </tmp/x`,
    255,
    '',
    'NO (-60005)\n',
  ],
  ['two words too many are usage', '/usr/bin/security authorizationdb write r a b', 2, '', /^Usage: authorizationdb/],
  ['-q behind the command is usage', '/usr/bin/security authorizationdb -q read r', 2, '', /^Usage: authorizationdb/],
  ['no verb is usage', '/usr/bin/security authorizationdb', 2],
  ['an unknown verb is denied', '/usr/bin/security authorizationdb frobnicate r', 255, '', 'NO (-60005)\n'],
  ['remove says YES for nothing', '/usr/bin/security authorizationdb remove nothing', 0, '', 'YES (0)\n'],
  [
    'without authd it is silent',
    'echo authd=no >/.sim/facts; /usr/bin/security authorizationdb read system.login.console',
    255,
    '',
    '',
  ],
  ['nonsense is named', '/usr/bin/security nonsense', 1, '', 'security: unknown command "nonsense"\n'],
  ['another command ends with 97', '/usr/bin/security find-identity', 97],
];

/** Manual page of PlistBuddy; public reports named in standins/buddy.c. */
const PLIST_BUDDY: readonly Row[] = [
  ['prints an item', `${READ} >/tmp/x; ${PB} 'Print :mechanisms:0' /tmp/x`, 0, 'builtin:prelogin\n', ''],
  [
    'prints an array with braces',
    `echo '{a=(x,"y z");}' >/tmp/x; ${PB} 'Print :a' /tmp/x`,
    0,
    'Array {\n    x\n    y z\n}\n',
    '',
  ],
  [
    '-x prints XML',
    `echo '{a=(x);}' >/tmp/x; /usr/libexec/PlistBuddy -x -c 'Print :a' /tmp/x`,
    0,
    `${HEAD}<array>\n\t<string>x</string>\n</array>\n</plist>\n`,
    '',
  ],
  [
    'names what is missing',
    `echo '{a=b;}' >/tmp/x; ${PB} 'Print :c' /tmp/x`,
    1,
    '',
    'Print: Entry, ":c", Does Not Exist\n',
  ],
  [
    'Set of what is missing',
    `echo '{a=b;}' >/tmp/x; ${PB} 'Set :c d' /tmp/x`,
    1,
    '',
    'Set: Entry, ":c", Does Not Exist\n',
  ],
  [
    'Set of a container',
    `echo '{a=(b);}' >/tmp/x; ${PB} 'Set :a d' /tmp/x`,
    1,
    '',
    'Set: Cannot Perform Set On Containers\n',
  ],
  [
    'Delete of what is missing',
    `echo '{a=b;}' >/tmp/x; ${PB} 'Delete :c' /tmp/x`,
    1,
    '',
    'Delete: Entry, ":c", Does Not Exist\n',
  ],
  [
    'Add of what is there',
    `echo '{a=b;}' >/tmp/x; ${PB} 'Add :a string c' /tmp/x`,
    1,
    '',
    'Add: ":a" Entry Already Exists\n',
  ],
  [
    'Add below a string',
    `echo '{a=b;}' >/tmp/x; ${PB} 'Add :a:b string c' /tmp/x`,
    1,
    '',
    `Add: Can't Add Entry, ":a:b", to Parent\n`,
  ],
  [
    'Add inserts before',
    `echo '{a=(x,y);}' >/tmp/x; ${PB} "Add :a:1 string 'b c:d,e'" /tmp/x; ${PB} 'Print :a:1' /tmp/x; ${PB} 'Print :a:2' /tmp/x`,
    0,
    'b c:d,e\ny\n',
    '',
  ],
  [
    'Add behind the end appends',
    `echo '{a=(x);}' >/tmp/x; ${PB} 'Add :a:9 string z' /tmp/x; ${PB} 'Print :a:1' /tmp/x`,
    0,
    'z\n',
    '',
  ],
  [
    'Add to a missing array makes a dictionary',
    `echo '{a=b;}' >/tmp/x; ${PB} 'Add :m:0 string z' /tmp/x; /usr/bin/plutil -extract m json -o - /tmp/x`,
    0,
    '{"0":"z"}',
    '',
  ],
  [
    'Delete moves later items down',
    `echo '{a=(x,y,z);}' >/tmp/x; ${PB} 'Delete :a:1' /tmp/x; ${PB} 'Print :a:1' /tmp/x`,
    0,
    'z\n',
    '',
  ],
  ['unknown command', `echo '{a=b;}' >/tmp/x; ${PB} 'Frob :a' /tmp/x`, 1, '', 'Unrecognized Command\n'],
  ['unknown type', `echo '{a=b;}' >/tmp/x; ${PB} 'Add :z strong v' /tmp/x`, 1, '', 'Unrecognized Type: strong\n'],
  [
    'apostrophe in a value',
    `echo '{a=b;}' >/tmp/x; ${PB} "Add :z string it's" /tmp/x`,
    1,
    '',
    'Parse Error: Unclosed Quotes\n',
  ],
  [
    'missing file',
    `${PB} 'Print :a' /tmp/none`,
    1,
    "File Doesn't Exist, Will Create: /tmp/none\n",
    'Print: Entry, ":a", Does Not Exist\n',
  ],
  ['no plist', `echo '{' >/tmp/x; ${PB} 'Print :a' /tmp/x`, 1, '', 'Error Reading File: /tmp/x\n'],
  ['empty file', `: >/tmp/x; ${PB} 'Add :a string b' /tmp/x`, 1, '', 'Error Reading File: /tmp/x\n'],
  ['commands without regard to case', `echo '{a=b;}' >/tmp/x; ${PB} 'print a' /tmp/x`, 0, 'b\n', ''],
  ['escaped space in a key', `echo '{"a b"=c;}' >/tmp/x; ${PB} 'Print :a\\ b' /tmp/x`, 0, 'c\n', ''],
  ['interactive is refused', '/usr/libexec/PlistBuddy /tmp/x', 97],
];

/** swiftlang/swift-corelibs-foundation, Sources/plutil; plutil(1). */
const PLUTIL: readonly Row[] = [
  ['lint of a good file', `${READ} >/tmp/x; /usr/bin/plutil -lint /tmp/x`, 0, '/tmp/x: OK\n', ''],
  ['silent lint', `${READ} >/tmp/x; /usr/bin/plutil -lint -s /tmp/x`, 0, '', ''],
  [
    'lint of a cut file',
    `${READ} >/tmp/x; head -c 300 /tmp/x >/tmp/y; /usr/bin/plutil -lint /tmp/y`,
    1,
    '',
    /^\/tmp\/y: Encountered unexpected EOF/,
  ],
  [
    'lint ignores text behind the root',
    `${READ} >/tmp/x; echo 'YES (0)' >>/tmp/x; /usr/bin/plutil -lint /tmp/x`,
    0,
    '/tmp/x: OK\n',
  ],
  ['lint refuses text before it', `(echo 'YES (0)'; ${READ}) >/tmp/x; /usr/bin/plutil -lint /tmp/x`, 1],
  ['lint refuses JSON', `echo '{"a": 1}' >/tmp/x; /usr/bin/plutil -lint /tmp/x`, 1],
  [
    'convert takes JSON',
    `echo '{"a": 1}' >/tmp/x; /usr/bin/plutil -convert xml1 -o - /tmp/x`,
    0,
    `${HEAD}<dict>\n\t<key>a</key>\n\t<integer>1</integer>\n</dict>\n</plist>\n`,
  ],
  [
    'convert without -o works in place',
    `echo '{a=b;}' >/tmp/x; /usr/bin/plutil -convert binary1 /tmp/x; head -c 8 /tmp/x`,
    0,
    'bplist00',
  ],
  [
    'binary and back is the same',
    `${READ} >/tmp/x; /usr/bin/plutil -convert binary1 -o /tmp/y /tmp/x; /usr/bin/plutil -convert xml1 /tmp/y; cmp /tmp/x /tmp/y`,
    0,
    '',
  ],
  ['extract raw of an array counts', `${READ} >/tmp/x; /usr/bin/plutil -extract mechanisms raw -o - /tmp/x`, 0, '17\n'],
  [
    'extract raw of a dictionary lists keys',
    `echo '{b=1;a=2;}' >/tmp/x; /usr/bin/plutil -extract d raw /tmp/x; echo '{d={b=1;a=2;};}' >/tmp/x; /usr/bin/plutil -extract d raw /tmp/x`,
    0,
    'a\nb\n',
  ],
  [
    'extract without -o replaces the file',
    `echo '{a=(b);}' >/tmp/x; /usr/bin/plutil -extract a xml1 /tmp/x; /usr/bin/plutil -convert json -o - /tmp/x`,
    0,
    '["b"]',
  ],
  [
    'extract of what is missing',
    `echo '{a=b;}' >/tmp/x; /usr/bin/plutil -extract z xml1 -o - /tmp/x`,
    1,
    '',
    '/tmp/x: Could not extract value, error: No value at that key path or invalid key path: z\n',
  ],
  [
    '-expect',
    `echo '{a=b;}' >/tmp/x; /usr/bin/plutil -extract a raw -expect array -o - /tmp/x`,
    1,
    '',
    '/tmp/x: Value at [a] expected to be array but is string\n',
  ],
  [
    'insert of a key that is there',
    `echo '{a=b;}' >/tmp/x; /usr/bin/plutil -insert a -string c /tmp/x`,
    1,
    '',
    '/tmp/x: Value already exists at key path a\n',
  ],
  [
    'insert in an array',
    `echo '{a=(x,y);}' >/tmp/x; /usr/bin/plutil -insert a.1 -string n /tmp/x; /usr/bin/plutil -convert json -o - /tmp/x`,
    0,
    '{"a":["x","n","y"]}',
  ],
  [
    'insert beyond the end',
    `echo '{a=(x);}' >/tmp/x; /usr/bin/plutil -insert a.2 -string n /tmp/x`,
    1,
    '',
    '/tmp/x: Index 2 out of bounds in array at key path a.2\n',
  ],
  [
    'replace in an array inserts',
    `echo '{a=(x,y);}' >/tmp/x; /usr/bin/plutil -replace a.0 -string n /tmp/x; /usr/bin/plutil -convert json -o - /tmp/x`,
    0,
    '{"a":["n","x","y"]}',
  ],
  [
    'remove of what is missing',
    `echo '{a=b;}' >/tmp/x; /usr/bin/plutil -remove k /tmp/x`,
    1,
    '',
    '/tmp/x: No value to remove at key path k\n',
  ],
  [
    'raw is unknown before macOS 12',
    `echo productVersion=11.7 >/.sim/facts; echo '{a=b;}' >/tmp/x; /usr/bin/plutil -extract a raw -o - /tmp/x`,
    1,
    '',
    'Unknown format specifier: raw\n',
  ],
  ['unknown option', '/usr/bin/plutil -frob /tmp/x', 1, '', 'unrecognized option: -frob\n'],
  ['no file', '/usr/bin/plutil -lint', 1, '', 'No files specified.\n'],
  ['a file of white space is an empty dictionary', `echo >/tmp/x; /usr/bin/plutil -convert json -o - /tmp/x`, 0, '{}'],
  [
    'an unknown entity is refused',
    `echo '<plist><string>&x;</string></plist>' >/tmp/x; /usr/bin/plutil -lint -s /tmp/x`,
    1,
  ],
];

const D = '/Library/Preferences/com.netflix.Escrow-Buddy';
const DEFAULTS: readonly Row[] = [
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

const OTHERS: readonly Row[] = [
  ['sw_vers', '/usr/bin/sw_vers -productVersion; /usr/bin/sw_vers -buildVersion', 0, '15.6.1\n24G90\n'],
  ['sw_vers under SYSTEM_VERSION_COMPAT', 'SYSTEM_VERSION_COMPAT=1 /usr/bin/sw_vers -productVersion', 0, '10.16\n'],
  ['sw_vers long form from 13', 'echo productVersion=12.6 >/.sim/facts; /usr/bin/sw_vers --productVersion', 97],
  ['uname and id', '/usr/bin/uname -m; /usr/bin/id -u', 0, 'arm64\n0\n'],
  [
    'stat',
    'umask 022; : >/tmp/f; /bin/chmod 4755 /tmp/f; /usr/bin/stat -f "%u:%g %Lp %Mp %HT %Su:%Sg %l" /tmp/f',
    0,
    '0:0 755 4 Regular File root:wheel 1\n',
  ],
  [
    'stat looks at the link itself',
    '/bin/ln -s /tmp /tmp/l; /usr/bin/stat -f %HT /tmp/l; /usr/bin/stat -L -f %HT /tmp/l',
    0,
    'Symbolic Link\nDirectory\n',
  ],
  [
    'stat of what is missing',
    '/usr/bin/stat -f %u /tmp/none /tmp/',
    1,
    '0\n',
    'stat: /tmp/none: stat: No such file or directory\n',
  ],
  ['stat -c is GNU', '/usr/bin/stat -c %u /tmp', 97],
  ['mktemp -d', 'd=$(/usr/bin/mktemp -d /private/tmp/eb.XXXXXX); /usr/bin/stat -f %Lp "$d"', 0, '700\n'],
  [
    'mktemp in a missing folder',
    '/usr/bin/mktemp -d /nowhere/x.XXXXXX',
    1,
    '',
    'mktemp: mkdtemp failed on /nowhere/x.XXXXXX: No such file or directory\n',
  ],
  ['logger', '/usr/bin/logger -t eb -p user.notice -- "a b"; /bin/cat /.sim/syslog', 0, 'eb: a b\n'],
  ['logger, unknown facility', '/usr/bin/logger -p foo.notice x', 1, '', 'logger: unknown facility name: foo\n'],
  ['logger, unknown level', '/usr/bin/logger -p user.foo x', 1, '', 'logger: unknown priority name: foo\n'],
  ['fdesetup', '/usr/bin/fdesetup status; /usr/bin/fdesetup isactive', 0, 'FileVault is On.\ntrue\n'],
  ['fdesetup when off', 'echo filevault=off >/.sim/facts; /usr/bin/fdesetup isactive', 1, 'false\n'],
  ["fdesetup changerecovery is the plug-in's", '/usr/bin/fdesetup changerecovery -personal', 97],
  ['profiles', '/usr/bin/profiles status -type enrollment', 0, 'Enrolled via DEP: No\nMDM enrollment: No\n'],
  ['pkgutil without receipt', '/usr/sbin/pkgutil --pkg-info a.b', 1, '', "No receipt for 'a.b' found at '/'.\n"],
  ['no GNU options', '/bin/rm --recursive /tmp/x', 97],
  ['cp -T is GNU', '/bin/cp -T a b', 97],
  ['tools stand where the Mac has them', '/usr/bin/rm /tmp/x', 127],
  ['no timeout, no realpath', 'for t in timeout realpath flock python3 jq; do command -v $t; done; :', 0, ''],
  ['env and awk are there', "/usr/bin/awk 'BEGIN { print 6 * 7 }'", 0, '42\n'],
];

const JOB = '<plist><dict><key>Label</key><string>a.job</string></dict></plist>';
const P = '/Library/LaunchDaemons/a.job.plist';
const LAUNCHCTL: readonly Row[] = [
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

const BUNDLE: readonly Row[] = [
  ['a sealed bundle', `/usr/bin/codesign --verify --strict '${B}'`, 0, '', ''],
  [
    'verbose',
    `/usr/bin/codesign -v -v '${B}'`,
    0,
    '',
    `${B}: valid on disk\n${B}: satisfies its Designated Requirement\n`,
  ],
  [
    'a requirement from a file is not simulated',
    `echo team=TEAM123456 >/.sim/facts; /usr/bin/codesign --verify --strict -R file '${B}'`,
    97,
  ],
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

/** What is known of each tool: one call a row, to be tried on a Mac where somebody has one. */
export const KNOWN_CALLS = {
  security: SECURITY,
  PlistBuddy: PLIST_BUDDY,
  plutil: PLUTIL,
  defaults: DEFAULTS,
  launchctl: LAUNCHCTL,
  others: OTHERS,
  bundle: BUNDLE,
};
