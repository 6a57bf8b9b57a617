import { describe } from 'vitest';
import { type Case, testCases } from './in-shell.ts';

// What the functions decide when tools answer in a given way; each tool is a function here, so no Mac is played.
const FILES = [
  'characters', 'report', 'property-list', 'right-plan', 'right-read', 'right-change', 'settings', 'status-facts', 'status-outcome', 'version', 'guard-record',
  'bundle', 'guard-files', 'guard-look', 'guard-work', 'lock',
]; // biome-ignore format: a list
const STUBS = `
TIME_UP=124
limited() { shift; "$@"; }
quietly() { shift; "$@" >/dev/null 2>&1; }
logger() { :; }
sleep() { printf 'sleep %s;' "$1"; }
say() { printf 'say;'; }
record() { printf 'record %s %s;' "$1" "$3"; }
`;
const GOOD = `
bundle_is_there() { return 0; }; stat() { echo '0 755 Directory'; }; find() { :; }; ls() { :; }
bundle_is_code() { return 0; }; codesign() { return 0; }; uname() { echo arm64; }; file() { echo 'Mach-O universal arm64 x86_64'; }
`;
const state = (stubs: string) => `${GOOD} ${stubs}\ncheck_bundle || printf 'not '; printf '%s' "$BUNDLE_STATE"`;
const answers = (...statuses: readonly number[]) =>
  `codesign() { n=$((n + 1)); set -- ${statuses.join(' ')}; shift $((n - 1)); return $1; }; n=0;`;

const BUNDLES: readonly Case[] = [
  [state(''), 'valid'],
  ...['0 755 Directory', '0 711 Directory', '0 550 Directory'].map((one): Case => [state(`stat() { echo '${one}'; }`), 'valid']),
  ...['501 755 Directory', '0 775 Directory', '0 757 Directory', '0 777 Directory', '0 755 Regular File', '0 1755 Directory', '00 755 Directory'].map(
    (one): Case => [state(`stat() { echo '${one}'; }`), 'not exposed'],
  ),
  [state('stat() { return 1; }'), 'not unproven'],
  [state('find() { return 1; }'), 'not unproven'],
  [state('find() { echo x; }'), 'not exposed'],
  [state('ls() { return 1; }'), 'valid'],
  ...['write', 'append', 'add_file', 'delete', 'chown', 'writeattr', 'add_subdirectory,x'].map(
    (one): Case => [state(`ls() { echo drwxr-xr-x; echo ' 0: user:a allow ${one}'; echo x; }`), 'not exposed'],
  ),
  ...[' 0: user:a allow read', ' 0: user:a deny write', 'user: allow write'].map((one): Case => [state(`ls() { echo '${one}'; }`), 'valid']),
  [state('uname() { echo x86_64; }'), 'valid'],
  [state('uname() { echo riscv; }'), 'not unfit'],
  [state('uname() { return 1; }'), 'not unproven'],
  [state('file() { return 1; }'), 'not unproven'],
  [state('file() { echo "text arm64"; }'), 'not unfit'],
  [state(answers(3)), 'not unfamiliar'],
  [state(answers(1, 0)), 'sleep 5;valid'],
  [state(answers(1, 1, 0)), 'sleep 5;sleep 5;valid'],
  [state(answers(1, 1, 1)), 'sleep 5;sleep 5;not unsigned'],
  [state(answers(129, 139, 1)), 'sleep 5;sleep 5;not unsigned'],
  [state(answers(124, 0)), 'sleep 5;valid'],
  [state(answers(124, 124)), 'sleep 5;not unproven'],
  [state(answers(2, 127)), 'sleep 5;not unproven'],
  [state(answers(128, 128)), 'sleep 5;not unproven'],
  [state(answers(1, 124, 1, 1)), 'sleep 5;sleep 5;sleep 5;not unsigned'],
  // Of two things that are wrong, the earlier one is told: what proves something must not hide behind what proves nothing.
  [state(`${answers(1, 1, 1)} file() { echo text; };`), 'sleep 5;sleep 5;not unsigned'],
  [state(`${answers(3)} file() { echo text; };`), 'not unfamiliar'],
  [state(`${answers(3)} bundle_is_code() { blame_bundle not-code x; };`), 'not not-code'],
  [state('find() { echo x; }; bundle_is_code() { blame_bundle not-code x; };'), 'not exposed'],
  [state("bundle_is_there() { blame_bundle absent x; }; stat() { echo '501 755 Directory'; };"), 'not absent'],
  [`BUNDLE=b CODE_REQUIREMENT='r q'; codesign() { printf '%s|' "$@" >&9; }; { bundle_is_signed; } 9>&1`, '--verify|--strict|-R|=r q|b|'],
  ...['absent', 'exposed', 'not-code', 'unsigned'].map((one): Case => [`BUNDLE_STATE=${one}; if bundle_is_proven_bad; then echo bad; fi`, 'bad\n']),
  ...['valid', 'unfamiliar', 'unfit', 'unproven'].map((one): Case => [`BUNDLE_STATE=${one}; if bundle_is_proven_bad; then echo bad; fi`, '']),
]; // biome-ignore format: a table

const NOW = 1_700_000_000;
const stale = (holder: string, alive = true) =>
  `kill() { return ${alive ? 0 : 1}; }; date() { echo ${NOW}; }; if lock_is_stale "${holder}"; then printf stale; else printf held; fi`;
const wait = (stubs: string) =>
  `LOCK=x; date() { echo ${NOW}; }; kill() { return 0; }; ln() { return 1; }; readlink() { echo 77.${NOW}; }; mv() { :; }; rm() { :; }; sleep() { :; }
fail() { printf 'fails after %s' "$lock_waited"; exit 1; }
${stubs}
wait_for_lock; printf '%s|%s|%s' "\${LOCK_TOKEN:+token}" "\${NO_LOCK:+none}" "$lock_waited $lock_failed"`;
const allows = (task: string, more: string) =>
  `lock_is_ours() { return 1; }; ${more} if lock_allows ${task}; then printf yes; else printf no; fi`;
const LOCKS: readonly Case[] = [
  [stale(`77.${NOW}`), 'held'],
  [stale(`77.${NOW}`, false), 'stale'],
  [stale(`77.${NOW - 900}`), 'held'],
  [stale(`77.${NOW - 901}`), 'stale'],
  [stale(`77.${NOW + 900}`), 'held'],
  [stale(`77.${NOW + 901}`), 'stale'],
  [stale(`$$.${NOW}`), 'stale'],
  ...['x', '.1', '1.', '1.2.3', '01.2', '1.02', '1.2a', ''].map((one): Case => [stale(one), 'stale']),
  // As young as can be, and nearly a holder: what it is made of alone makes it stale.
  ...[`.${NOW}`, `77.2.${NOW}`, `077.${NOW}`, `77.0${NOW}`, `77a.${NOW}`, `77.${NOW}a`, `-77.${NOW}`, `77.-${NOW}`, `77.${NOW}.`].map((one): Case => [stale(one), 'stale']),
  [`kill() { return 0; }; date() { return 1; }; if lock_is_stale 77.1; then printf stale; else printf held; fi`, 'held'],
  [wait('ln() { :; }; readlink() { echo "$LOCK_TOKEN"; }'), 'token||0 0'],
  [wait('ln() { :; }'), 'fails after 90'],
  [wait(''), 'fails after 90'],
  [wait('readlink() { return 1; }'), '|none|0 5'],
  [wait('readlink() { :; }'), '|none|0 5'],
  [wait('readlink() { echo 77.1; }; mv() { return 1; }'), '|none|0 5'],
  [`LOCK=x; LOCK_TOKEN=''; readlink() { :; }; if lock_is_ours; then printf ours; else printf no; fi`, 'no'],
  [`LOCK=x; LOCK_TOKEN=a; readlink() { echo a; }; if lock_is_ours; then printf ours; else printf no; fi`, 'ours'],
  [`LOCK=x; LOCK_TOKEN=a; readlink() { echo b; }; if lock_is_ours; then printf ours; else printf no; fi`, 'no'],
  ...['register', 'heal'].map((task): Case => [allows(task, 'NO_LOCK=x;'), 'no']),
  ...['unregister', 'unlock'].map((task): Case => [allows(task, 'NO_LOCK=x;'), 'yes']),
  ...['register', 'heal', 'unregister', 'unlock'].map((task): Case => [allows(task, "NO_LOCK='';"), 'no']),
  [allows('register', "NO_LOCK=''; lock_is_ours() { return 0; };"), 'yes'],
  [`LOCK=x; mv() { :; }; rm() { printf 'rm;'; }; readlink() { echo a; }; ln() { printf 'ln %s;' "$2"; }; break_lock a`, 'rm;'],
  [`LOCK=x; mv() { :; }; rm() { printf 'rm;'; }; readlink() { echo b; }; ln() { printf 'ln %s %s;' "$2" "$3" >&2; }; break_lock a 2>&1`, 'rm;'],
  [`LOCK=x; mv() { return 1; }; break_lock a || printf 'not broken'`, 'not broken'],
  [`LOCK=x; LOCK_TOKEN=''; rm() { printf rm; }; release_lock`, ''],
  [`LOCK=x; LOCK_TOKEN=a; readlink() { echo a; }; rm() { printf 'rm %s' "$3"; }; release_lock`, 'rm x'],
  [`LOCK=x; LOCK_TOKEN=a; readlink() { echo b; }; rm() { printf 'rm %s' "$3"; }; release_lock`, ''],
]; // biome-ignore format: a table

const ENTRY = 'Escrow Buddy:Invoke,privileged';
const guard = (bundle: string, more: string) =>
  `read_right() { RIGHT_LIST=$WAS; RIGHT_SHAPE=list; }; bundle_is_away() { return 1; }; look_closely() { :; }; healing_is_allowed() { return 0; }
change_right() { CHANGED=changed CHANGE_WROTE=yes; printf 'change %s;' "$1"; }; clear_path() { printf 'clear;'; }; HEAL_MARK=m
BUNDLE_STATE=${bundle} BUNDLE_WHY=w HOLD=h WHY=w NO_LOCK=''; ${more}
guard_login; printf '%s' "$?"`;
const [HELD, LOST, OTHER] = [
  `WAS='${ENTRY}<loginwindow:done<';`,
  "WAS='loginwindow:done<';",
  "WAS='escrow buddy:x<loginwindow:done<';",
];
const GUARD: readonly Case[] = [
  [guard('valid', HELD), 'record healthy no;0'],
  [guard('valid', LOST), 'change heal;say;record healed yes;0'],
  [guard('valid', `${LOST} change_right() { CHANGED=unchanged; CHANGE_WROTE=no; };`), 'clear;record healthy no;0'],
  [guard('valid', `${LOST} change_right() { CHANGE_WROTE=yes; return 1; };`), 'say;record heal-failed yes;1'],
  [guard('valid', `${LOST} change_right() { CHANGE_WROTE=no; return 1; };`), 'clear;say;record not-understood no;1'],
  [guard('valid', `${LOST} healing_is_allowed() { return 1; };`), 'say;record held-back no;0'],
  [guard('valid', `${LOST} look_closely() { BUNDLE_STATE=unproven; };`), 'say;record unproven no;1'],
  [guard('valid', "WAS='a:b<';"), 'say;record not-understood no;1'],
  [guard('unsigned', HELD), 'change unlock;say;record unlocked yes;0'],
  [guard('unsigned', OTHER), 'change unlock;say;record unlocked yes;0'],
  [guard('unsigned', LOST), 'say;record bundle-invalid no;0'],
  [guard('unsigned', `${HELD} look_closely() { BUNDLE_STATE=valid; };`), 'say;record unproven no;1'],
  [guard('unsigned', `${HELD} change_right() { return 1; };`), 'say;record unlock-failed yes;1'],
  [guard('unfamiliar', HELD), 'say;record unfamiliar no;1'],
  [guard('unproven', HELD), 'say;record unproven no;1'],
  [guard('unfit', HELD), 'say;record unproven no;1'],
  [guard('absent', `${LOST} bundle_is_away() { return 0; }; guard_wait() { printf 'wait;'; };`), 'wait;0'],
  [guard('absent', `${HELD} bundle_is_away() { return 0; };`), 'change unlock;say;record unlocked yes;0'],
  [guard('valid', `${HELD} read_right() { RIGHT_PROBLEM=no-answer; return 1; };`), 'say;record no-answer no;1'],
  [guard('valid', `${HELD} read_right() { RIGHT_PROBLEM=empty; return 1; };`), 'say;record not-understood no;1'],
  ...([['', 'say;record waiting no;'], [NOW, ''], [NOW - 86_399, ''], [NOW - 86_400, 'leave;'], [NOW + 1, 'say;record waiting no;'], ['0', 'say;record waiting no;'], ['1x', 'say;record waiting no;']] as const).map(
    ([since, does]): Case => [`date() { echo ${NOW}; }; read_record() { RECORDED='${since}'; }; guard_leave() { printf 'leave;'; }; guard_wait`, does],
  ),
]; // biome-ignore format: a table

const may = (more: string) =>
  `NO_LOCK='' SETTINGS_ANSWER=yes; setting_is_on() { return 1; }; read_text_setting() { return 1; }; take_heal_mark() { return 0; }; ${more} if healing_is_allowed; then printf yes; else printf no; fi`;
const most = (version: string, found: string) =>
  may(`read_text_setting() { SETTING='${version}'; }; sw_vers() { echo '${found}'; };`);
const MAY_HEAL: readonly Case[] = [
  [may(''), 'yes'],
  [may('NO_LOCK=x;'), 'no'],
  [may('setting_is_on() { return 0; };'), 'no'],
  [may('SETTINGS_ANSWER=no;'), 'no'],
  [may('take_heal_mark() { return 1; };'), 'no'],
  // The last setting that is asked for is the one that gets no answer.
  [may('read_text_setting() { SETTINGS_ANSWER=no; return 1; };'), 'no'],
  [may('setting_is_on() { SETTINGS_ANSWER=no; return 1; };'), 'no'],
  [most('26', '26.9'), 'yes'],
  [most('26.2', '26.3'), 'no'],
  [most('latest', '26'), 'no'],
  [most('26', 'x'), 'no'],
  [most('26', ''), 'no'],
]; // biome-ignore format: a table

const setting = (code: string, files: Readonly<Record<string, string>>) =>
  `MANAGED_SETTINGS=m LOCAL_SETTINGS=l ROOT_SETTINGS=r; read_setting() { case $1 in ${Object.entries(files)
    .map(([name, value]) => `${name}) SETTING=${value}; return 0 ;; `)
    .join('')}*) return 1 ;; esac; }; ${code}`;
const isOn = (files: Readonly<Record<string, string>>) =>
  setting('if setting_is_on K; then printf on; else printf off; fi', files);
const text = (files: Readonly<Record<string, string>>) =>
  setting(`if read_text_setting K; then printf '%s' "$SETTING"; else printf unset; fi`, files);
const request = (files: Readonly<Record<string, string>>) => setting(`find_request; printf '%s' "$REQUEST"`, files);
const seen = (files: Readonly<Record<string, string>>) =>
  setting(`verdict() { printf '%s %s;' "$1" "$2"; }; look_at_request; printf '%s' "$REQUEST"`, files);
const verdicts = (...levels: readonly (number | string)[]) =>
  `STATE=0; ${levels.map((level) => `verdict a ${level} r;`).join(' ')} printf '%s' "$STATE"`;
const outcome = (name: string) => `verdict() { printf '%s %s' "$1" "$2"; }; OUTCOME='${name}'; check_outcome`;
const mechanism = (list: string, bundle = 'valid') =>
  `verdict() { printf '%s ' "$2"; }; RIGHT_LIST='${list}'; BUNDLE_STATE=${bundle}; measure_right; check_mechanism; printf '%s' "$PLACE"`;
const vault = (status: number, escrow: number) =>
  `read_setting() { SETTING=s; return ${escrow}; }; fdesetup() { return ${status}; }; verdict() { printf '%s %s;' "$1" "$2"; }; look_at_escrow; printf '%s' "$FILEVAULT"`;
const STATUS: readonly Case[] = [
  [isOn({ m: '1', l: '0' }), 'on'], [isOn({ m: '0', l: '1' }), 'off'], [isOn({ l: '1' }), 'on'], [isOn({ l: '0' }), 'off'], [isOn({}), 'off'],
  [isOn({ m: 'perhaps', l: '1' }), 'say;on'], [isOn({ m: 'perhaps', l: 'perhaps' }), 'say;say;off'],
  [text({ m: '1', l: '2' }), '1'], [text({ l: '2' }), '2'], [text({ m: '1' }), '1'], [text({ r: '3' }), 'unset'],
  [request({}), 'none'], [request({ m: '0' }), 'forced'], [request({ l: '1' }), 'pending'], [request({ r: '1' }), 'pending'], [request({ l: '0', r: '0' }), 'none'], [request({ l: 'x' }), 'none'],
  [request({ l: '1', r: '0' }), 'pending'], [request({ l: '0', r: '1' }), 'pending'],
  ...[{}, { l: '0' }, { r: '0' }, { l: 'x' }, { l: '0', r: '0' }].map((files): Case => [seen(files as Readonly<Record<string, string>>), 'request 0;none']),
  [seen({ m: '0' }), 'request 1;forced'], [seen({ l: '1' }), 'request 0;pending'], [seen({ l: '0', r: '1' }), 'request 0;pending'],
  [setting('verdict() { printf "%s" "$2"; }; SETTINGS_ANSWER=no; look_at_request', {}), 'unknown'],
  [verdicts(0), '0'], [verdicts(1), '1'], [verdicts(2, 1), '2'], [verdicts(1, 2), '2'], [verdicts('unknown'), '1'], [verdicts(2, 'unknown'), '2'], [verdicts(1, 0), '1'],
  ...['', 'rotated', 'not-awaited', 'held-back', 'no-credentials', 'token-login', 'no-password-login', 'guest-login', 'no-token-yet', 'filevault-off', 'filevault-busy', 'no-escrow-profile'].map((name): Case => [outcome(name), 'last-outcome 0']),
  ...['rotation-failed', 'internal-error', 'request-forced', 'rotated-unconfirmed'].map((name): Case => [outcome(name), 'last-outcome 1']),
  [mechanism(`${ENTRY}<loginwindow:done<`), '0 in-place'],
  [mechanism('loginwindow:done<'), '1 absent'],
  [mechanism(`loginwindow:done<${ENTRY}<`), '1 misplaced'],
  [mechanism(`${ENTRY}<${ENTRY}<loginwindow:done<`), '1 doubled'],
  [mechanism(`${ENTRY}<escrow buddy:x<loginwindow:done<`), '1 in-place'],
  [mechanism(`${ENTRY}<`), '2 misplaced'],
  [mechanism(`${ENTRY}<loginwindow:done<`, 'unsigned'), '2 in-place'],
  [mechanism('escrow buddy:x<loginwindow:done<', 'absent'), '2 absent'],
  [mechanism('loginwindow:done<', 'absent'), '1 absent'],
  [mechanism(`${ENTRY}<loginwindow:done<`, 'unproven'), '0 in-place'],
  [vault(0, 0), 'escrow-profile 0;filevault 0;on'], [vault(1, 0), 'escrow-profile 0;filevault 1;off'], [vault(2, 0), 'escrow-profile 0;filevault 1;busy'],
  [vault(3, 0), 'escrow-profile 0;filevault unknown;unknown'], [vault(124, 1), 'escrow-profile 1;filevault unknown;unknown'],
  ...Object.entries({ valid: '0', unproven: 'unknown', unfamiliar: '1', unfit: '2', absent: '2', unsigned: '2' }).map(([is, level]): Case => [`check_bundle() { BUNDLE_STATE=${is} BUNDLE_WHY=w; }; unset -f look_is_cheap look_closely; verdict() { printf '%s' "$2"; }; BUNDLE=/none; status_look_at_bundle`, level]),
]; // biome-ignore format: a table

const change = (task: string, more: string, shown = '$CHANGED $CHANGE_WROTE') =>
  `read_right() { RIGHT_LIST=$DB RIGHT_SHAPE=list RIGHT_RAW=$DB RIGHT_XML=$DB RIGHT_KEYS='' RIGHT_HEAD=h RIGHT_TAIL=t; }; ask_authd() { RIGHT_RAW=$DB; }; edit_right() { EDITED=$PLANNED; }
write_right() { printf 'write;'; DB=$1; }; lock_allows() { return 0; }; ${more} change_right ${task}; printf '%s' "$? ${shown}"`;
const DB = "DB='loginwindow:done<';";
const CHANGES: readonly Case[] = [
  [change('register', DB), 'write;0 changed yes'],
  [change('register', `DB='${ENTRY}<loginwindow:done<';`), '0 unchanged no'],
  [change('unregister', `DB='${ENTRY}<loginwindow:done<';`, '$DB'), 'write;0 loginwindow:done<'],
  [change('register', "DB='a:b<';"), '1 refused no'],
  [change('register', `${DB} lock_allows() { return 1; };`), '1 refused no'],
  [change('register', `${DB} edit_right() { return 1; };`), '1 failed no'],
  [change('register', `${DB} n=0; lock_allows() { n=$((n + 1)); [ $n -lt 2 ]; };`), '1 failed no'],
  [change('register', `${DB} write_right() { :; };`, '$WHY'), '1 the authorization database did not take the change (security ended with 0)'],
  [change('register', `${DB} write_right() { return 7; };`, '$WHY'), '1 the authorization database did not take the change (security ended with 7)'],
  [change('register', `${DB} w=0; write_right() { printf 'write;'; w=1; }; read_right() { [ $w = 0 ] || { RIGHT_PROBLEM=no-answer; return 1; }; RIGHT_LIST=$DB RIGHT_SHAPE=list RIGHT_RAW=$DB RIGHT_XML=$DB RIGHT_KEYS='' RIGHT_HEAD=h RIGHT_TAIL=t; };`), 'write;1 failed yes'],
  [change('register', `${DB} write_right() { printf 'write;'; };`), 'write;write;write;1 failed yes'],
  [change('heal', `${DB} write_right() { printf 'write;'; };`), 'write;1 failed yes'],
  [change('register', `${DB} ask_authd() { RIGHT_RAW=other; };`), '1 failed no'],
  [change('register', `${DB} ask_authd() { return $TIME_UP; };`), '1 failed no'],
  [change('register', `${DB} ask_authd() { return 1; };`), '1 failed no'],
  [change('register', `DB='c:d<loginwindow:done<'; write_right() { printf 'write;'; case $1 in *Escrow*) DB='${ENTRY}<loginwindow:done<' ;; *) DB=$1 ;; esac; };`, '$CHANGED $DB'), 'write;write;1 failed c:d<loginwindow:done<'],
  [change('register', `DB='A::b,PRIVILEGED<loginwindow:done<'; n=0; write_right() { n=$((n + 1)); printf 'write;'; case $n in 1) DB='${ENTRY}<' ;; *) DB='A:b,privileged<loginwindow:done<' ;; esac; };`, '$WHY'), 'write;write;1 entries of others were gone after the write; the original was written back'],
  [change('register', `${DB} write_right() { printf 'write;'; DB='${ENTRY}<'; };`, `\${WHY%%, *}`), 'write;write;1 entries of others were gone after the write; writing the original back did not help'],
  // What authd printed may be binary: what is written back is the text that was made of it.
  [change('register', `${DB} read_right() { RIGHT_LIST=$DB RIGHT_SHAPE=list RIGHT_RAW="raw $DB" RIGHT_XML="xml $DB" RIGHT_KEYS=''; }; ask_authd() { RIGHT_RAW="raw $DB"; }; write_right() { printf 'write %s;' "$1"; DB='${ENTRY}<'; };`, '$CHANGED'), `write ${ENTRY}<loginwindow:done<;write xml loginwindow:done<;1 failed`],
  [change('register', `${DB} n=0; write_right() { n=$((n + 1)); printf 'write;'; case $n in 1) DB="new:x<$1" ;; *) DB=$1 ;; esac; };`, '$CHANGED $DB'), `write;0 unchanged new:x<${ENTRY}<loginwindow:done<`],
]; // biome-ignore format: a table

describe.each<[string, readonly Case[]]>([
  ['the bundle', BUNDLES],
  ['the lock', LOCKS],
  ['the guard', GUARD],
  ['whether the guard may heal', MAY_HEAL],
  ['settings and status', STATUS],
  ['a change of the login right', CHANGES],
])('%s', (name, cases) => {
  // Guard and status have a function of one name.
  const own = name === 'settings and status' ? FILES.filter((one) => !one.startsWith('guard-look')) : FILES;
  testCases(
    own,
    STUBS,
    cases.map(([code, prints]) => [code.replace('status_look_at_bundle', 'look_at_bundle'), prints]),
  );
});
