import { describe, expect, it } from 'vitest';
import { type Case, testCases } from './in-shell.ts';
import { BUNDLE, PRODUCT, RENDERED } from './product.ts';

// Places, limits of time, pauses, and the words of a reason: what stands in the scripts as a value, and is asked nowhere else.
const FILES = [
  'characters', 'report', 'property-list', 'right-plan', 'right-read', 'right-change', 'settings', 'status-facts', 'status-tokens', 'version', 'guard-record',
  'bundle', 'guard-files', 'guard-look', 'guard-work', 'guard-install', 'lock', 'launch-job', 'uninstall', 'arguments',
]; // biome-ignore format: a list
const STUBS = `
TIME_UP=124
limited() { printf '%s %s;' "$1" "$2" >&9; }
quietly() { printf '%s %s;' "$1" "$2" >&9; }
sleep() { printf 'sleep %s;' "$1" >&9; }
`;
const GUARD = PRODUCT.guardIdentifier;
const lines = (...names: readonly string[]) => names.map((name) => `printf '%s\\n' "$${name}"`).join('; ');
const FOLDER = '/Library/Application Support/Escrow Buddy';
const PLACES: readonly Case[] = [
  [lines('GUARD_FOLDER', 'GUARD_SCRIPT', 'GUARD_RECORD', 'GUARD_JOB', 'GUARD_MARK'), `${FOLDER}\n${FOLDER}/guard.sh\n${FOLDER}/guard.plist\n/Library/LaunchDaemons/${GUARD}.plist\n/var/run/${GUARD}.healed\n`],
  [lines('MANAGED_SETTINGS', 'LOCAL_SETTINGS', 'ROOT_SETTINGS'), ['/Library/Managed Preferences', '/Library/Preferences', '/var/root/Library/Preferences'].map((folder) => `${folder}/${PRODUCT.bundleIdentifier}\n`).join('')],
  [lines('STATE_FOLDER', 'LOCK', 'LOCK_WAIT', 'LOCK_LIFE'), `/private/var/db\n/private/var/db/${PRODUCT.bundleIdentifier}.lock\n90\n900\n`],
  [lines('SEEN', 'BUNDLE_FRESH', 'GONE_SINCE', 'SETTINGS_ANSWER', 'LOCK_TOKEN', 'NO_LOCK'), '\nno\n\nyes\n\n\n'],
  [lines('STATE', 'CHECKS'), '0\n\n'],
  // Tools lose their folder here, and so does the sh that launchd is told to start: see below.
  [`print_job`, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
    <key>AssociatedBundleIdentifiers</key>
    <array><string>${PRODUCT.bundleIdentifier}</string></array>
    <key>Label</key>
    <string>${GUARD}</string>
    <key>ProcessType</key>
    <string>Background</string>
    <key>ProgramArguments</key>
    <array><string>sh</string><string>${FOLDER}/guard.sh</string></array>
    <key>RunAtLoad</key>
    <true/>
    <key>StartInterval</key>
    <integer>600</integer>
    <key>WatchPaths</key>
    <array>
${['', '/Escrow Buddy.bundle', '/Escrow Buddy.bundle/Contents', '/Escrow Buddy.bundle/Contents/MacOS'].map((rest) => `        <string>${PRODUCT.installLocation}${rest}</string>\n`).join('')}    </array>
</dict>
</plist>
`],
]; // biome-ignore format: a table

/** What is asked, and for how many seconds at most; every pause. */
const asked = (code: string) => `{ ${code}; } 9>&1 >/dev/null 2>&1`;
const TIMES: readonly Case[] = [
  [asked('bundle_is_signed'), '30 codesign;'],
  [asked('release_lock() { :; }; delete_guard_files() { :; }; say() { :; }; guard_leave'), '30 pkgutil;20 launchctl;'],
  [asked('job_is_loaded'), '20 launchctl;'],
  [asked('job_is_loaded() { return 0; }; stop_job'), '20 launchctl;sleep 1;sleep 1;sleep 1;sleep 1;'],
  [asked('job_is_loaded() { return 1; }; start_job'), '20 launchctl;sleep 1;20 launchctl;sleep 1;20 launchctl;sleep 1;20 launchctl;'],
  [asked('say a'), '10 logger;'],
  [asked('ask_authd'), '20 security;'],
  [asked('ask_authd() { RIGHT_RAW=bplist00; }; read_right'), '20 security;'],
  [asked('write_right a'), '30 security;'],
  [asked('read_right() { RIGHT_PROBLEM=empty; return 1; }; read_back'), 'sleep 1;sleep 1;'],
  [asked(': >"$T/$N.plist"; read_setting "$T/$N" k'), '10 defaults;'],
  [asked('read_setting() { return 1; }; verdict() { :; }; look_at_escrow'), '20 fdesetup;'],
  [asked('verdict() { :; }; look_at_tokens'), '10 dscl;'],
  [asked('TOKENS_KNOWN=yes tokens_open=no; ask_for_token a'), '5 sysadminctl;'],
  [asked(': >"$T/$N.plist"; LOCAL_SETTINGS=$T/$N ROOT_SETTINGS=$T/none; delete_settings'), '10 defaults;'],
  [asked('forget_receipts a b'), '30 pkgutil;30 pkgutil;'],
  [asked('check_bundle() { BUNDLE_STATE=absent; return 1; }; take_picture() { PICTURE=p; }; look_closely'), 'sleep 2;'],
  [asked('date() { echo 1700000000; }; ln() { return 1; }; readlink() { echo 77.1700000000; }; kill() { :; }; fail() { exit; }; LOCK_WAIT=2; wait_for_lock'), 'sleep 1;sleep 1;'],
]; // biome-ignore format: a table

/** Digits of a mode in which the bit that lets one write (2) is not set. */
const CLOSED = [0, 1, 4, 5].flatMap((group) => [0, 1, 4, 5].map((others) => `${group}${others}`)).join(' ');
const modes = (code: string, kind: string) =>
  `for a in 0 1 2 3 4 5 6 7; do for b in 0 1 2 3 4 5 6 7; do stat() { echo "0 7$a$b${kind}"; }; if ${code}; then printf '%s%s ' "$a" "$b"; fi; done; done`;
const MODES: readonly Case[] = [
  [modes('find() { :; }; ls() { :; }; bundle_is_roots', ' Directory'), `${CLOSED} `],
  [modes('STATE_FOLDER=$T; state_folder_is_private', ''), `${CLOSED} `],
  [`: >"$T/guard.sh"; SCRIPT_FOLDER=$T; own_guard_folder() { return 1; }; ${modes('! place_guard_files && case $PLACE_PROBLEM in its*) : ;; *) false ;; esac', ' Directory').replaceAll('$a$b$', '$a$b$')}`, `${CLOSED} `],
  ...['1755', '0755', '75', 'x55', '7555'].map((mode): Case => [`STATE_FOLDER=$T; stat() { echo '0 ${mode}'; }; if state_folder_is_private; then printf yes; else printf no; fi`, 'no']),
  ...['01 755', '501 755', ' 755'].map((owner): Case => [`STATE_FOLDER=$T; stat() { echo '${owner}'; }; if state_folder_is_private; then printf yes; else printf no; fi`, 'no']),
]; // biome-ignore format: a table

const held = (more: string) =>
  `NO_LOCK='' SETTINGS_ANSWER=yes; setting_is_on() { [ "$1" = "$ON" ]; }; ON=''; read_text_setting() { return 1; }; take_heal_mark() { return 0; }; ${more} healing_is_allowed || printf '%s' "$HOLD"`;
const most = (version: string, found: string) =>
  held(`read_text_setting() { [ "$1" = MaximumOSVersion ] && SETTING='${version}'; }; sw_vers() { echo '${found}'; };`);
const why = (code: string, more = '') =>
  `BUNDLE_STATE='' BUNDLE_WHY=''; ${more} ${code}; printf '%s %s' "$?" "$BUNDLE_STATE: $BUNDLE_WHY"`;
const PROGRAM = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;
const RIGHTS_FOLDER = PRODUCT.installLocation;
const REASONS: readonly Case[] = [
  [held(''), ''],
  [held('NO_LOCK="no lock";'), 'no lock'],
  [held('ON=DisableHeal;'), 'DisableHeal is set'],
  [held('SETTINGS_ANSWER=no;'), 'the settings could not be read in time'],
  [most('26', '26.1'), ''],
  [most('latest', '26'), 'MaximumOSVersion or the version of macOS could not be understood'],
  [most('26', 'x'), 'MaximumOSVersion or the version of macOS could not be understood'],
  [most('26.2', '26.3'), 'macOS 26.3 is above MaximumOSVersion 26.2'],
  [why('bundle_is_there', 'BUNDLE=/none;'), '1 absent: /none is not a folder'],
  [why('bundle_is_roots', 'stat() { return 1; };'), `1 unproven: owner and mode of ${RIGHTS_FOLDER} could not be read`],
  [why('bundle_is_roots', "stat() { echo '501 755 Directory'; };"), `1 exposed: ${RIGHTS_FOLDER} is not a folder that only root can write (501 755 Directory)`],
  [why('bundle_is_roots', "stat() { echo '0 755 Directory'; }; find() { return 1; };"), '1 unproven: owners and modes in the bundle could not be read'],
  [why('bundle_is_roots', `stat() { echo '0 755 Directory'; }; find() { echo a; echo b; };`), '1 exposed: not root:wheel, or others may write to it, or a link: a'],
  [why('bundle_grants_nothing', `ls() { echo ' 0: x allow write'; };`), '1 exposed: an access control list lets others change the bundle (see: ls -lde)'],
  [why('bundle_is_code', ''), `1 not-code: ${PROGRAM} is empty`],
  [why('bundle_fits', 'uname() { echo arm64; }; file() { :; };'), '1 unproven: the processor type of the bundle could not be read'],
  [why('bundle_fits', 'uname() { :; }; file() { echo Mach-O arm64; };'), '1 unproven: the processor type of the bundle could not be read'],
  [why('bundle_fits', 'uname() { echo arm64; }; file() { echo Mach-O x86_64; };'), '1 unfit: the bundle is not made for arm64'],
  [why('bundle_is_signed', 'quietly() { return 3; };'), "1 unfamiliar: the bundle's signature is valid, but not that of this product's team"],
  [why('bundle_is_signed', 'quietly() { return 1; }; sleep() { :; };'), "1 unsigned: codesign does not accept the bundle's signature"],
  [why('bundle_is_signed', 'quietly() { return 124; }; sleep() { :; };'), '1 unproven: codesign came to no result about the bundle'],
  [why('check_bundle', ['is_there', 'is_roots', 'is_code', 'is_signed', 'fits'].map((step) => `bundle_${step}() { :; };`).join(' ')), '0 valid: the bundle is valid'],
  [why('look_is_cheap', "take_picture() { PICTURE=p; }; read_record() { RECORDED='unfit p'; };"), '0 unfit: nothing of the bundle has changed since it was found unfit'],
  [`state_folder_is_private() { return 1; }; catch_signals() { :; }; take_lock; printf '%s' "$NO_LOCK"`, '/private/var/db is not a folder that only root can write; repair its owner and mode'],
  [`date() { echo 1; }; ln() { return 1; }; readlink() { return 1; }; LOCK=l; wait_for_lock; printf '%s' "$NO_LOCK"`, 'l could not be made; look at what stands there and at the free space'],
  [`NO_LOCK=''; lock_is_ours() { return 1; }; lock_allows heal; printf '%s' "$WHY"`, 'another script of Escrow Buddy took over'],
  [`NO_LOCK=n; lock_allows heal; printf '%s' "$WHY"`, 'n'],
]; // biome-ignore format: a table

const called = (code: string) => `(${code}) 2>"$T/e"; printf '%s|' "$?"; cat "$T/e"`;
const ARGUMENTS: readonly Case[] = [
  ...['--help', '-h'].flatMap((word): Case[] => [
    [called(`take_no_arguments U ${word}`), 'U\n0|'],
    [called(`take_installer_arguments U ${word}`), 'U\n0|'],
    [called(`take_no_arguments U ${word} x`), '64|U\n'],
    [called(`take_installer_arguments U ${word} x`), '64|U\n'],
  ]),
  ...['x', "''", 'a b', '-a /b /c'].map((words): Case => [called(`take_no_arguments U ${words}`), '64|U\n']),
  ...['x', 'a b', "''", '-a /b /c', 'a /b c', "a /b ''", 'a /b ./c /'].map((words): Case => [called(`take_installer_arguments U ${words}`), '64|U\n']),
  ...['a /b /c', "a '' /c", 'a /b /c /', "a '/b c' /c / x"].map((words): Case => [called(`take_installer_arguments U ${words}`), '0|']),
]; // biome-ignore format: a table

describe.each<[string, readonly Case[]]>([
  ['places, and what is written there', PLACES],
  ['limits of time and pauses', TIMES],
  ['modes that let nobody else write', MODES],
  ['reasons', REASONS],
  ['how a script is called', ARGUMENTS],
])('%s', (_, cases) => testCases(FILES, STUBS, cases));

it('launchd is told the whole path of the shell', () => {
  const makers = RENDERED.filter(({ text }) => text.includes('print_job()'));
  expect(makers.length).toBeGreaterThan(0);
  for (const { text } of makers)
    expect(text).toContain('<array><string>/bin/sh</string><string>$GUARD_SCRIPT</string></array>');
});
