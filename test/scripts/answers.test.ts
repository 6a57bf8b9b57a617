import { describe } from 'vitest';
import { type Case, testCases } from './in-shell.ts';
import { PRODUCT } from './product.ts';

// What functions make of the answers of tools, and what they answer themselves.
const FILES = [
  'characters', 'report', 'property-list', 'right-plan', 'right-read', 'settings', 'status-facts', 'status-print', 'arguments',
]; // biome-ignore format: a list
const STUBS = `
TIME_UP=124
limited() { shift; "$@"; }
quietly() { shift; "$@" >/dev/null 2>&1; }
`;

const ARGUMENTS: readonly Case[] = [
  ['take_no_arguments U; printf %s $?', '0'],
  ['take_installer_arguments U; printf %s $?', '0'],
  ['take_installer_arguments U p /a /; printf %s $?', '0'],
];

/** @param before shell that answers as defaults does */
const setting = (before: string) =>
  `: >"$T/there.plist"; SETTING=''; ${before}; read_setting "$T/there" k; printf '%s' "$? $SETTING $SETTINGS_ANSWER"`;
const SETTINGS: readonly Case[] = [
  [setting('defaults() { [ "$2" = "$T/there" ] && printf %s "$1 $3"; }'), '0 read k yes'],
  [setting('defaults() { printf v; return 1; }'), '1 v yes'],
  [setting('defaults() { printf v; return 123; }'), '123 v yes'],
  [setting('defaults() { printf v; return 124; }'), '124 v no'],
  [setting('SETTINGS_ANSWER=no; defaults() { printf v; }'), '124  no'],
  [setting('rm "$T/there.plist"; defaults() { printf v; }'), '1  yes'],
];

const WHOLE =
  '<plist><dict><key>class</key><string>evaluate-mechanisms</string><key>mechanisms</key><array><string>a:b</string></array></dict></plist>';
/** @param plutil what it prints */
const right = (status: number, raw: string, plutil = 'cat') =>
  `security() { printf %s '${raw}'; return ${status}; }; plutil() { ${plutil}; }; RIGHT_RAW=''; read_right; printf '%s' "$? $RIGHT_PROBLEM $RIGHT_LIST"`;
const RIGHTS: readonly Case[] = [
  [right(0, WHOLE), '0  a:b<'],
  [right(0, 'bplist00'), '1 unparsable '],
  [right(0, 'bplist00', `printf %s '${WHOLE}'`), '0  a:b<'],
  [right(0, WHOLE, ':'), '1 unparsable '],
  [right(0, '{}'), '1 unparsable '],
  [right(0, ''), '1 empty '],
  [right(1, ''), '1 empty '],
  [right(1, WHOLE), '1 unparsable '],
  [right(124, WHOLE), '1 no-answer '],
];

const escrow = (status: number, answer: string, filevault = 0) =>
  `read_setting() { SETTING=s; return ${status}; }; SETTINGS_ANSWER=${answer}; fdesetup() { return ${filevault}; }; verdict() { printf '%s %s;' "$1" "$2"; }; no_settings() { printf 'no answer for %s;' "$1"; }; look_at_escrow; printf '%s' "$ESCROW,$FILEVAULT"`;
const ESCROW: readonly Case[] = [
  [escrow(0, 'yes'), 'escrow-profile 0;filevault 0;s,on'],
  [escrow(1, 'yes', 1), 'escrow-profile 1;filevault 1;,off'],
  [escrow(124, 'no'), 'no answer for escrow-profile;filevault 0;,on'],
];

const status = (state: number, more = '') =>
  `STATE=${state} PLACE=p FILEVAULT=on REQUEST=r GUARD=g INSTALLED='' ESCROW='' OUTCOME='' ROTATION='' ATTEMPT='' FAILURES='' FAILED_UID='' GUARD_RESULT='' GUARD_RUN='' GUARD_ACTION='' GUARD_ACTION_TIME=''; ${more} token_words() { printf t; }; print_checks() { printf '%s' "$1"; }; print_lines`;
const lines = (product: string, escrowed: string, outcome: string, rotation: string, guard: string) =>
  `product: ${PRODUCT.productName} ${product}
mechanism: p
escrow: ${escrowed}
filevault: on
secure-token: t
request: r
last-outcome: ${outcome}
last-rotation: ${rotation}
guard: ${guard}
print_check_line`;
const STATUS: readonly Case[] = [
  [status(0), lines('(not installed): healthy', 'no profile', 'none', 'none', 'g')],
  [status(1, 'INSTALLED=1 ESCROW=e OUTCOME=o ROTATION=n GUARD_RESULT=ok;'), lines('1: attention', 'e', 'o', 'n', 'g, ok')],
  [
    status(2, 'ATTEMPT=a FAILURES=2 FAILED_UID=501 GUARD_RESULT=ok GUARD_RUN=now GUARD_ACTION=healed GUARD_ACTION_TIME=then;'),
    lines('(not installed): broken', 'no profile', 'none, a, 2 failures in a row, last of user 501', 'none', 'g, ok now, last action: healed then'),
  ],
  ...Object.entries({ 0: 'ok', 1: 'attention', 2: 'broken', unknown: 'no result' }).map(([level, word]): Case => [`print_check_line c ${level} why`, `check c: ${word}, why\n`]),
]; // biome-ignore format: a table

describe.each<[string, readonly Case[]]>([
  ['how a script is called', ARGUMENTS],
  ['a setting', SETTINGS],
  ['the login right as it is read', RIGHTS],
  ['the profile for escrow', ESCROW],
  ['the lines of status', STATUS],
])('%s', (_, cases) => testCases(FILES, STUBS, cases));
