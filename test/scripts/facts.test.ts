import { describe } from 'vitest';
import { type Case, testCases } from './in-shell.ts';
import { PRODUCT } from './product.ts';

// What status sees and prints, and what the guard sees, lays down and takes away: every answer of a tool, and every step that fails.
const RIGHT = [
  'characters', 'property-list', 'right-plan', 'right-read', 'right-change', 'settings', 'guard-files', 'guard-record', 'launch-job', 'bundle',
]; // biome-ignore format: a list
const OF_STATUS = [...RIGHT, 'json', 'status-facts', 'status-outcome', 'status-tokens', 'status-print'];
const OF_GUARD = [...RIGHT, 'lock', 'version', 'guard-look', 'guard-work', 'guard-install'];
const STUBS = `
TIME_UP=124
limited() { shift; "$@"; }
quietly() { shift; "$@" >/dev/null 2>&1; }
sleep() { printf 'sleep %s;' "$1"; }
say() { printf 'say %s;' "\${1%% *}"; }
`;
const is = (code: string) => `if ${code}; then printf yes; else printf no; fi`;
/** In a folder of its own. */
const inFolder = (code: string) =>
  `mkdir "$T/$N" && cd "$T/$N" || exit; BUNDLE=$T/$N/b GUARD_FOLDER=$T/$N/g GUARD_JOB=$T/$N/j GUARD_MARK=$T/$N/m GUARD_SCRIPT=$T/$N/s GUARD_RECORD=$T/$N/g/r; ${code}`;
const VERDICTS = `verdict() { printf '%s %s %s;' "$1" "$2" "\${3%%[;,:]*}"; };`;

const bundle = (more: string) =>
  inFolder(
    `${VERDICTS} check_bundle() { BUNDLE_STATE=valid BUNDLE_WHY=w; }; read_setting() { [ "$1 $2" = "$BUNDLE/Contents/Info CFBundleShortVersionString" ] && SETTING=1.1; }; INSTALLED=x; mkdir -p b/Contents; ${more} look_at_bundle; printf '%s' "$INSTALLED"`,
  );
const mechanism = (more: string) =>
  `${VERDICTS} read_right() { :; }; RIGHT_LIST=''; check_mechanism() { printf 'check %s;' "$NAMED"; }; PLACE=x; ${more} look_at_mechanism; printf '%s' "$PLACE"`;
const ENTRY = 'Escrow Buddy:Invoke,privileged';
const words = (list: string, state = 'valid') =>
  `verdict() { printf '%s' "$3"; }; RIGHT_LIST='${list}'; BUNDLE_STATE=${state}; measure_right; check_mechanism`;
const guard = (files: string, loaded: number, result = '') =>
  inFolder(
    `${VERDICTS} job_is_loaded() { return ${loaded}; }; read_record() { case $1 in LastResult) RECORDED='${result}' ;; *) RECORDED=$1 ;; esac; }; GUARD=x; ${files} look_at_guard; printf '%s' "$GUARD,$GUARD_RESULT,$GUARD_RUN,$GUARD_ACTION,$GUARD_ACTION_TIME"`,
  );
const RECORDED = 'LastRun,LastAction,LastActionTime';
const outcome = (more: string) =>
  `${VERDICTS} check_outcome() { printf 'check;'; }; LOCAL_SETTINGS=l; SETTINGS_ANSWER=yes; SETTING=old; read_setting() { SETTING="$1.$2"; }; ${more} look_at_outcome; printf '%s' "$OUTCOME,$ATTEMPT,$ROTATION,$LAST_EXIT,$FAILURES,$FAILED_UID"`;
const KEYS = ['LastOutcome', 'LastAttempt', 'LastRotation', 'LastExitStatus', 'ConsecutiveFailures', 'LastFailedUID'];
const tokens = (users: string, answer: string) =>
  `verdict() { printf '%s %s %s;' "$1" "$2" "\${3%%[;,]*}"; }; dscl() { ${users}; }; sysadminctl() { ${answer}; }; look_at_tokens; printf '%s' "$TOKENS"`;
const enabled = 'printf "Secure token is ENABLED for user x"';
const facts = (more: string) =>
  `STATE=1 INSTALLED='' PLACE=p BUNDLE_STATE=s BUNDLE_WHY=w ESCROW='' FILEVAULT=f REQUEST=r OUTCOME='' ATTEMPT='' ROTATION='' LAST_EXIT='' FAILURES='' FAILED_UID='' TOKENS='' TOKENS_KNOWN=no GUARD=g GUARD_RESULT='' GUARD_RUN='' GUARD_ACTION='' GUARD_ACTION_TIME='' CHECKS=''; ${more} print_json`;
const JSON_BEGINS = `{"schema":1,"product":"${PRODUCT.productName}","version":`;
/** The record as a whole; each entry stands on a line of its own. */
const written = (more: string) =>
  inFolder(
    `mkdir g; plutil() { :; }; date() { echo now; }; GUARD_RECORD=$T/$N/g/r SEEN='' GONE_SINCE=''; ${more} cat g/r`,
  );
const HEAD =
  '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n<plist version="1.0">\n<dict>\n';
const entries = (values: Readonly<Record<string, string>>) =>
  `${HEAD}${Object.entries(values)
    .map(([key, value]) => `    <key>${key}</key>\n    <string>${value}</string>\n`)
    .join('')}</dict>\n</plist>\n`;
const DONE = {
  LastAction: 'a',
  LastActionTime: 'now',
  LastDetail: 'b',
  LastResult: 'a',
  LastRun: 'now',
  Version: PRODUCT.version,
};
const RECORDS: readonly Case[] = [
  [written('record a b yes;'), entries(DONE)],
  [written('SEEN=s GONE_SINCE=7; record a b yes;'), entries({ BundleSeen: 's', GoneSince: '7', ...DONE })],
  [written("read_record() { RECORDED=''; }; record a b no;"), entries({ LastDetail: 'b', LastResult: 'a', LastRun: 'now', Version: PRODUCT.version })],
  [written('mkdir h; ln -s ../h g/r; record a b yes; command ls h;'), entries(DONE)],
  [written('mkdir g/new; record a b yes;'), entries(DONE)],
  [written(`mkdir g/r; rm() { :; }; ${is('record a b yes')}; cat() { :; };`), 'no'],
  [written(`chmod() { return 1; }; ${is('record a b yes')}; cat() { :; };`), 'no'],
  [written(`mv() { return 1; }; ${is('record a b yes')}; cat() { :; };`), 'no'],
  [written("record a b yes; stat() { :; }; [ -x g/r ] || printf 'no program;';"), `no program;${entries(DONE)}`],
  [inFolder(is('read_record K')), 'yes'],
  [is("print_entry A ''"), 'yes'],
]; // biome-ignore format: a table

const STATUS: readonly Case[] = [
  [bundle(': >b/Contents/Info.plist;'), 'bundle 0 w;1.1'],
  [bundle(''), 'bundle 0 w;'],
  [bundle('mkdir b/Contents/Info.plist;'), 'bundle 0 w;'],
  [bundle(': >b/Contents/Info.plist; read_setting() { SETTING=y; return 1; };'), 'bundle 0 w;'],
  [bundle('check_bundle() { BUNDLE_STATE=unfit BUNDLE_WHY=w; return 1; };'), 'bundle 2 w;'],
  [mechanism(''), 'check 0;unknown'],
  [mechanism(`RIGHT_LIST='${ENTRY}<';`), 'check 1;unknown'],
  [mechanism('read_right() { RIGHT_PROBLEM=no-answer; return 1; };'), 'mechanism unknown the authorization database gave no answer in time;unknown'],
  [mechanism('read_right() { RIGHT_PROBLEM=empty; return 1; };'), 'mechanism 2 the authorization database gave nothing to read (empty);unknown'],
  [words(`${ENTRY}<loginwindow:done<`), 'registered in place'],
  [words('loginwindow:done<'), `absent; run "/Library/Security/SecurityAgentPlugins/Escrow Buddy.bundle/Contents/Resources/AuthDBSetup.sh" as root`],
  [words(`${ENTRY}<ESCROW BUDDY:x<loginwindow:done<`), 'an entry that is not ours needs the bundle: ESCROW BUDDY:x'],
  [words('a:b<'), 'loginwindow:done is not among the mechanisms, so ours cannot be placed'],
  [words('ESCROW BUDDY:x<loginwindow:done<', 'absent'), 'THE NEXT LOGIN WILL FAIL: "ESCROW BUDDY:x" needs the bundle, which is not usable; install the package again or remove the entry'],
  [words(`${ENTRY}<loginwindow:done<`, 'absent'), `THE NEXT LOGIN WILL FAIL: "${ENTRY}" needs the bundle, which is not usable; install the package again or remove the entry`],
  [guard('', 0), 'guard 0 not installed;absent,,,,'],
  [guard(': >j;', 0, 'healthy'), `guard 0 running;running,healthy,${RECORDED}`],
  [guard(': >s;', 0, 'healed'), `guard 0 running;running,healed,${RECORDED}`],
  [guard(': >s; : >j;', 1, 'healthy'), `guard 1 installed;not-running,healthy,${RECORDED}`],
  [guard('mkdir s j;', 0, 'healthy'), 'guard 0 not installed;absent,,,,'],
  ...['heal-failed', 'unlock-failed', 'not-understood', 'no-answer', 'unfamiliar'].map((result): Case => [guard(': >j;', 0, result), `guard 1 ${result};running,${result},${RECORDED}`]),
  ...['waiting', 'held-back', 'unproven', 'failed', ''].map((result): Case => [guard(': >j;', 0, result), `guard 0 running;running,${result},${RECORDED}`]),
  [outcome(''), `check;${KEYS.map((key) => `l.${key}`).join()}`],
  [outcome('read_setting() { return 1; };'), 'check;,,,,,'],
  [outcome('SETTINGS_ANSWER=no;'), `last-outcome unknown the preferences gave no answer in time;${KEYS.map((key) => `l.${key}`).join()}`],
  [tokens('echo "a 501"; echo "b 502"', `[ "$2" = a ] && ${enabled}`), 'secure-token 0 held by 1 of 2 users;yes a\nunknown b\n'],
  [tokens('echo "a 501"; echo "b 502"; echo "c 503"', enabled), 'secure-token 0 held by 3 of 3 users;yes a\nyes b\nyes c\n'],
  // sysadminctl says it on its standard error.
  [tokens('echo "a 501"', `{ ${enabled}; } >&2`), 'secure-token 0 held by 1 of 1 users;yes a\n'],
  [tokens('return 1', enabled), 'secure-token unknown the users of this Mac could not be listed;'],
  [tokens('echo "a 501"', 'echo "Secure token is DISABLED for user x"'), 'secure-token 1 no user holds a SecureToken;no a\n'],
  [`STATE=0 CHECKS=''; verdict a 0 'b c'; verdict d unknown "$(printf 'e\\tf')"; printf '%s' "$CHECKS$STATE"`, 'a 0 b c\nd unknown e f\n1'],
  ["STATE=2 CHECKS=''; verdict a unknown b; printf '%s' \"$STATE\"", '2'],
  [facts(''), `${JSON_BEGINS}null,"state":"attention","mechanism":{"place":"p"},"bundle":{"state":"s","detail":"w"},"escrowLocation":null,"fileVault":"f","request":"r","lastOutcome":null,"lastAttempt":null,"lastRotation":null,"lastExitStatus":null,"consecutiveFailures":null,"lastFailedUID":null,"secureTokens":null,"guard":{"state":"g","lastResult":null,"lastRun":null,"lastAction":null,"lastActionTime":null},"checks":[]}\n`],
  [
    facts(`INSTALLED=1 ESCROW=e OUTCOME=o ATTEMPT=a ROTATION=n LAST_EXIT=-9 FAILURES=2 FAILED_UID=501 TOKENS="yes u$NEWLINE" TOKENS_KNOWN=yes GUARD_RESULT=gr GUARD_RUN=gn GUARD_ACTION=ga GUARD_ACTION_TIME=gt CHECKS="a 0 x$NEWLINE"'b 1 y'"$NEWLINE";`),
    `${JSON_BEGINS}"1","state":"attention","mechanism":{"place":"p"},"bundle":{"state":"s","detail":"w"},"escrowLocation":"e","fileVault":"f","request":"r","lastOutcome":"o","lastAttempt":"a","lastRotation":"n","lastExitStatus":-9,"consecutiveFailures":2,"lastFailedUID":501,"secureTokens":[{"user":"u","held":true}],"guard":{"state":"g","lastResult":"gr","lastRun":"gn","lastAction":"ga","lastActionTime":"gt"},"checks":[{"id":"a","status":"pass","level":0,"reason":"x"},{"id":"b","status":"fail","level":1,"reason":"y"}]}\n`,
  ],
  ...Object.entries({
    'no-answer': 'the authorization database gave no answer in time; run this again', empty: 'the authorization database gave nothing to read',
    unparsable: 'what the authorization database printed is not one complete property list in XML', 'duplicate-key': 'the right has a key twice', 'not-a-dictionary': 'the right is not a dictionary',
    'class-differs': 'the right is not of class evaluate-mechanisms', 'no-mechanisms': 'the right has no mechanisms', 'mechanisms-not-an-array': 'the mechanisms are not a list',
    'element-not-a-string': 'a mechanism is not text', 'anchor-absent': 'loginwindow:done is not among the mechanisms', other: 'other',
  }).map(([reason, why]): Case => [`why_refused ${reason}; printf '%s' "$WHY"`, `${why} (${reason})`]),
]; // biome-ignore format: a table

const well = (more: string) =>
  `look_is_cheap() { BUNDLE_STATE=valid; }; read_record() { [ "$1" = LastResult ] && RECORDED=healthy; }; read_right() { RIGHT_LIST='${ENTRY}<loginwindow:done<'; }; ${more} ${is('all_is_well')}`;
const mark = (more: string) =>
  inFolder(`BOOT_SESSION=A; HOLD=''; ${more} ${is('take_heal_mark')}; printf ' %s ' "\${HOLD##*/}"; ls | tr '\\n' ' '`);
const waits = (more: string) =>
  `date() { echo 1700000000; }; RECORDED=; GONE_SINCE=x; read_record() { RECORDED=$SINCE; }; guard_leave() { printf 'leave;'; return 3; }; tell() { printf '%s %s;' "$1" "$3"; }; ${more} guard_wait; printf '%s' "$? $GONE_SINCE"`;
const leaves = (more: string) =>
  `pkgutil() { printf '%s %s;' "$1" "$2" >&3; }; launchctl() { printf '%s %s;' "$1" "$2" >&3; }; release_lock() { printf 'release;'; }; delete_guard_files() { printf 'delete;'; }; ${more} { ${is('guard_leave')}; } 3>&1`;
const tells = (more: string) =>
  `tell() { printf '%s' "$2"; }; BUNDLE_STATE=valid BUNDLE_FRESH=yes; read_right() { RIGHT_LIST=''; RIGHT_SHAPE=list; }; ${more} guard_login; printf ' %s' $?`;
const LOOKS: readonly Case[] = [
  [tells('read_right() { RIGHT_PROBLEM=duplicate-key; return 1; };'), 'The login right was left alone: the right has a key twice (duplicate-key). Look at: security authorizationdb read system.login.console 1'],
  [tells('bundle_is_away() { return 1; };'), 'The mechanism cannot be registered: loginwindow:done is not among the mechanisms (anchor-absent). 1'],
  [`CHANGED=unchanged HEAL_MARK=m; clear_path() { :; }; record() { return 1; }; ${is('heal_is_done')}`, 'yes'],
  [`CHANGED=changed; say() { :; }; record() { return 1; }; ${is('heal_is_done')}`, 'yes'],
  [`look_is_cheap() { printf cheap; }; look_closely() { printf closely; }; look_at_bundle`, 'cheap'],
  [`look_is_cheap() { return 1; }; look_closely() { printf closely; }; look_at_bundle`, 'closely'],
  [well(''), 'yes'],
  [well('look_is_cheap() { BUNDLE_STATE=valid; return 1; };'), 'no'],
  [well('look_is_cheap() { BUNDLE_STATE=unproven; };'), 'no'],
  [well('read_record() { RECORDED=healed; };'), 'no'],
  [well(`read_right() { RIGHT_LIST='${ENTRY}<loginwindow:done<'; return 1; };`), 'no'],
  [well("read_right() { RIGHT_LIST='loginwindow:done<'; };"), 'no'],
  [well(`read_right() { RIGHT_LIST='${ENTRY}<'; };`), 'no'],
  [well(`read_right() { RIGHT_LIST='loginwindow:done<${ENTRY}<'; };`), 'no'],
  ["record() { printf 'record %s;' \"$*\"; }; say() { printf 'say %s;' \"$1\"; }; tell a 'b c' yes; printf '%s' $?", 'say b c;record a b c yes;0'],
  ["record() { return 1; }; tell a 'b c' yes; printf '%s' $?", 'say b;say The;0'],
  [mark(''), 'yes  m.A '],
  [mark("BOOT_SESSION='';"), 'yes  m '],
  [mark(': >m; mkdir m.B; ln -s x m.C; : >n;'), 'yes  m.A n '],
  [mark('mkdir m.A;'), 'no the guard has already put it right once since this Mac started m.A '],
  [mark('mkdir() { return 1; };'), 'no m.A could not be made '],
  [waits("SINCE='';"), 'waiting no;0 1700000000'],
  [waits('SINCE=1700000000;'), '0 1700000000'],
  [waits('SINCE=1699999999; date() { return 1; };'), '1 x'],
  [waits('SINCE=1600000000;'), 'leave;3 1600000000'],
  [waits('SINCE=1700000001;'), 'waiting no;0 1700000000'],
  [waits('SINCE=17x;'), 'waiting no;0 1700000000'],
  [leaves(''), `say Nothing;--forget ${PRODUCT.guardIdentifier};release;delete;bootout system/${PRODUCT.guardIdentifier};yes`],
  [leaves('delete_guard_files() { return 1; };'), `say Nothing;--forget ${PRODUCT.guardIdentifier};release;say The;no`],
  [leaves('pkgutil() { return 1; };'), `say Nothing;release;delete;bootout system/${PRODUCT.guardIdentifier};yes`],
]; // biome-ignore format: a table

const ROOTS = `chown() { :; }; stat() { [ "$1" = -f ] && echo '0:0 755'; }; ls() { echo drwxr-xr-x; };`;
const roots = (more: string) => inFolder(`${ROOTS} mkdir g; ${more} ${is('guard_folder_is_roots')}`);
const owns = (more: string) =>
  inFolder(
    `n=0; chown() { printf 'chown %s;' "$1"; }; chmod() { printf 'chmod %s;' "$1"; }; guard_folder_is_roots() { n=$((n + 1)); [ $n = 2 ]; }; ls() { echo drwx; }; ${more} ${is('own_guard_folder')}; printf ' '; command ls`,
  );
const puts = (more: string) =>
  inFolder(
    `${ROOTS} mkdir g; printf new >g/new; ${more} ${is('place_file 0755 "$T/$N/x"')}; [ -f x ] && [ ! -L x ] && cat x; command ls g`,
  );
/** All of it: what is started as root, and where it lies. */
const lays = (more: string) =>
  inFolder(
    `chown() { :; }; stat() { case $2 in *HT*) echo '0 755 Directory' ;; *) echo '0:0 755' ;; esac; }; ls() { echo drwx; }; plutil() { :; }; SCRIPT_FOLDER=$T/$N GUARD_SCRIPT=$T/$N/g/guard.sh; printf x >guard.sh; ${more} ${is('place_guard_files')}; printf ' %s ' "\${PLACE_PROBLEM#* }"; command ls g 2>/dev/null`,
  );
const WHERE = 'is not a folder that only root can write; repair its owner and mode, then install again';
const FILES: readonly Case[] = [
  [lays('chmod() { printf "%s %s;" "$1" "$(basename "$2")"; };').replace(`printf ' %s ' "\${PLACE_PROBLEM#* }"; `, ''), '0755 g;0755 new;0644 new;yesguard.sh\n'],
  [lays('ln -s . l; GUARD_JOB=$T/$N/l/j;'), `no ${WHERE} `],
  [lays('ln -s . l; GUARD_FOLDER=$T/$N/l/g;'), `no ${WHERE} `],
  [roots(''), 'yes'],
  [roots('rmdir g;'), 'no'],
  [roots('rmdir g; : >g;'), 'no'],
  [roots('mv g h; ln -s h g;'), 'no'],
  ...['501:0 755', '0:20 755', '0:0 775', '0:0 1755', ''].map((owner): Case => [roots(`stat() { echo '${owner}'; };`), 'no']),
  [roots("ls() { echo ' 0: group:everyone allow write'; };"), 'no'],
  [roots("ls() { echo ' 0: group:everyone deny delete'; };"), 'yes'],
  [owns('guard_folder_is_roots() { :; };'), 'yes '],
  [owns(''), 'chown 0:0;chmod 0755;yes g\n'],
  [owns('mkdir g; : >g/x;'), 'chown 0:0;chmod 0700;chown 0:0;chmod 0755;yes g\n'],
  [owns('mkdir h; ln -s h g;'), 'chown 0:0;chmod 0755;yes g\nh\n'],
  [owns(': >g;'), 'chown 0:0;chmod 0755;yes g\n'],
  [owns('mkdir g; chown() { return 1; };'), 'no g\n'],
  [owns('mkdir g; chmod() { [ "$1" != 0700 ]; };'), 'chown 0:0;no g\n'],
  [owns('chown() { return 1; };'), 'no g\n'],
  [owns('chmod() { return 1; };'), 'chown 0:0;no g\n'],
  [owns('mkdir() { return 1; };'), 'no '],
  [owns(': >g; rm() { :; };'), 'no g\n'],
  [owns("ls() { echo ' 0: user:a allow write'; };"), 'chown 0:0;chmod 0755;chmod -N;yes g\n'],
  [owns('guard_folder_is_roots() { return 1; };'), 'chown 0:0;chmod 0755;no g\n'],
  [puts(''), 'yesnew'],
  [puts('chown() { return 1; };'), 'nonew\n'],
  [puts('chmod() { return 1; };'), 'nonew\n'],
  [puts(`chmod() { [ "$1" = 0755 ]; }; chown() { [ "$1" = 0:0 ]; };`), 'yesnew'],
  [puts('printf old >x;'), 'yesnew'],
  [puts('mkdir x;'), 'yesnew'],
  [puts('ln -s y x;'), 'yesnew'],
  [puts('mkdir x; rm() { :; };'), 'nonew\n'],
  [puts('ln -s y x; rm() { :; };'), 'nonew\n'],
  [puts('mv() { return 1; };'), 'nonew\n'],
  [puts('mv() { mkdir "$3"; };'), 'nonew\n'],
  [puts('mv() { ln -s new "$3"; };'), 'nonew\n'],
]; // biome-ignore format: a table

const RIGHT_HEAD = '<plist><dict><key>class</key><string>evaluate-mechanisms</string><key>mechanisms</key><array>';
const edits = (planned: string, more = '') =>
  `RIGHT_HEAD='${RIGHT_HEAD}' RIGHT_TAIL='</array></dict></plist>' PLANNED='${planned}' before_keys='<<class><string>evaluate-mechanisms</string>'; ${more} ${is('edit_right')}; printf ' %s' "$EDITED"`;
const back = (statuses: string) =>
  `n=0; read_right() { n=$((n + 1)); set -- ${statuses}; shift $((n - 1)); RIGHT_PROBLEM=$1; [ "$1" = ok ]; }; ${is('read_back')}; printf ' %s' "\${WHY-}"`;
const others = (stored: string, list: string) => `STORED='${stored}' RIGHT_LIST='${list}'; ${is('others_are_there')}`;
const between = (answer: string) =>
  `before_raw=a; security() { ${answer}; }; nobody_came_between; printf '%s %s' $? "$WHY"`;
const NOT_READ = 'the login right was written but could not be read back: the authorization database gave';
const WRITES: readonly Case[] = [
  [edits('a:b<c<'), `yes ${RIGHT_HEAD}\n\t\t<string>a:b</string>\n\t\t<string>c</string>\n\t</array></dict></plist>`],
  [edits(''), `yes ${RIGHT_HEAD}\n\t</array></dict></plist>`],
  [edits('a<', "before_keys='';").replace('; printf', '; :'), 'no'],
  [edits('a<', "RIGHT_TAIL='';").replace('; printf', '; :'), 'no'],
  [edits('a>b<', "RIGHT_TAIL='<string>x</string></array></dict></plist>';").replace('; printf', '; :'), 'no'],
  [edits('a<', 'right_raw_keys=7;').replace('; printf', '; :'), 'yes'],
  [`security() { cat; printf '%s;' "$@"; return 7; }; limited() { printf 'in %s ' "$1" >&3; shift; "$@" >&3; }; write_right 'a b' 3>&1; printf '%s' $?`, `in 30 a b\n-q;authorizationdb;write;${PRODUCT.loginRight};7`],
  [`security() { printf '%s;' "$@"; cat; }; ask_authd; printf '%s' "$RIGHT_RAW"`, `-q;authorizationdb;read;${PRODUCT.loginRight};`],
  [`plutil() { cat; printf '%s;' "$@"; }; printf x | convert_right`, 'x-convert;xml1;-o;-;-;'],
  [back('ok'), 'yes '],
  [back('empty ok'), 'sleep 1;yes '],
  [back('empty unparsable ok'), 'sleep 1;sleep 1;yes '],
  [back('empty empty empty'), `sleep 1;sleep 1;no ${NOT_READ} nothing to read (empty)`],
  [back('empty no-answer'), `sleep 1;no ${NOT_READ} no answer in time; run this again (no-answer)`],
  [back('no-answer'), `no ${NOT_READ} no answer in time; run this again (no-answer)`],
  [others('a<b<', 'b<a<'), 'yes'],
  [others('a<b<', 'x<b<'), 'no'],
  [others('a<b<', 'a<xb<'), 'no'],
  [others('a<b<', 'a<bx<'), 'no'],
  [others(`${ENTRY}<a<`, 'a<'), 'yes'],
  [others('', ''), 'yes'],
  [between('printf a'), '0 another program changed the login right at the same time'],
  [between('printf b'), '2 another program changed the login right at the same time'],
  [between('return 124'), '1 the authorization database gave no answer in time; run this again (no-answer)'],
  [between('return 1'), '2 the authorization database gave nothing to read (empty)'],
]; // biome-ignore format: a table

describe.each<[string, readonly string[], readonly Case[]]>([
  ['what status sees and prints', OF_STATUS, STATUS],
  ['what the guard records', OF_GUARD, RECORDS],
  ['what the guard sees', OF_GUARD, LOOKS],
  ['what the guard lays down', OF_GUARD, FILES],
  ['how the login right is written', OF_GUARD, WRITES],
])('%s', (_, files, cases) => testCases(files, STUBS, cases));
