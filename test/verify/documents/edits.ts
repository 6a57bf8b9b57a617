import { SAMPLE_INFO_PLIST } from '../../code-signature/sample.ts';

/** Kinds of documents in a package. */
export type DocumentKind = 'Distribution' | 'PackageInfo' | 'Info.plist';

type Random = () => number;
type Edit = (text: string, random: Random) => string | Buffer;

const DOCUMENTS: Readonly<Record<DocumentKind, readonly string[]>> = {
  Distribution: [
    '<?xml version="1.0" encoding="utf-8"?>\n<installer-gui-script minSpecVersion="2">\n    <pkg-ref id="com.example.a">\n' +
      '        <bundle-version/>\n    </pkg-ref>\n    <product id="com.example.a" version="1.0"/>\n    <title>Tool &amp; Co</title>\n' +
      '    <options customize="never" hostArchitectures="arm64,x86_64"/>\n    <volume-check>\n        <allowed-os-versions>\n' +
      '            <os-version min="10.14.4"/>\n        </allowed-os-versions>\n    </volume-check>\n    <choices-outline>\n' +
      '        <line choice="default"/>\n    </choices-outline>\n    <choice id="default" visible="false">\n' +
      '        <pkg-ref id="com.example.a"/>\n    </choice>\n' +
      '    <pkg-ref id="com.example.a" version="1.0" installKBytes="4" auth="root">#com.example.a.pkg</pkg-ref>\n</installer-gui-script>',
    '<installer-script minSpecVersion="1.000000">\n<title>Caf\u00e9</title>\n<script>\nfunction f() { return 1 &lt; 2; }\n</script>\n' +
      '<installation-check script="f()"/>\n<pkg-ref id="a" version="1">file:./a.pkg</pkg-ref>\n</installer-script>\n',
  ],
  PackageInfo: [
    '<?xml version="1.0" encoding="utf-8"?>\n<pkg-info overwrite-permissions="true" relocatable="false" identifier="com.example.a" ' +
      'postinstall-action="none" version="1.0" format-version="2" install-location="/Library" auth="root">\n' +
      '    <payload numberOfFiles="4" installKBytes="8"/>\n    <bundle path="./A.bundle" id="com.example.b" CFBundleVersion="1"/>\n' +
      '    <upgrade-bundle>\n        <bundle id="com.example.b"/>\n    </upgrade-bundle>\n    <relocate/>\n    <scripts>\n' +
      '        <preinstall file="./preinstall"/>\n        <postinstall file="./postinstall" timeout="600"/>\n    </scripts>\n</pkg-info>',
  ],
  'Info.plist': [
    SAMPLE_INFO_PLIST.toString(),
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">\n' +
      '<plist version="1.0">\n<dict>\n\t<key>CFBundleExecutable</key>\n\t<string>tool</string>\n\t<key>LSMinimumSystemVersion</key>\n' +
      '\t<string>11.0</string>\n\t<key>numbers</key>\n\t<array>\n\t\t<integer>42</integer>\n\t\t<integer>-7</integer>\n\t\t<real>1.5</real>\n' +
      '\t\t<true/>\n\t\t<false/>\n\t\t<date>2024-02-29T12:00:00Z</date>\n\t\t<data>\n\t\taGVsbG8=\n\t\t</data>\n\t</array>\n' +
      '\t<key>empty</key>\n\t<dict/>\n\t<key>text</key>\n\t<string> a &amp; b\n c </string>\n</dict>\n</plist>\n',
  ],
};

const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

/** Returns the places where a pattern matches, as ranges. */
function places(text: string, pattern: RegExp): { start: number; end: number }[] {
  return [...text.matchAll(pattern)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
}

/** Puts text inside of one of the places a pattern finds. */
function insert(text: string, random: Random, pattern: RegExp, what: string): string {
  const found = places(text, pattern);
  if (found.length === 0) return text + what;
  const { start, end } = pick(random, found);
  const at = start + Math.floor(random() * (end - start + 1));
  return text.slice(0, at) + what + text.slice(at);
}

const TEXT = /(?<=>)[^<>]+(?=<\/)/g;
const VALUE = /(?<==")[^"<>]*(?=")/g;
const BETWEEN = /(?<=>)\s*(?=<)/g;
const TAG = /<[a-z][^<>]*(?=\/?>)/g;
const END = /$/g;

const inserted =
  (pattern: RegExp, pieces: readonly string[]): Edit =>
  (text, random) =>
    insert(text, random, pattern, pick(random, pieces));

/** A piece of text, in something that one reader takes for text and another does not. */
const wrapped =
  (before: string, after: string): Edit =>
  (text, random) => {
    const found = places(text, TEXT);
    if (found.length === 0) return text;
    const { start, end } = pick(random, found);
    const from = start + Math.floor(random() * (end - start));
    const to = from + Math.floor(random() * (end - from + 1));
    return text.slice(0, from) + before + text.slice(from, to) + after + text.slice(to);
  };

const declared = (text: string, encoding: string) =>
  text.startsWith('<?xml')
    ? text.replace(/encoding="[^"]*"/, `encoding="${encoding}"`)
    : `<?xml version="1.0" encoding="${encoding}"?>${text}`;

const utf16 = (text: string, order: 'le' | 'be', mark: boolean) => {
  const data = Buffer.from(`${mark ? '\ufeff' : ''}${text}`, 'utf16le');
  return order === 'le' ? data : data.swap16();
};

const PIECES = ['<!-- x -->', '<?x y?>', '<![CDATA[x]]>', '<x/>', '<x>y</x>', '&#97;', '&#x61;', '&amp;', '&lt;'];
const STRANGE = [
  '\u0000',
  '\u0001',
  '\u0008',
  '\u000b',
  '\u007f',
  '\u0085',
  '\u00a0',
  '\u2028',
  '\ufeff',
  '\ufffe',
  '\u202e',
];
const BLANKS = [' ', '\n', '\t', '\r', '\r\n', '&#10;', '&#13;', '&#9;', '&#32;', '\u00a0'];
const ENTITIES = [
  '&x;',
  '&nbsp;',
  '&#0;',
  '&#xD800;',
  '&#1;',
  '&#x110000;',
  '&',
  '&amp',
  '&#;',
  '&apos;',
  '&#x41;',
  '&AMP;',
];
const DOCTYPES = [
  '<!DOCTYPE x>',
  '<!DOCTYPE plist SYSTEM "x.dtd">',
  '<!DOCTYPE x [<!ENTITY x "y">]>',
  '<!DOCTYPE x [<!ATTLIST pkg-ref auth CDATA "none">]>',
  '<!DOCTYPE x [<!ELEMENT x ANY>]>',
  '<!DOCTYPE x PUBLIC "a" "b"><!-- -->',
];
const NUMBERS = [
  '0x10',
  '+5',
  ' 5 ',
  '1_0',
  '05',
  '5.0',
  '-0',
  '\u0665',
  '1e3',
  'nan',
  'infinity',
  '99999999999999999999',
  '',
];
const DATES = [
  '2023-02-30T00:00:00Z',
  '2024-02-29T24:00:00Z',
  '2024-02-29T12:00:60Z',
  '2024-2-9T1:2:3Z',
  '2024-02-29',
  '0000-01-01T00:00:00Z',
];
const DATA = ['aGVsbG8', 'aGVs!bG8=', 'aGVsbG8=aGVsbG8=', 'aGVs bG8=', 'aGVsbG9=', '====', ''];

const replaced =
  (element: string, values: readonly string[]): Edit =>
  (text, random) =>
    text.replace(new RegExp(`<${element}>[^<]*</${element}>`), `<${element}>${pick(random, values)}</${element}>`);

/** Edits that know what a document is made of. */
const EDITS: readonly Edit[] = [
  inserted(TEXT, PIECES),
  inserted(VALUE, PIECES),
  inserted(BETWEEN, PIECES),
  inserted(BETWEEN, ['x', '&#32;', ']]>', '<![CDATA[ ]]>', '<title>Other</title>', '<key>x</key>', '<string/>']),
  inserted(TEXT, STRANGE),
  inserted(VALUE, STRANGE),
  inserted(TEXT, BLANKS),
  inserted(VALUE, BLANKS),
  inserted(TEXT, ENTITIES),
  inserted(VALUE, ENTITIES),
  inserted(TAG, [
    ' id="x"',
    ' x="y"',
    ' x=y',
    ' x',
    ' xmlns="u"',
    ' xmlns:x="u"',
    ' x:y="z"',
    ' xml:space="preserve"',
    '\n',
    '\u00a0',
  ]),
  inserted(END, ['<x/>', '<!-- x -->', '<?x y?>', '\n', 'x', '\u0000', '<![CDATA[x]]>', '&#32;']),
  wrapped('<![CDATA[', ']]>'),
  wrapped('<!--', '-->'),
  wrapped('<x>', '</x>'),
  wrapped('<x:y xmlns:x="u">', '</x:y>'),
  replaced('integer', NUMBERS),
  replaced('real', NUMBERS),
  replaced('date', DATES),
  replaced('data', DATA),
  (text, random) =>
    text.replace(/<(title|string)>/, `<$1>${pick(random, ['e\u0301', '\u00e9', '\ud83d\ude00', ' ', '\t'])}`),
  (text) => text.replace(/ (id|version|path|file)="[^"]*"/, '$& $1="other"'),
  (text) => text.replace(/ id="/, ' ID="x" id="'),
  (text) => text.replace(/="([^"]*)"/, "='$1'"),
  (text, random) => text.replace(/\?>\n?/, `?>${pick(random, DOCTYPES)}`),
  (text, random) => pick(random, DOCTYPES) + text.replace(/^<\?xml[^>]*\?>\n?/, ''),
  (text) => text.replace(/<!DOCTYPE[^>]*>/, ''),
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.replaceAll('\n', '\r'),
  (text) => `\ufeff${text}`,
  (text) => `\n${text}`,
  (text) => `${text}${text.replace(/^<\?xml[^>]*\?>\n?/, '')}`,
  (text) => text.replace(/<(\/?)(title|string|payload|key)/g, '<$1x:$2'),
  (text, random) =>
    text.replace(/<(title|string|payload|key)/, (found) =>
      random() < 0.5 ? found.toUpperCase() : `< ${found.slice(1)}`,
    ),
  (text, random) => Buffer.from(declared(text, pick(random, ['iso-8859-1', 'ISO-8859-1', 'windows-1252'])), 'latin1'),
  (text, random) => declared(text, pick(random, ['latin1', 'utf-16', 'us-ascii', 'utf8', 'UTF-7', 'x', 'UTF-8 ', ''])),
  (text, random) => utf16(declared(text, 'UTF-16'), pick(random, ['le', 'be']), random() < 0.7),
  (text, random) =>
    text.replace('version="1.0"', pick(random, ['version="1.1"', 'version="2.0"', 'version="1.0" standalone="yes"'])),
];

/** Edits of bytes, which know nothing. */
function byteEdit(data: Buffer, random: Random): Buffer {
  const at = Math.floor(random() * data.length);
  const byte =
    random() < 0.5 ? pick(random, [...'<>&"\'/=!?-[]; \n\0\x80\xff\xc3']).charCodeAt(0) : Math.floor(random() * 256);
  const kind = random();
  const behind = kind < 0.3 ? data.subarray(at) : data.subarray(at + 1 + (kind > 0.9 ? Math.floor(random() * 20) : 0));
  return Buffer.concat([data.subarray(0, at), kind > 0.7 ? Buffer.alloc(0) : Buffer.from([byte]), behind]);
}

/** Returns a document with one to three edits; one seed makes the same each time. */
export function editedDocument(kind: DocumentKind, random: Random): Buffer {
  let data = Buffer.from(pick(random, DOCUMENTS[kind]));
  const count = 1 + Math.floor(random() ** 2 * 3);
  for (let done = 0; done < count; done++) {
    data = Buffer.from(random() < 0.2 ? byteEdit(data, random) : pick(random, EDITS)(data.toString(), random));
  }
  return data;
}
