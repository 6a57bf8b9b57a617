import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { faultOf, readWhole, SECONDS, sealXar } from '../support/xar.ts';

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
const HEAP = Buffer.from('rsa.cms..alphagammaea.');

const data = (offset: number, text: string, element = 'data', rest = '') =>
  `<${element}><length>${text.length}</length><offset>${offset}</offset><size>${text.length}</size>` +
  `<encoding style="application/octet-stream"/><extracted-checksum style="sha1">${sha1(text)}</extracted-checksum>` +
  `<archived-checksum style="SHA1">${sha1(text).toUpperCase()}</archived-checksum>${rest}</${element}>`;

const keyInfo =
  '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>MAAw\nAA==</X509Certificate></X509Data></KeyInfo>';

/** A TOC with one of each thing that is looked at. */
const TOC = `<?xml version="1.0" encoding="UTF-8"?>
<xar>
 <toc>
  <creation-time>2023-11-14T22:13:20</creation-time>
  <checksum style="sha1"><offset>0</offset><size>20</size></checksum>
  <signature style="RSA"><offset>20</offset><size>4</size>${keyInfo}</signature>
  <x-signature style="CMS"><offset>24</offset><size>5</size>${keyInfo}</x-signature>
  <file id="1">${data(29, 'alpha')}<uid>501</uid><gid>20</gid><mode>0100644</mode><mtime>2023-11-14T22:13:20Z</mtime><type>file</type><name>alpha</name><name>alpha</name></file>
  <file id="2"><mode>0755</mode><type>directory</type><name>beta</name>
   <file id="3">${data(34, 'gamma')}${data(39, 'ea.', 'ea', '<name>com.example.ea</name>')}<type>file</type><name>gamma</name></file>
  </file>
  <file id="4"><link type="file">alpha</link><type>symlink</type><name>delta</name></file>
  <file id="5"><type>file</type><name>empty</name></file>
  <future-element>kept</future-element>
 </toc>
</xar>
`;

describe('XarToc', () => {
  it('is read with every member, signature and owner', async () => {
    const { archive, contents } = await readWhole(sealXar(TOC, HEAP));
    expect(archive.creationTime).toBe(SECONDS);
    expect(archive.members.map(({ id, path, kind }) => `${id} ${kind} ${path}`)).toEqual([
      '1 file alpha',
      '2 directory beta',
      '3 file beta/gamma',
      '4 symlink delta',
      '5 file empty',
    ]);
    expect(archive.members[0]).toMatchObject({ mode: 0o644, uid: 501, gid: 20, mtime: SECONDS, target: undefined });
    expect(archive.members[3]).toMatchObject({ target: 'alpha', data: undefined, mode: undefined });
    expect(archive.members[2]?.extendedAttributes).toMatchObject([{ name: 'com.example.ea', data: { offset: 39 } }]);
    expect(archive.signatures).toMatchObject([
      { element: 'signature', style: 'RSA', range: { offset: 20, size: 4 } },
      { element: 'x-signature', style: 'CMS', range: { offset: 24, size: 5 } },
    ]);
    expect(archive.signatures[0]?.certificates).toEqual([Buffer.from('30003000', 'hex')]);
    expect(archive.heapSize).toBe(42);
    expect(archive.trailing.size).toBe(0);
    expect([...contents].map(([path, content]) => `${path}: ${content}`)).toEqual([
      'alpha: alpha',
      'beta/gamma: gamma',
      'empty: ',
    ]);
  });

  /** What is wrong, what is replaced by what, the code, and the text at whose place the fault is found (default: the new text). */
  type Fault = readonly [string, string, string, string, string?];
  const offset29 = '<offset>29</offset>';
  const length = `<length>5</length>${offset29}`;
  const encodingOfAlpha = `<size>5</size><encoding style="application/octet-stream"/><extracted-checksum style="sha1">${sha1('alpha')}`;
  const extracted = `<extracted-checksum style="sha1">${sha1('alpha')}</extracted-checksum>`;
  const archived = `<archived-checksum style="SHA1">${sha1('alpha').toUpperCase()}</archived-checksum>`;
  const checksum = '<checksum style="sha1"><offset>0</offset><size>20</size></checksum>';
  const names = '<name>alpha</name><name>alpha</name>';
  const attributes = Array.from({ length: 1000 }, (_, index) => `a${index}=""`).join(' ');
  const faults: readonly Fault[] = [
    ['another root', '<xar>', '<tar>', 'XML_SYNTAX', ''],
    ['a root of another format', TOC, '<tar/>', 'XAR_TOC_ROOT', '<tar'],
    ['no toc', TOC, '<xar/>', 'XAR_ELEMENT_MISSING', '<xar'],
    ['two tocs', '</toc>', '</toc><toc></toc>', 'XAR_ELEMENT_REPEATED', '<toc></toc>'],
    ['no checksum', checksum, '', 'XAR_ELEMENT_MISSING', '<toc>'],
    ['two checksums', checksum, `${checksum} ${checksum}`, 'XAR_ELEMENT_REPEATED', ` ${checksum}`],
    ['a checksum without style', '<checksum style="sha1">', '<checksum>', 'XAR_CHECKSUM_STYLE'],
    ['a checksum of MD5 in 20 bytes', '<checksum style="sha1">', '<checksum style="md5">', 'XAR_CHECKSUM_SIZE'],
    [
      'a checksum named like a method',
      '<checksum style="sha1">',
      '<checksum style="constructor">',
      'XAR_CHECKSUM_STYLE',
    ],
    ['a checksum that is too short', '<size>20</size>', '<size>19</size>', 'XAR_CHECKSUM_SIZE', '<checksum'],
    [
      'another digest than the header',
      checksum,
      checksum.replace('sha1', 'sha256').replace('20', '32'),
      'XAR_RANGE_OVERLAP',
      '<signature',
    ],
    ['a checksum without offset', '<offset>0</offset>', '', 'XAR_ELEMENT_MISSING', '<checksum'],
    ['a checksum elsewhere', '<offset>0</offset>', '<offset>22</offset>', 'XAR_RANGE_OVERLAP', '<checksum'],
    ['a negative offset', offset29, '<offset>-1</offset>', 'XAR_NUMBER'],
    ['a signed offset', offset29, '<offset>+29</offset>', 'XAR_NUMBER'],
    ['an offset that is not a number', offset29, '<offset>abc</offset>', 'XAR_NUMBER'],
    ['a hexadecimal offset', offset29, '<offset>0x1d</offset>', 'XAR_NUMBER'],
    ['a fractional offset', offset29, '<offset>29.0</offset>', 'XAR_NUMBER'],
    ['an offset with an exponent', offset29, '<offset>29e0</offset>', 'XAR_NUMBER'],
    ['an offset with a blank', offset29, '<offset> 29</offset>', 'XAR_NUMBER'],
    ['an empty offset', offset29, '<offset></offset>', 'XAR_NUMBER'],
    ['an offset beyond 2^64', offset29, '<offset>18446744073709551645</offset>', 'XAR_NUMBER'],
    ['an offset behind the file', offset29, '<offset>999999999999999</offset>', 'XAR_RANGE_OUTSIDE', '<data>'],
    ['two offsets', offset29, `${offset29} ${offset29}`, 'XAR_ELEMENT_REPEATED', ` ${offset29}`],
    ['no offset', offset29, '', 'XAR_ELEMENT_MISSING', '<data>'],
    ['data over the signature', offset29, '<offset>28</offset>', 'XAR_RANGE_OVERLAP', '<data>'],
    ['data over other data', offset29, '<offset>34</offset>', 'XAR_RANGE_OVERLAP', '<data>'],
    ['a length behind the file', length, `<length>500</length>${offset29}`, 'XAR_RANGE_OUTSIDE', '<data>'],
    ['no length', length, offset29, 'XAR_ELEMENT_MISSING', '<data>'],
    ['a length that is not a number', length, `<length>five</length>${offset29}`, 'XAR_NUMBER'],
    ['no size', encodingOfAlpha, encodingOfAlpha.replace('<size>5</size>', ''), 'XAR_ELEMENT_MISSING', '<data>'],
    ['a size that is not a number', encodingOfAlpha, encodingOfAlpha.replace('5', '5x'), 'XAR_NUMBER'],
    ['no encoding', encodingOfAlpha, encodingOfAlpha.replace(/<encoding[^>]*>/, ''), 'XAR_ELEMENT_MISSING', '<data>'],
    [
      'an encoding without style',
      encodingOfAlpha,
      encodingOfAlpha.replace(/<encoding[^>]*>/, '<encoding/>'),
      'XAR_ENCODING_MISSING',
      '<data>',
    ],
    [
      'two digests of the decoded bytes that differ',
      extracted,
      `${extracted}<unarchived-checksum style="md5">${'0'.repeat(32)}</unarchived-checksum>`,
      'XAR_CHECKSUM_REPEATED',
      '<data>',
    ],
    [
      'a checksum of another length',
      extracted,
      '<extracted-checksum style="sha1">00</extracted-checksum>',
      'XAR_CHECKSUM_VALUE',
    ],
    ['a checksum that is not hex', extracted, extracted.replace('>be', '>xy'), 'XAR_CHECKSUM_VALUE'],
    ['a checksum in CRC-32', archived, archived.replace('SHA1', 'crc32'), 'XAR_CHECKSUM_STYLE'],
    ['two data elements', '<uid>501</uid>', data(29, 'alpha'), 'XAR_ELEMENT_REPEATED'],
    ['data in a folder', '<mode>0755</mode>', data(0, ''), 'XAR_DATA_UNEXPECTED'],
    ['data in a link', '<link type="file">alpha</link>', data(0, ''), 'XAR_DATA_UNEXPECTED'],
    ['a link without target', '<link type="file">alpha</link>', '', 'XAR_ELEMENT_MISSING', '<file id="4">'],
    ['a repeated id', '<file id="3">', '<file id="1" >', 'XAR_ID_REPEATED'],
    ['no id', '<file id="3">', '<file>', 'XAR_NUMBER'],
    ['a negative id', '<file id="3">', '<file id="-3">', 'XAR_NUMBER'],
    ['no name', names, '', 'XAR_ELEMENT_MISSING', '<file id="1">'],
    ['names that differ', names, '<name>alpha</name><name>beta</name>', 'XAR_NAMES_DIFFER', '<file id="1">'],
    [
      'a second name that leads out',
      names,
      '<name>alpha</name><name>../alpha</name>',
      'XAR_NAMES_DIFFER',
      '<file id="1">',
    ],
    ['a repeated name', names, '<name>delta</name>', 'XAR_NAME_REPEATED', '<file id="4">'],
    [
      'a name repeated in another normal form',
      TOC,
      TOC.replace(names, '<name>\u00e9</name>').replace('>delta<', '>e\u0301<'),
      'XAR_NAME_REPEATED',
      '<file id="4">',
    ],
    ['an empty name', names, '<name></name>', 'XAR_NAME'],
    ['a name of one dot', names, '<name>.</name>', 'XAR_NAME'],
    ['a name of two dots', names, '<name>..</name>', 'XAR_NAME'],
    ['an absolute name', names, '<name>/etc/passwd</name>', 'XAR_NAME'],
    ['a name that leads out', names, '<name>../alpha</name>', 'XAR_NAME'],
    ['a name of two parts', names, '<name>beta/gamma</name>', 'XAR_NAME'],
    ['a name in base64', names, '<name enctype="base64">Li4=</name>', 'XAR_NAME_ENCODING'],
    ['no type', '<type>directory</type>', '', 'XAR_ELEMENT_MISSING', '<file id="2">'],
    ['an unknown type', '<type>directory</type>', '<type>folder</type>', 'XAR_KIND', '<file id="2">'],
    ['a hard link', '<type>directory</type>', '<type link="1">hardlink</type>', 'XAR_KIND', '<file id="2">'],
    ['a device', '<type>directory</type>', '<type>block special</type>', 'XAR_KIND', '<file id="2">'],
    ['a pipe', '<type>directory</type>', '<type>fifo</type>', 'XAR_KIND', '<file id="2">'],
    ['a file inside a file', '<type>directory</type>', '<type>file</type>', 'XAR_FILE_INSIDE_FILE', '<file id="2">'],
    ['a mode that is not octal', '<mode>0755</mode>', '<mode>0785</mode>', 'XAR_MODE'],
    ['a mode in letters', '<mode>0755</mode>', '<mode>rwx</mode>', 'XAR_MODE'],
    ['an owner that is not a number', '<uid>501</uid>', '<uid>root</uid>', 'XAR_NUMBER'],
    ['a time that is none', '<mtime>2023-11-14T22:13:20Z', '<mtime>yesterday', 'XAR_TIME'],
    ['a month 13', '<mtime>2023-11', '<mtime>2023-13', 'XAR_TIME'],
    ['a creation time that is none', '<creation-time>2023', '<creation-time>x023', 'XAR_TIME'],
    ['a signature over the checksum', '<offset>20</offset>', '<offset>19</offset>', 'XAR_RANGE_OVERLAP', '<signature'],
    ['a signature behind the file', '<offset>24</offset>', '<offset>424</offset>', 'XAR_RANGE_OUTSIDE', '<x-signature'],
    ['a signature without style', '<signature style="RSA">', '<signature>', 'XAR_SIGNATURE_STYLE'],
    ['a signature without size', '<size>4</size>', '', 'XAR_ELEMENT_MISSING', '<signature'],
    [
      'two signatures of a kind',
      '<future-element>kept</future-element>',
      '<signature style="RSA"/>',
      'XAR_ELEMENT_REPEATED',
    ],
    ['a certificate that is not base64', 'MAAw\nAA==', 'MAAw!AA==', 'XAR_CERTIFICATE', '<X509Certificate>'],
    ['a certificate with bits left over', 'MAAw\nAA==', 'MAAw\nAB==', 'XAR_CERTIFICATE', '<X509Certificate>'],
    ['an empty certificate', 'MAAw\nAA==', '', 'XAR_CERTIFICATE', '<X509Certificate>'],
    ['an extended attribute without name', '<name>com.example.ea</name>', '', 'XAR_ELEMENT_MISSING', '<ea>'],
    ['an extended attribute over data', '<offset>39</offset>', '<offset>38</offset>', 'XAR_RANGE_OVERLAP', '<ea>'],
    ['a document type', '<xar>', '<!DOCTYPE xar><xar>', 'XML_DOCTYPE', ''],
    ['an entity', '>kept<', '>&kept;<', 'XML_SYNTAX', ''],
    ['too many elements inside each other', '>kept<', `>${'<a>'.repeat(70)}${'</a>'.repeat(70)}<`, 'XML_DEPTH', ''],
    ['a NUL', '>kept<', '>\u0000<', 'XML_SYNTAX', ''],
    ['a name split by a comment', names, '<name>del<!-- x -->ta</name>', 'XML_PLAIN', ''],
    ['a name split by a marked section', names, '<name>del<![CDATA[ta]]></name>', 'XML_PLAIN', ''],
    ['a name split by an instruction', names, '<name>del<?x?>ta</name>', 'XML_PLAIN', ''],
    ['a name split by an element', names, '<name>del<x/>ta</name>', 'XAR_TEXT', '<x/>'],
    ['a number split by an element', '<uid>501</uid>', '<uid>50<x/>1</uid>', 'XAR_TEXT', '<x/>'],
    ['a name by the number of a character', names, '<name>delt&#97;</name>', 'XAR_REFERENCE', ''],
    ['an element of another namespace', '>kept<', '><x:file xmlns:x="urn:x"/><', 'XML_NAMESPACE', ''],
    [
      'another namespace by default',
      '<type>directory</type>',
      '<type xmlns="urn:x">directory</type>',
      'XML_NAMESPACE',
      '',
    ],
    ['a second document', '</xar>', '</xar><xar/>', 'XML_SYNTAX', ''],
    ['attributes without end', '>kept<', `>${`<a ${attributes}/>`.repeat(210)}<`, 'XML_ATTRIBUTES', ''],
  ];

  it.each(faults)('refuses %s', async (_name, ...change) => {
    const [from, to, code, place] = change as [string, string, string, string?];
    expect(TOC.includes(from)).toBe(true);
    const xml = TOC.replace(from, () => to);
    const fault = await faultOf(() => readWhole(sealXar(xml, HEAP)));
    expect(fault).toMatchObject({ code, format: 'XarToc' });
    const found = Buffer.from(xml).toString('utf8', fault.offset);
    expect(
      found.slice(0, 80).startsWith((place ?? to).trimStart().slice(0, 80)),
      `found at: ${found.slice(0, 80)}`,
    ).toBe(true);
  });

  it('has at least 40 faults in its table, no two with the same change', () => {
    expect(faults.length).toBeGreaterThanOrEqual(40);
    expect(new Set(faults.map(([, from, to]) => `${from}→${to}`)).size).toBe(faults.length);
  });

  it('refuses a digest that is not the one the header names', async () => {
    const archive = sealXar(TOC, HEAP);
    archive.writeUInt32BE(3, 24);
    expect((await faultOf(() => readWhole(archive))).code).toBe('XAR_CHECKSUM_MISMATCH');
  });
});
