import { describe } from 'vitest';
import { type Case, testCases } from './in-shell.ts';

// What the functions do, step by step: each tool is a function that says what it was asked; files are real ones in a folder of the test.
const FILES = [
  'characters', 'json', 'property-list', 'right-plan', 'right-read', 'right-change', 'settings', 'status-facts', 'status-tokens', 'status-print', 'arguments',
  'bundle', 'guard-files', 'guard-record', 'guard-install', 'launch-job', 'register', 'unregister', 'uninstall', 'guard-look',
]; // biome-ignore format: a list
const STUBS = `
TIME_UP=124
limited() { shift; "$@"; }
quietly() { shift; "$@" >/dev/null 2>&1; }
sleep() { printf 'sleep;'; }
say() { printf 'say %s;' "\${1%% *}"; }
`;
const is = (code: string) => `if ${code}; then printf yes; else printf no; fi`;

const called = (name: string, ...words: readonly string[]) =>
  `${name} U ${words.map((word) => `'${word}'`).join(' ')}; printf goes-on`;
const ARGUMENTS: readonly Case[] = [
  [called('take_no_arguments'), 'goes-on'],
  [called('take_no_arguments', '--help'), 'U\n'],
  [called('take_no_arguments', '-h'), 'U\n'],
  [`(${called('take_no_arguments', '--help')}); printf '%s' $?`, 'U\n0'],
  ...[['x'], [''], ['--help', 'x'], ['-x']].map((words): Case => [`(${called('take_no_arguments', ...words)}) 2>/dev/null; printf '%s' $?`, '64']),
  [`(${called('take_no_arguments', 'x')}) 2>&1 >/dev/null`, 'U\n'],
  [called('take_installer_arguments'), 'goes-on'],
  [called('take_installer_arguments', '--help'), 'U\n'],
  [called('take_installer_arguments', 'p', '/a', '/', '/'), 'goes-on'],
  [called('take_installer_arguments', 'p', '/a', '/'), 'goes-on'],
  ...[['x'], ['x', 'y'], ['x', 'y', 'z'], ['-x', '/a', '/b'], ['x', '/a', 'b', '/']].map((words): Case => [`(${called('take_installer_arguments', ...words)}) 2>/dev/null; printf '%s' $?`, '64']),
]; // biome-ignore format: a table

/** In a folder of its own. */
const inFolder = (code: string) =>
  `mkdir "$T/$N" && cd "$T/$N" || exit; GUARD_FOLDER=$T/$N/g GUARD_JOB=$T/$N/j GUARD_MARK=$T/$N/m GUARD_SCRIPT=$GUARD_FOLDER/guard.sh GUARD_RECORD=$GUARD_FOLDER/guard.plist SCRIPT_FOLDER=$T/$N; ${code}`;
const ROOTS = `stat() { case $2 in *HT*) echo '0 755 Directory' ;; *) echo '0:0 755' ;; esac; }; ls() { echo drwx; }; chown() { :; }; plutil() { :; };`;
/** @param cut what is taken off the reason */
const place = (more: string, cut = '##*/') =>
  inFolder(
    `${ROOTS} printf 'a\\n' >guard.sh; ${more} if place_guard_files; then printf 'placed:'; cat "$GUARD_SCRIPT"; else printf 'not placed, %s' "\${PLACE_PROBLEM${cut}}"; fi`,
  );
const FOLDERS: readonly Case[] = [
  [inFolder(is('path_is_free a')), 'yes'],
  [inFolder(`: >a; ${is('path_is_free a')}`), 'no'],
  [inFolder(`ln -s nowhere a; ${is('path_is_free a')}`), 'no'],
  [inFolder(`mkdir a; : >a/b; ${is('clear_path a')}; command ls`), 'yes'],
  [inFolder(`ln -s nowhere a; ${is('clear_path a')}; command ls`), 'yes'],
  [inFolder(`${is('clear_path a')}`), 'yes'],
  [inFolder(`: >a; rm() { :; }; ${is('clear_path a')}`), 'no'],
  [inFolder(`: >j; : >m; : >m.1; mkdir g; ${is('delete_guard_files')}; command ls`), 'yes'],
  [inFolder(`: >j; rm() { case $3 in */j) ;; *) command rm "$@" ;; esac; }; ${is('delete_guard_files')}`), 'no'],
  [inFolder(`mkdir g; rm() { case $3 in */g) ;; *) command rm "$@" ;; esac; }; ${is('delete_guard_files')}`), 'no'],
  [place(''), 'placed:a\n'],
]; // biome-ignore format: a table

const whole = (more: string) =>
  inFolder(
    `BUNDLE=$T/$N/b PLUG_IN_FOLDER=$T/$N EXECUTABLE=e; mkdir -p b/Contents/MacOS; : >b/Contents/Info.plist; printf x >b/Contents/MacOS/e; chmod 755 b/Contents/MacOS/e; ${more} if bundle_is_there; then printf there; else printf '%s' "$BUNDLE_STATE"; fi`,
  );
const magic = (octal: string) => whole(`printf '${octal}' >b/Contents/MacOS/e; bundle_is_there() { bundle_is_code; };`);
const BUNDLE_FILES: readonly Case[] = [
  [whole(''), 'there'],
  ...['b', 'b/Contents', 'b/Contents/MacOS'].flatMap((path): Case[] => [
    [whole(`mv ${path} x; : >${path};`), 'absent'],
    [whole(`mv ${path} x; ln -s $T/$N/x ${path};`), 'absent'],
  ]),
  ...['b/Contents/Info.plist', 'b/Contents/MacOS/e'].flatMap((path): Case[] => [
    [whole(`rm ${path};`), 'absent'],
    [whole(`rm ${path}; mkdir ${path};`), 'absent'],
    [whole(`mv ${path} x; ln -s $T/$N/x ${path};`), 'absent'],
  ]),
  [whole('chmod 644 b/Contents/MacOS/e;'), 'exposed'],
  [magic('\\312\\376\\272\\276'), 'there'],
  [magic('\\317\\372\\355\\376'), 'there'],
  [magic('\\177ELF'), 'not-code'],
  [magic('#!/bin'), 'not-code'],
  [magic(''), 'not-code'],
  [whole('od() { return 1; }; bundle_is_there() { bundle_is_code; };'), 'there'],
];
const picture = (more: string, shown = '$PICTURE') =>
  inFolder(
    `BUNDLE=$T/$N/b; mkdir b; sysctl() { echo ABC-1; }; date() { echo 864001; }; stat() { :; }; cksum() { cat >/dev/null; echo '1 2'; }; ${more} take_picture; printf '%s' "${shown}"`,
  );
const cheap = (recorded: string) =>
  `take_picture() { PICTURE=p; }; read_record() { RECORDED='${recorded}'; }; if look_is_cheap; then printf '%s|%s' "$SEEN" "$BUNDLE_STATE"; else printf no; fi`;
const closely = (states: string, more = '') =>
  `take_picture() { PICTURE=p; }; n=0; check_bundle() { n=$((n + 1)); set -- ${states}; shift $((n - 1)); BUNDLE_STATE=$1; [ "$1" = valid ]; }; ${more} look_closely; printf '%s|%s' "$n" "$SEEN"`;
const LOOKS: readonly Case[] = [
  [picture(''), '1 2 10 ABC-1'],
  [picture('date() { echo 863999; };'), '1 2 9 ABC-1'],
  [picture('date() { return 1; };'), ''],
  [picture('date() { echo x; };'), ''],
  [picture('cksum() { :; };'), ''],
  [picture("sysctl() { echo 'a b'; };"), '1 2 10 '],
  [picture('sysctl() { return 1; };'), '1 2 10 '],
  [cheap('valid p'), 'valid p|valid'],
  ...['valid q', 'valid p 1', 'valid px', 'valid xp', 'valid', 'p', '1 p'].map((one): Case => [cheap(one), 'no']),
  [cheap(' p'), 'no'],
  [cheap(''), 'no'],
  [closely('valid'), '1|valid p'],
  [closely('unproven'), '1|'],
  [closely('unfamiliar'), '1|unfamiliar p'],
  [closely('absent valid'), 'sleep;2|valid p'],
  [closely('absent unsigned'), 'sleep;2|unsigned p'],
  [closely('valid', 'BUNDLE_FRESH=yes; SEEN=s;'), '0|s'],
  [closely('valid', 'take_picture() { PICTURE=; };'), '1|'],
  [inFolder(`BUNDLE=$T/$N/b; ${is('bundle_is_away')}`), 'yes'],
  [inFolder(`BUNDLE=$T/$N/b; mkdir b; ${is('bundle_is_away')}`), 'no'],
  [inFolder(`BUNDLE=$T/$N/b; ln -s x b; ${is('bundle_is_away')}`), 'no'],
]; // biome-ignore format: a table
const record = (more: string) =>
  inFolder(
    `mkdir g; plutil() { :; }; date() { echo now; }; SEEN=s GONE_SINCE=; read_record() { RECORDED="old $1"; }; ${more} cat "$GUARD_RECORD" 2>/dev/null | sed -n 's/.*<string>//; s,</string>,;,p' | tr -d '\n'; command ls g | tr '\n' ' '`,
  );
const RECORDS: readonly Case[] = [
  [record('record healed d yes;'), 's;healed;now;d;healed;now;1.1.0;guard.plist '],
  [record('record held-back d no;'), 's;old LastAction;old LastActionTime;d;held-back;now;1.1.0;guard.plist '],
  [record("plutil() { return 1; }; record healed d yes || printf 'not;';"), 'not;new '],
  [record("date() { return 1; }; record healed d yes || printf 'not;';"), 'not;'],
  [record('mkdir g/guard.plist; record healed d yes;'), 's;healed;now;d;healed;now;1.1.0;guard.plist '],
  [record("mv g h; ln -s h g; record healed d yes || printf 'not;';"), 'not;'],
  [record("rmdir g; : >g; record healed d yes || printf 'not;'; rm g; mkdir g;"), 'not;'],
  [inFolder(`mkdir g; PlistBuddy() { echo v; }; read_record K; printf '[%s]' "$RECORDED"; : >g/guard.plist; read_record K; printf '[%s]' "$RECORDED"; mv g/guard.plist x; ln -s $T/$N/x g/guard.plist; read_record K; printf '[%s]' "$RECORDED"`), '[][v][]'],
]; // biome-ignore format: a table

const job = (loaded: string, more: string) =>
  `n=0; launchctl() { case $1 in print) ${loaded} ;; *) echo "$1;" >&3 ;; esac; }; { ${more}; } 3>&1`;
const JOBS: readonly Case[] = [
  [job('return 0', is('job_is_loaded')), 'yes'],
  [job('return 113', is('job_is_loaded')), 'no'],
  [job('return 113', is('stop_job')), 'yes'],
  [job('return 0', is('stop_job')), 'bootout;\nsleep;sleep;sleep;sleep;no'],
  [job('n=$((n + 1)); [ $n -le 3 ]', is('stop_job')), 'bootout;\nsleep;sleep;yes'],
  [job('return 0', is('start_job')), 'bootstrap;\nyes'],
  [job('return 113', is('start_job')), 'bootstrap;\nsleep;bootstrap;\nsleep;bootstrap;\nsleep;bootstrap;\nno'],
]; // biome-ignore format: a table

const guard = (more: string) =>
  `place_guard_files() { printf 'place;'; }; stop_job() { printf 'stop;'; }; start_job() { printf 'start;'; }; PLACE_PROBLEM=p; ${more} ${is('install_guard')}`;
const register = (more: string) =>
  `check_bundle() { BUNDLE_STATE=valid; }; change_right() { printf 'change %s;' "$1"; CHANGED=changed; }; BUNDLE_WHY=w WHY=w; say() { printf 'say %s;' "$1" | sed 's/:.*[.];/;/'; }; ${more} ${is('register_bundle')}`;
const bad = (state: string) => `check_bundle() { BUNDLE_STATE=${state}; return 1; };`;
const unregister = (more: string) =>
  `read_right() { :; }; RIGHT_LIST=''; change_right() { printf 'change %s;' "$1"; CHANGED=changed; }; WHY=w RIGHT_PROBLEM=empty; say() { printf 'say %s;' "\${1%%[:.]*}"; }; ${more} ${is('unregister_bundle')}`;
const uninstall = (more: string) =>
  `job_is_loaded() { return 0; }; stop_job() { printf 'stop;'; }; start_job() { printf 'start;'; }; unregister_bundle() { printf 'unregister;'; }; delete_guard_files() { printf 'files;'; }
path_is_free() { return 1; }; clear_path() { printf 'clear;'; }; read_right() { :; }; RIGHT_LIST=''; WHY=w; change_right() { printf 'change %s;' "$1"; }
defaults() { printf 'defaults %s;' "$2" >&3; }; rm() { printf 'rm %s;' "$3"; }; pkgutil() { printf 'forget %s;' "$2" >&3; }; LOCAL_SETTINGS=l ROOT_SETTINGS=r
${more} { ${is('uninstall_product a b')}; } 3>&1`;
const REST = 'defaults l;rm l.plist;defaults r;rm r.plist;forget a;forget b;';
const STEPS: readonly Case[] = [
  [guard(''), 'place;stop;start;say The;yes'],
  [guard('place_guard_files() { return 1; };'), 'say The;no'],
  [guard('stop_job() { return 1; };'), 'place;say The;no'],
  [guard('start_job() { return 1; };'), 'place;stop;say The;no'],
  [register(''), 'change register;say The mechanism was registered directly before loginwindow;yes'],
  [register('change_right() { CHANGED=unchanged; };'), 'say The mechanism was already registered in its place.;yes'],
  [register('change_right() { return 1; };'), 'say The mechanism was not registered;no'],
  ...['absent', 'exposed', 'not-code', 'unsigned'].map((state): Case => [register(bad(state)), 'say The mechanism was not registered;change unlock;say The entry that needs the bundle was taken out, so that logins keep working. Install the package again.;no']),
  ...['unfamiliar', 'unfit', 'unproven'].map((state): Case => [register(bad(state)), 'say The mechanism was not registered;no']),
  [register(`${bad('absent')} change_right() { CHANGED=unchanged; };`), 'say The mechanism was not registered;no'],
  [register(`${bad('absent')} change_right() { return 1; };`), 'say The mechanism was not registered;say An entry that needs the bundle could not be taken out: w. Before anybody logs out, remove it: security authorizationdb read system.login.console;no'],
  [unregister(''), 'change unregister;say The mechanism was removed;yes'],
  [unregister('change_right() { CHANGED=unchanged; };'), 'say The mechanism was not registered;yes'],
  [unregister('change_right() { return 1; };'), 'say The mechanism was not removed;no'],
  [unregister('read_right() { return 1; };'), 'change unregister;say The mechanism was removed;say It could not be proven that nothing needs the bundle;no'],
  [unregister("RIGHT_LIST='escrow buddy:x<';"), 'change unregister;say The mechanism was removed;say A mechanism still needs the bundle, and a person has to remove it;no'],
  [uninstall(''), `stop;unregister;files;clear;say The;${REST}say Escrow;yes`],
  [uninstall('job_is_loaded() { return 1; };'), `unregister;files;clear;say The;${REST}say Escrow;yes`],
  [uninstall('stop_job() { return 1; };'), `say The;unregister;files;clear;say The;${REST}say Escrow;yes`],
  [uninstall('unregister_bundle() { return 1; };'), 'stop;start;say Nothing;no'],
  [uninstall('unregister_bundle() { return 1; }; start_job() { return 1; };'), 'stop;say The;say Nothing;no'],
  [uninstall('unregister_bundle() { return 1; }; job_is_loaded() { return 1; };'), 'say Nothing;no'],
  [uninstall('delete_guard_files() { return 1; };'), `stop;unregister;say The;clear;say The;${REST}no`],
  [uninstall('clear_path() { return 1; };'), `stop;unregister;files;say /Library/Security/SecurityAgentPlugins/Escrow;no`],
  [uninstall('path_is_free() { return 0; };'), 'stop;unregister;files;forget a;forget b;say Escrow;yes'],
  [uninstall('read_right() { return 1; };'), `stop;unregister;files;clear;say The;${REST}say Escrow;yes`],
  [uninstall("RIGHT_LIST='Escrow Buddy:Invoke,privileged<';"), `stop;unregister;files;clear;say The;change unlock;${REST}say Escrow;yes`],
  [uninstall("RIGHT_LIST='Escrow Buddy:Invoke,privileged<'; change_right() { return 1; };"), 'stop;unregister;files;clear;say The;say THE;no'],
]; // biome-ignore format: a table

const tokens = (users: string, answers: string) =>
  `dscl() { ${users}; }; sysadminctl() { ${answers}; }; verdict() { printf '%s;' "$2"; }; look_at_tokens; printf '%s' "$TOKENS$TOKENS_KNOWN"`;
const enabled = 'printf "x Secure token is ENABLED for user %s" "$2"';
const many = (count: number) => `i=0; while [ $i -lt ${count} ]; do i=$((i + 1)); echo "u$i $((500 + i))"; done`;
const STATUS: readonly Case[] = [
  [tokens('echo "a 501"', enabled), '0;yes a\nyes'],
  [tokens('echo "a b   501"', enabled), '0;yes a b\nyes'],
  [tokens('echo "a 500"; echo "b 499"; echo "c -2"; echo "d x"; echo 501', enabled), '0;yes a\nyes'],
  [tokens('echo "a 501"', 'echo "Secure token is DISABLED for user a"'), '1;no a\nyes'],
  [tokens('echo "a 501"', 'echo "Secure token is DISABLED for user Secure token is ENABLED for user"'), '1;no a\nyes'],
  [tokens('echo "a 501"', 'echo nothing'), 'unknown;unknown a\nyes'],
  [tokens('echo "a 501"', 'echo "Secure token is perhaps"'), 'unknown;unknown a\nyes'],
  [tokens('echo "a 501"; echo "b 502"', 'return 124'), 'unknown;unknown a\nunknown b\nno'],
  [tokens('return 1', enabled), 'unknown;no'],
  [tokens(':', enabled), '1;yes'],
  [`${tokens(many(25), enabled).replace('"$TOKENS$TOKENS_KNOWN"', '"$tokens_asked"')}`, '0;20'],
  ...Object.entries({ 0: 'healthy', 1: 'attention', 2: 'broken' }).map(([state, word]): Case => [`STATE=${state}; state_word`, word]),
  ["CHECKS=\"a 0 x y$NEWLINE\"\"b 1 z$NEWLINE\"\"c unknown z$NEWLINE\"\"d 2 z$NEWLINE\"; print_checks print_check_line", 'check a: ok, x y\ncheck b: attention, z\ncheck c: no result, z\ncheck d: broken, z\n'],
  [`check_comma=''; CHECKS="a 0 x$NEWLINE"'b unknown y'"$NEWLINE"'c 2 z'"$NEWLINE"; print_checks print_check_json`, '{"id":"a","status":"pass","level":0,"reason":"x"},{"id":"b","status":"skipped","level":1,"reason":"y"},{"id":"c","status":"fail","level":2,"reason":"z"}'],
  [`TOKENS_KNOWN=no TOKENS=''; print_tokens`, 'null'],
  [`TOKENS_KNOWN=yes TOKENS=''; print_tokens; token_words`, '[]unknown'],
  [`TOKENS_KNOWN=no TOKENS="yes a b$NEWLINE"'no c'"$NEWLINE"'unknown d'"$NEWLINE"; print_tokens; token_words`, '[{"user":"a b","held":true},{"user":"c","held":false},{"user":"d","held":null}]a b yes, c no, d unknown'],
]; // biome-ignore format: a table

const PLACES: readonly Case[] = [
  ...FOLDERS,
  [place('rm guard.sh;'), 'not placed, guard.sh is not beside this script'],
  [place('mv guard.sh x; ln -s x guard.sh;'), 'not placed, guard.sh is not beside this script'],
  ...['501 755 Directory', '0 775 Directory', '0 757 Directory', '0 755 Regular File'].map((owner): Case => [place(`stat() { echo '${owner}'; };`, '#* '), 'not placed, is not a folder that only root can write; repair its owner and mode, then install again']),
  [place('chown() { return 1; };', '%% *'), 'not placed, its'],
  [place('plutil() { return 1; };', '%% *'), 'not placed, its'],
  [place('cp() { : >"$2"; };', '%% *'), 'not placed, its'],
  [`${place('mkdir g; printf old >g/guard.sh; printf r >g/guard.plist;')}; cat "$GUARD_RECORD"`, 'placed:a\nr'],
  [`${place("mkdir g; printf r >g/guard.plist; ls() { [ -e g/guard.plist ] && echo 'x allow y' || echo x; };")}; [ -e "$GUARD_RECORD" ] || printf anew`, 'placed:a\nanew'],
  [`${place('mkdir x; ln -s x g; ')}; [ -L g ] || printf anew`, 'placed:a\nanew'],
  [`${place('mkdir j; mkdir g; mkdir g/guard.sh;')}; [ -f j ] && printf file`, 'placed:a\nfile'],
  [`${place('ln -s x j;')}; [ -L j ] || printf file`, 'placed:a\nfile'],
  [inFolder('print_job | tail -8 | cut -c 1-60'), `    <array>\n${['', '/Escrow Buddy.bundle', '/Escrow Buddy.bundle/Contents', '/Escrow Buddy.bundle/Contents/MacOS'].map((rest) => `        <string>/Library/Security/SecurityAgentPlugins${rest}</string>`.slice(0, 60)).join('\n')}\n    </array>\n</dict>\n</plist>\n`],
]; // biome-ignore format: a table

describe.each<[string, readonly Case[]]>([
  ['arguments', ARGUMENTS],
  ['files of the guard', PLACES],
  ['files of the bundle', BUNDLE_FILES],
  ['looks of the guard', LOOKS],
  ['the record of the guard', RECORDS],
  ['the job of the guard', JOBS],
  ['registering, unregistering, uninstalling', STEPS],
  ['users, and what status prints', STATUS],
])('%s', (_, cases) => testCases(FILES, STUBS, cases));
