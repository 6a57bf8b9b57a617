import { describe } from 'vitest';
import { type Case, testCases } from './in-shell.ts';

const FILES = [
  'characters', 'report', 'json', 'property-list', 'right-plan', 'right-read', 'right-change', 'settings', 'status-facts', 'version', 'guard-record',
]; // biome-ignore format: a list
const M = 'Escrow Buddy:Invoke,privileged';
const [AUTH, DONE] = ['builtin:authenticate,privileged', 'loginwindow:done'];
const list = (...items: readonly string[]) => items.map((item) => `${item}<`).join('');
const right = (...items: readonly string[]) => `RIGHT_LIST='${list(...items)}'; RIGHT_SHAPE=list;`;
const plan = (task: string, items: readonly string[], more = '') =>
  `${right(...items)} ${more} if plan_right ${task}; then printf '%s' "$PLANNED"; else printf '%s' "no: $RIGHT_PROBLEM"; fi`;
const yes = (code: string) => `if ${code}; then printf yes; else printf no; fi`;
const all = (name: string, expected: Readonly<Record<string, readonly string[]>>): Case[] =>
  Object.entries(expected).flatMap(([answer, values]) =>
    values.map((value): Case => [yes(`${name} ${value}`), answer]),
  );

const VERSIONS: readonly Case[] = [
  ...all('version_is_clean', {
    yes: ['26', '26.2', '10.14.4', '0', '26.10.11'],
    no: ["''", '.1', '26.', '26..1', '26a', '26.2.3.4', '26-1', '" 26"'],
  }),
  ...all('version_at_most', {
    yes: ['26 26', '26.2 26', '26.9.9 26', '26.2 26.2', '26.2.9 26.2', '26.1 26.2', '9 10', '9.9 26', '26 26.0', '26 26.1', '26.1 26.1.1', '26.2 26.10', '10.15.7 26.2', '25.9 26.0.1', '26.1.9 26.2.1'],
    no: ['27 26', '26.3 26.2', '26.2.1 26.2.0', '10 9', '26.10 26.2', '26.0.1 26.0.0'],
  }),
]; // biome-ignore format: a table

const boolean = (text: string) => `if read_boolean '${text}'; then printf '%s' "$BOOLEAN"; else printf neither; fi`;
const BOOLEANS: readonly Case[] = Object.entries({
  0: ['1', 'true', 'TRUE', 'Yes', 'y', 'ON', 'oN', ' 1', '1 ', '\t1\t', '2', '10', '-1', '0.5', '100', '.1'],
  1: ['0', 'false', 'FALSE', 'No', 'n', 'OFF', 'oFf', '0.0', '00', '-0', ' 0 '],
  neither: ['', ' ', 'tru', 'truex', 'yess', 'onn', '1-1', '1.1.1', '-', '.', '1a', 'o'],
}).flatMap(([answer, texts]) => texts.map((one): Case => [boolean(one), answer]));

const measured = (...items: readonly string[]) =>
  `${right(...items)} measure_right; printf '%s' "$OURS $OURS_AT $ANCHOR_AT $AUTHENTICATE_AT $NAMED $NAMED_OTHER"`;
const healthy = (...items: readonly string[]) => yes(`${right(...items)} measure_right; right_is_healthy`);
const PLANS: readonly Case[] = [
  [measured(AUTH, M, DONE), '1 1 2 0 1 '],
  [measured(M, DONE, M, AUTH, DONE, AUTH), '2 0 1 3 2 '],
  [measured('a:b'), '0 -1 -1 -1 0 '],
  [measured(DONE, DONE, 'a:b'), '0 -1 0 -1 0 '],
  [measured(AUTH, 'a:b', AUTH), '0 -1 -1 0 0 '],
  [measured('escrow buddy:x', 'ESCROW BUDDY:y', M), '1 2 -1 -1 3 escrow buddy:x'],
  [healthy(AUTH, M, DONE), 'yes'],
  [healthy(AUTH, M, 'a:b', DONE), 'yes'],
  [healthy(M, DONE), 'yes'],
  [healthy(AUTH, DONE, M), 'no'],
  [healthy(M, AUTH, DONE), 'no'],
  [healthy(M, DONE, AUTH), 'yes'],
  [healthy(AUTH, M, M, DONE), 'no'],
  [healthy(AUTH, DONE), 'no'],
  [healthy(AUTH, M), 'no'],
  [plan('register', [AUTH, 'a:b', DONE]), list(AUTH, 'a:b', M, DONE)],
  [plan('register', [M, AUTH, 'a:b', M, DONE]), list(AUTH, 'a:b', M, DONE)],
  [plan('register', [AUTH, M, 'a:b', DONE]), list(AUTH, 'a:b', M, DONE)],
  [plan('register', [AUTH, DONE, DONE]), list(AUTH, M, DONE, DONE)],
  [plan('register', [AUTH]), 'no: anchor-absent'],
  [plan('heal', [AUTH]), 'no: anchor-absent'],
  [plan('register', [], 'RIGHT_SHAPE=none;'), 'no: no-mechanisms'],
  [plan('heal', [], 'RIGHT_SHAPE=none;'), 'no: no-mechanisms'],
  [plan('heal', [AUTH, M, 'a:b', DONE]), list(AUTH, M, 'a:b', DONE)],
  [plan('heal', [AUTH, DONE, M]), list(AUTH, M, DONE)],
  [plan('unregister', [AUTH, M, 'escrow buddy:x', M, DONE]), list(AUTH, 'escrow buddy:x', DONE)],
  [plan('unregister', [AUTH]), list(AUTH)],
  [plan('unregister', [], 'RIGHT_SHAPE=none;'), ''],
  [plan('unlock', [AUTH, M, 'escrow buddy:x', 'Escrow Buddyx:y', DONE]), list(AUTH, 'Escrow Buddyx:y', DONE)],
  ...all('names_our_bundle', {
    yes: [`'${M}'`, "'escrow buddy:x'", "':,Escrow Buddy:x'", "'/a/b/Escrow Buddy:x'", "'Escrow Buddy,x'", "'Escrow Buddy'"],
    no: ["'Escrow Buddyx:y'", "'xEscrow Buddy:y'", "'Escrow Buddy/x:y'", "'x:Escrow Buddy'", "''", "'Escrow_Buddy:x'"],
  }),
  ...Object.entries({
    'a:b': 'a:b<', 'a:b,privileged': 'a:b,privileged<', 'a:b,PRIVILEGED': 'a:b,privileged<', 'a:b,other': 'a:b<',
    'a::b': 'a:b<', ',a:b': 'a:b<', 'a:b:privileged': 'a:b,privileged<', 'a:b,privileged,x': 'a:b,privileged<', plain: '', 'a:': 'a:<',
  }).map(([entry, stored]): Case => [`authd_list '${entry}<'; printf '%s' "$STORED"`, stored]),
  [`authd_list '${list('a:b', 'plain', 'c:d')}'; printf '%s' "$STORED"`, list('a:b', 'c:d')],
  [`show_entry 'a b~'; printf '%s' "$SHOWN"`, 'a b~'],
  [`show_entry "$(printf 'a\\tb')"; printf '%s' "$SHOWN"`, '(an entry with unusual characters)'],
]; // biome-ignore format: a table

const document = (body: string, shown = '$DOC_ROOT|$DOC_CLASS|$DOC_SHAPE|$DOC_LIST|$DOC_KEYS') =>
  `read_document '<?xml?><plist version="1.0">${body}</plist>'; printf '%s' "${shown}"`;
const dict = (body: string) => `<dict>${body}</dict>`;
const mechanisms = (items: string) => dict(`<key>mechanisms</key>${items}`);
const DOCUMENTS: readonly Case[] = [
  [document(dict('<key>class</key><string>c</string>')), 'dict|<string>c</string>|none||<<class><string>c</string>'],
  [document(mechanisms('<array><string>a:b</string><string>c</string></array>')), 'dict||list|a:b<c<|'],
  [document(mechanisms('<array/>')), 'dict||list||'],
  [document(mechanisms('<array><string/></array>')), 'dict||list|<|'],
  [document(mechanisms('<string>x</string>')), 'dict||not-a-list||'],
  [document(mechanisms('<dict><key>a</key><string>x</string></dict>')).replace('|$DOC_LIST', ''), 'dict||not-a-list|'],
  [document(mechanisms('<array><integer>1</integer></array>')), 'dict||not-text||'],
  [document(mechanisms('<array><string>a</string></array><key>x</key><array><integer>1</integer></array>')).replace('|$DOC_KEYS', ''), 'dict||list|a<'],
  [document(dict('<key>modified</key><real>1</real><key>created</key><real>2</real>')), 'dict||none||<<created><real>2</real>'],
  [document(dict('<key>a</key><dict><key>class</key><string>x</string></dict>')), 'dict||none||<<a><dict><key>class</key><string>x</string></dict>'],
  [document('\n<dict>\n<key>a</key>\n<string>x</string>\n<key>b</key>\n<true/>\n<key>c</key>\n<dict>\n<key>d</key>\n<array>\n<integer>1</integer>\n</array>\n<key>e</key>\n<array/>\n</dict>\n</dict>\n'), 'dict||none||<<a><string>x</string><<b><true/><<c><dict><key>d</key><array><integer>1</integer></array><key>e</key><array/></dict>'],
  [document('<array><string>x</string></array>'), 'array||none||'],
  [document('<string>x</string>'), 'string||none||'],
  [`read_document '<plist><dict><key>a</key>'; printf '%s' "$DOC_ROOT"`, ''],
  [`read_document '<plist><dict></plist>'; printf '%s' "$DOC_ROOT"`, ''],
  [`read_document 'dict'; printf '%s' "$DOC_ROOT"`, ''],
  ...["'dict'", "'<plist'", "'<plist>'", "'<plist><dict>'", "'<plist></plist>'", "'<plist><dict></dict></plist>'"].map((text): Case => [yes(`read_document ${text}`), 'yes']),
  [document(`<dict><key>mechanisms</key><array>\n<string>a</string>\n</array></dict>`, '[$DOC_HEAD][$DOC_TAIL]'), '[<?xml?><plist version="1.0"><dict><key>mechanisms</key><array>][</array></dict></plist>]'],
  ...Object.entries({ 'aXbXc X': 3, '': 0, abc: 0, XX: 2 }).map(([text, count]): Case => [`count_text '${text}' X; printf '%s' "$COUNTED"`, String(count)]),
  [yes('count_text abc X'), 'yes'],
  ...all('keys_that_stay', {
    yes: [
      "'' ''", "'<<comment><string>a</string>' '<<comment><string>a</string>'", "'<<unknown><string>a</string>' ''",
      "'<<comment><integer>1</integer>' ''", "'<<shared><true/>' '<<class><x/><<shared><true/>'", "'<<version><string>1</string>' ''",
    ],
    no: [
      "'<<class><string>a</string>' ''", "'<<comment><string>a</string>' '<<comment><string>b</string>'", "'<<version><integer>1</integer>' ''",
      "'<<tries><integer>1</integer>' ''", "'<<shared><false/>' '<<shared><true/>'", "'<<extract-password><true/>' ''", "'<<created><real>1</real>' ''",
      "'<<unknown><x/><<shared><true/>' ''", "'<<identifier><string>a</string>' ''", "'<<requirement><string>a</string>' ''", "'<<entitled><true/>' ''",
      "'<<require-apple-signed><true/>' ''", "'<<default-prompt><dict>' ''", "'<<default-button><dict>' ''", "'<<comment><string>a' '<<comment><string>ab'",
    ],
  }),
  ...all('text_is_whole_xml', {
    yes: [`'<?xml version="1.0"?><plist></plist>'`, "'<plist></plist>'", `"<plist></plist>$NEWLINE$RETURN "`, `"$BYTE_ORDER_MARK<plist></plist>"`],
    no: ["'{}'", "'<plist>'", "'<plist></plist>x'", "'<plist></plist><plist></plist>'", "'<plist><!ENTITY a></plist>'", "'x<plist></plist>'", "''"],
  }),
  [`text_is_whole_xml '<plist><key>a</key><key>b</key></plist>'; printf '%s' "$right_raw_keys"`, '2'],
]; // biome-ignore format: a table

const understood = (body: string, keys = -1) =>
  `right_raw_keys=${keys}; if understand_right '<plist>${body}</plist>'; then printf '%s' "$RIGHT_LIST"; else printf 'no: %s' "$RIGHT_PROBLEM"; fi`;
const CLASS = '<key>class</key><string>evaluate-mechanisms</string>';
const RIGHTS: readonly Case[] = [
  [understood(dict(`${CLASS}<key>mechanisms</key><array><string>a</string></array>`), 2), 'a<'],
  [understood(dict(`${CLASS}<key>mechanisms</key><array><string>a</string></array>`), 3), 'no: duplicate-key'],
  [understood(dict(CLASS), -1), ''],
  [understood(dict(CLASS), 0), 'no: duplicate-key'],
  [understood('<array/>'), 'no: not-a-dictionary'],
  [understood('<dict>'), 'no: unparsable'],
  [understood(dict('<key>class</key><string>user</string>')), 'no: class-differs'],
  [understood(dict(`${CLASS}<key>mechanisms</key><string>a</string>`)), 'no: mechanisms-not-an-array'],
  [understood(dict(`${CLASS}<key>mechanisms</key><array><true/></array>`)), 'no: element-not-a-string'],
]; // biome-ignore format: a table

const JSON_WORDS: readonly Case[] = [
  ['json_or_null ""', 'null'],
  ['json_or_null a', '"a"'],
  ...Object.entries({ 0: '0', 7: '7', '-7': '-7', '': 'null', '-': 'null', '07': 'null', 10: '10', '1a': 'null', '00': 'null', '1.5': 'null' }).map(([text, word]): Case => [`json_number '${text}'`, word]),
  [`json 'a"b\\c'`, '"a\\"b\\\\c"'],
  [`json 'a b~'`, '"a b~"'],
  [`json "$(printf 'a\\nb')"`, '"a b"'],
  ...Object.entries({
    '\\303\\251': '\\u00e9', '\\302\\200': '\\u0080', '\\337\\277': '\\u07ff', '\\340\\240\\200': '\\u0800', '\\357\\277\\277': '\\uffff',
    '\\360\\220\\200\\200': '\\ud800\\udc00', '\\360\\220\\217\\277': '\\ud800\\udfff', '\\360\\220\\220\\200': '\\ud801\\udc00', '\\364\\217\\277\\277': '\\udbff\\udfff', '\\355\\237\\277': '\\ud7ff', '\\356\\200\\200': '\\ue000',
    // What is no UTF-8: too long a form, half of a pair, beyond the last character, a byte alone, one that is cut off.
    '\\300\\200': '\\ufffd\\ufffd', '\\301\\277': '\\ufffd\\ufffd', '\\340\\237\\277': '\\ufffd', '\\360\\217\\277\\277': '\\ufffd',
    '\\355\\240\\200': '\\ufffd', '\\355\\277\\277': '\\ufffd', '\\364\\220\\200\\200': '\\ufffd', '\\365\\200': '\\ufffd\\ufffd', '\\200': '\\ufffd', '\\277': '\\ufffd',
    '\\303\\300': '\\ufffd\\ufffd', '\\303\\277': '\\u00ff', '\\303\\176': '\\ufffd\\u007e',
    '\\303': '\\ufffd', '\\303x': '\\ufffd\\u0078', '\\341\\200x': '\\ufffd\\u0078', '\\377': '\\ufffd',
  }).map(([bytes, word]): Case => [`json "$(printf '${bytes}')"`, `"${word}"`]),
  [`json "$(printf '\\177\\303\\251')"`, '"\\u0020\\u00e9"'],
  [`one_line "$(printf 'a\\t\\001b')"; printf '%s' "$FLAT"`, 'a  b'],
  [`escape 'a&b<c>d&&'; printf '%s' "$ESCAPED"`, 'a&amp;b&lt;c&gt;d&amp;&amp;'],
  [`print_entry A ''; print_entry B 'x<'`, '    <key>B</key>\n    <string>x&lt;</string>\n'],
]; // biome-ignore format: a table

describe.each<[string, readonly Case[]]>([
  ['versions', VERSIONS],
  ['booleans', BOOLEANS],
  ['plans for a list of mechanisms', PLANS],
  ['property lists', DOCUMENTS],
  ['the login right', RIGHTS],
  ['words of JSON and XML', JSON_WORDS],
])('%s', (_, cases) => testCases(FILES, '', cases));
