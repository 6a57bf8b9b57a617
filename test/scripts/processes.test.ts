import { describe } from 'vitest';
import { type Case, testCases } from './in-shell.ts';

// What has to do with processes: the lock and its signals, limits of time, what is said, and the surroundings of a script. Nothing
// waits here: sleep is a function that returns at once, or one that is killed.
const STUBS = `
logger() { printf 'log %s;' "$*"; }
id() { echo 0; }
quietly_asks() { quietly() { printf 'in %s: ' "$1"; shift; "$@"; }; }
`;
const is = (code: string) => `if ${code}; then printf yes; else printf no; fi`;
/** In a folder of its own. */
const inFolder = (code: string) => `mkdir "$T/$N" && cd "$T/$N" || exit; STATE_FOLDER=$T/$N LOCK=$T/$N/lock; ${code}`;

const SAYS: readonly Case[] = [
  ["quietly_asks; say 'a b'", 'Escrow Buddy: a b\nin 10: log -t com.netflix.Escrow-Buddy -p user.notice -- a b;'],
  ["quietly_asks; say ''", 'Escrow Buddy: (no message)\nin 10: log -t com.netflix.Escrow-Buddy -p user.notice -- (no message);'],
  [`quietly() { return 1; }; ${is('say x >/dev/null')}`, 'yes'],
  ["quietly() { :; }; (fail 'a b'; printf goes-on); printf '%s' $?", 'Escrow Buddy: a b\n1'],
  [`quietly() { :; }; (require_root; printf goes-on); printf '%s' $?`, 'goes-on0'],
  [`quietly() { :; }; id() { [ "$1" = -u ] && echo 501; }; (require_root; printf goes-on) >/dev/null; printf '%s' $?`, '1'],
  [`quietly() { :; }; id() { return 1; }; (require_root; printf goes-on) >/dev/null; printf '%s' $?`, '1'],
]; // biome-ignore format: a table

const surroundings = (before: string, after: string) =>
  `(${before} . ./scripts/lib/environment.sh; ${after}); printf ' %s' $?`;
const SURROUNDINGS: readonly Case[] = [
  [surroundings('', 'pwd'), '/\n 0'],
  [surroundings('cd() { return 1; };', 'printf goes-on'), ' 1'],
  [surroundings('PATH=/tmp:$PATH LC_ALL=C.UTF-8;', `sh -c 'printf "%s %s" "$PATH" "$LC_ALL"'`), '/usr/bin:/bin:/usr/sbin:/sbin C 0'],
  [surroundings('IFS=x ENV=a BASH_ENV=b CDPATH=c TMPDIR=d SYSTEM_VERSION_COMPAT=1;', `printf '[%s]' "\${IFS-unset}\${ENV-}\${BASH_ENV-}\${CDPATH-}\${TMPDIR-}\${SYSTEM_VERSION_COMPAT-}"`), '[unset] 0'],
  [surroundings('umask 0;', 'umask'), '0077\n 0'],
  [surroundings('set +u;', '(: "$not_set") 2>/dev/null; printf "%s" $?'), '2 0'],
  [surroundings('', `kill -PIPE "$(exec sh -c 'echo $PPID')"; printf goes-on`), 'goes-on 0'],
]; // biome-ignore format: a table

/** Ends the piece of shell that asks with a signal; `$$` would be the number of the shell around it. */
const signal = (name: string) =>
  `(catch_signals; release_lock() { printf 'released;'; }; kill -${name} "$(exec sh -c 'echo $PPID')"; printf 'goes on;'); printf '%s' $?`;
const take = (more: string) =>
  `catch_signals() { printf 'catch;'; }; state_folder_is_private() { return 0; }; wait_for_lock() { printf 'wait;'; LOCK_TOKEN=a; }; remove_leftovers() { printf 'leftovers;'; }; ${more} take_lock; printf '%s' "$NO_LOCK"`;
const folder = (owner: string, more = '') => inFolder(`stat() { ${owner}; }; ${more} ${is('state_folder_is_private')}`);
const LOCKS: readonly Case[] = [
  [signal('HUP'), 'released;129'],
  [signal('INT'), 'released;130'],
  [signal('TERM'), 'released;143'],
  [`(catch_signals; release_lock() { printf 'released;'; }; exit 3); printf '%s' $?`, 'released;3'],
  [take(''), 'catch;wait;leftovers;'],
  [take('wait_for_lock() { NO_LOCK=n; };'), 'catch;n'],
  [take('state_folder_is_private() { return 1; };'), 'catch;/private/var/db is not a folder that only root can write; repair its owner and mode'],
  ...['0 755', '0 700', '0 711', '0 745', '0 754', '0 050', '0 741'].map((owner): Case => [folder(`echo '${owner}'`), 'yes']),
  ...['501 755', '0 775', '0 757', '0 777', '0 1755', '0 726', '0 762', '0 735', '0 753', '', '00 755', '0 55'].map((owner): Case => [folder(`echo '${owner}'`), 'no']),
  [folder('return 1'), 'no'],
  [folder(`echo '0 755'`, 'mkdir x; ln -s x y; STATE_FOLDER=$STATE_FOLDER/y;'), 'no'],
  [folder(`echo '0 755'`, ': >x; STATE_FOLDER=$STATE_FOLDER/x;'), 'no'],
  [folder(`echo '0 755'`, 'STATE_FOLDER=$STATE_FOLDER/x;'), 'no'],
  [inFolder('ln -s a lock; ln -s a lock.1; : >lock.2; mkdir lock.3; remove_leftovers; ls'), 'lock\nlock.2\nlock.3\n'],
  [inFolder('ln -s a lock; LOCK_TOKEN=a; release_lock; ls; printf "[%s]" "$LOCK_TOKEN"'), '[]'],
  [inFolder('ln -s b lock; LOCK_TOKEN=a; release_lock; ls; printf "[%s]" "$LOCK_TOKEN"'), 'lock\n[a]'],
  [inFolder('ln -s a lock; rm() { :; }; LOCK_TOKEN=a; release_lock; printf "[%s]" "$LOCK_TOKEN"'), '[a]'],
  [inFolder('LOCK_TOKEN=a; release_lock; printf "[%s]" "$LOCK_TOKEN"'), '[]'],
  [inFolder(`ln -s a lock; LOCK_TOKEN=''; ${is('release_lock')}; ls`), 'yeslock\n'],
  [inFolder('date() { echo 7; }; wait_for_lock; [ "$(readlink lock)" = "$$.7" ] && [ "$LOCK_TOKEN" = "$$.7" ] && ls'), 'lock\n'],
  [inFolder('date() { echo 7; }; kill() { return 1; }; ln -s 77.1 lock; wait_for_lock; [ "$(readlink lock)" = "$$.7" ] && ls'), 'lock\n'],
  [inFolder('ln -s a lock; break_lock a; ls'), ''],
  [inFolder('ln -s b lock; break_lock a; ls; readlink lock'), 'lock\nb\n'],
  [inFolder(`ln -s b lock; ln() { return 1; }; ${is('break_lock a')}; ls`), 'yes'],
  [inFolder(is('break_lock a')), 'no'],
  // The newer one is not given back where somebody holds a lock by then.
  [inFolder(`ln -s b lock; readlink() { command readlink "$@"; command ln -s c lock; }; ${is('break_lock a')}; command readlink lock; ls`), 'yesc\nlock\n'],
]; // biome-ignore format: a table

/** The limit does not pass: its sleep ends when it is killed. */
const NEVER = 'sleep() { exec sleep 60; };';
/** It passes at once; the five seconds after it do not. */
const AT_ONCE = 'sleep() { [ "$1" = 9 ] || exec sleep 60; };';
const SPINS = `sh -c 'while :; do sleep 1; done'`;
/** Does not heed SIGALRM; until it does not, no second passes. */
const HEEDLESS = `sh -c 'trap "" ALRM; : >"$1"; while :; do sleep 1; done' x "$T/heedless"`;
const PASSES = 'sleep() { printf "%s;" "$1" >>"$T/slept"; until [ -e "$T/heedless" ]; do command sleep 0.01; done; };';
/** Tells that it sleeps, and that it was ended: whether a process is there says nothing, which may wait long for whoever counts the dead. */
const TELLS = `sleep() { trap ': >"$T/ended"; exit' TERM; : >"$T/sleeps"; i=0; until [ $i -gt 6000 ]; do i=$((i + 1)); command sleep 0.01; done; };`;
/** Waits a while until `code` succeeds, however busy the machine is. */
const until = (code: string) => `i=0; until ${code} || [ $i -gt 1000 ]; do i=$((i + 1)); command sleep 0.01; done`;
const LIMITS: readonly Case[] = [
  [`${NEVER} (limited 9 true); printf '%s' $?`, '0'],
  [`${NEVER} (limited 9 sh -c 'exit 7'); printf '%s' $?`, '7'],
  [`${NEVER} (limited 9 sh -c 'exit 124'); printf '%s' $?`, '124'],
  [`${NEVER} (limited 9 sh -c 'kill -KILL $$'); printf '%s' $?`, '137'],
  [`${NEVER} (limited 9 sh -c 'kill -ALRM $$'); printf '%s' $?`, '124'],
  [`${NEVER} printf 'a b' | (limited 9 cat)`, 'a b'],
  [`${NEVER} (limited 9 printf '%s,' 'a b' c)`, 'a b,c,'],
  [`${NEVER} (limited 9 sh -c 'true 2>/dev/null <&3 || printf closed')`, 'closed'],
  [`${AT_ONCE} (limited 9 ${SPINS}); printf '%s' $?`, '124'],
  [`rm -f "$T/heedless"; ${PASSES} (limited 9 ${HEEDLESS}); printf '%s ' $?; cat "$T/slept"`, '137 9;5;'],
  // What counts the seconds ends with the command, and so does the sleep that it started.
  [`${TELLS} wait() { [ -z "\${sleeper-}" ] || : >"$T/waits"; command wait "$@"; }; both() { ${until('[ -e "$T/waits" ] && [ -e "$T/sleeps" ]')}; }; (limited 9 both); ${until('[ -e "$T/ended" ]')}; ls "$T" | grep ended`, 'ended\n'],
  [`${NEVER} quietly 9 sh -c 'printf out; printf err >&2; cat; exit 3'; printf '%s' $?`, '3'],
  [`${AT_ONCE} quietly 9 ${SPINS}; printf '%s' $?`, '124'],
]; // biome-ignore format: a table

describe.each<[string, readonly string[], readonly Case[]]>([
  ['what is said', ['report'], SAYS],
  ['the surroundings', [], SURROUNDINGS],
  ['the lock', ['lock'], LOCKS],
  ['limits of time', ['time-limit'], LIMITS],
])('%s', (_, files, cases) => testCases(files, STUBS, cases));
