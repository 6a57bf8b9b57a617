import { describe, expect, it } from 'vitest';
import { parseXarToc } from '../../src/xar/toc.ts';
import { parseXml } from '../../src/xml/xml.ts';
import { faultOf, readWhole, sealXar } from '../support/xar.ts';

const HEAP = Buffer.from('0123456789abcdef');
const MD5 = '0123456789abcdef'.repeat(2);
const SHA1 = '0123456789abcdef0123'.repeat(2);

/** A TOC with a digest of 20 bytes, in front of a heap of 16 bytes, and `rest`. */
const toc = (rest: string) =>
  `<xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>${rest}</toc></xar>`;
const open = async (rest: string) => (await readWhole(sealXar(toc(rest), HEAP))).archive;

let id = 0;
const member = (rest: string, name = `<name>m${id}</name>`) =>
  `<file id="${++id}"><type>file</type>${name}${rest}</file>`;
const folder = (name: string, rest: string) =>
  `<file id="${++id}"><type>directory</type><name>${name}</name>${rest}</file>`;
const piece = (offset: number, length: number, rest = '') =>
  `<data><offset>${offset}</offset><length>${length}</length><size>${length}</size><encoding style="application/octet-stream"/>${rest}</data>`;

describe('the name of a member', () => {
  it('is as long as its path has 1,024 bytes at most', async () => {
    const [fits, beyond] = [`${'é'.repeat(511)}`, `${'é'.repeat(511)}a`];
    const inside = (name: string) => folder('a', member('', `<name>${name}</name>`));
    expect((await open(inside(fits))).members.map(({ path }) => Buffer.byteLength(path))).toEqual([1, 1024]);
    const fault = await faultOf(() => open(inside(beyond)));
    expect(fault).toMatchObject({ code: 'SIZE_LIMIT', message: expect.stringContaining('1024 bytes of a path') });
    expect((await open(member('', `<name>${'a'.repeat(1024)}</name>`))).members).toHaveLength(1);
    await expect(open(member('', `<name>${'a'.repeat(1025)}</name>`))).rejects.toThrow('1024 bytes of a path');
  });

  it('may be that of a member in another folder', async () => {
    const { members } = await open(`${folder('a', folder('a', ''))}${folder('b', folder('a', ''))}`);
    expect(members.map(({ path }) => path)).toEqual(['a', 'a/a', 'b', 'b/a']);
  });

  it.each([
    ['<name enctype="base64">a</name><name>a</name>', '<name enctype'],
    ['<name>a</name><name enctype="base64">a</name>', '<name enctype'],
    ['<name>a</name><name>a</name><name enctype="">a</name>', '<name enctype'],
  ])('is text each time: %s', async (names, place) => {
    const text = toc(member('', names));
    const fault = await faultOf(() => readWhole(sealXar(text, HEAP)));
    expect(fault).toMatchObject({ code: 'XAR_NAME_ENCODING', offset: text.indexOf(place) });
    expect(fault.message).toContain(names.includes('""') ? 'found enctype' : 'found enctype base64');
  });
});

describe('the number of a member', () => {
  it.each([
    ['', '""'],
    ['id=""', '""'],
    ['id="1234567890123456"', '"1234567890123456"'],
  ])('is there and has 15 digits at most: %s', async (attribute, found) => {
    const fault = await faultOf(() => open(`<file ${attribute}><type>directory</type><name>a</name></file>`));
    expect(fault).toMatchObject({ code: 'XAR_NUMBER', message: expect.stringContaining(`found ${found}`) });
  });

  it('may have 15 digits', async () => {
    const { members } = await open('<file id="999999999999999"><type>directory</type><name>a</name></file>');
    expect(members[0]?.id).toBe(999_999_999_999_999);
  });
});

describe('the mode of a member', () => {
  it.each([
    ['0', 0],
    ['7777', 0o7777],
    ['0104755', 0o4755],
  ])('is octal, of it the permission bits: %s', async (text, expected) => {
    expect((await open(member(`<mode>${text}</mode>`))).members[0]?.mode).toBe(expected);
  });

  it.each(['', '00100644', '8', '-1', '644x'])('is refused: %j', async (text) => {
    expect((await faultOf(() => open(member(`<mode>${text}</mode>`)))).code).toBe('XAR_MODE');
  });
});

describe('the time of a member', () => {
  it.each(['1970-01-01T00:00:01', '1970-01-01T00:00:01Z'])('is in UTC: %s', async (text) => {
    expect((await open(member(`<mtime>${text}</mtime>`))).members[0]?.mtime).toBe(1);
  });

  it.each([
    '1970-01-01',
    '1970-01-01T00:00:01ZZ',
    ' 1970-01-01T00:00:01Z',
    '1970-01-01T00:00:01+01',
    '1970-01-32T00:00:01',
  ])('is refused: %s', async (text) => {
    expect((await faultOf(() => open(member(`<mtime>${text}</mtime>`)))).code).toBe('XAR_TIME');
  });
});

describe('the digest of the decoded bytes', () => {
  const digest = (name: string, style: string, value: string) => `<${name} style="${style}">${value}</${name}>`;
  const extracted = digest('extracted-checksum', 'sha1', SHA1);
  const read = (...digests: string[]) => {
    const xml = Buffer.from(toc(member(piece(20, 0, digests.join('')))));
    return parseXarToc(parseXml(xml, 'XarToc'), 36).members[0]?.data;
  };
  it('has either name, or both where they agree', () => {
    const expected = { style: 'sha1', value: SHA1 };
    const unarchived = digest('unarchived-checksum', 'SHA1', ` ${SHA1.toUpperCase()}\n`);
    for (const digests of [[extracted], [unarchived], [extracted, unarchived]])
      expect(read(...digests)).toMatchObject({ extractedChecksum: expected, archivedChecksum: undefined });
    expect(read(digest('archived-checksum', 'sha1', SHA1))).toMatchObject({
      extractedChecksum: undefined,
      archivedChecksum: expected,
    });
    expect(read()).toMatchObject({ extractedChecksum: undefined, archivedChecksum: undefined });
  });

  it.each([
    ['of another value', 'sha1', SHA1.replace('0', '1')],
    ['of another style', 'md5', MD5],
  ])('is refused where there is another %s', async (_, style, value) => {
    const fault = await faultOf(() => read(extracted, digest('unarchived-checksum', style, value)));
    expect(fault.code).toBe('XAR_CHECKSUM_REPEATED');
  });
});

describe('the certificates of a signature', () => {
  const certificate = (byte: number) =>
    `<X509Certificate>${Buffer.from([0x30, byte]).toString('base64')}</X509Certificate>`;
  const keyInfo = (...groups: string[]) =>
    `<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#">${groups.map((group) => `<X509Data>${group}</X509Data>`).join('')}</KeyInfo>`;
  const signed = (rest: string) => open(`<signature style="RSA"><offset>20</offset><size>4</size>${rest}</signature>`);
  const bytes = (count: number) => Array.from({ length: count }, (_, byte) => byte);

  it('come in the order of the TOC, from all its groups', async () => {
    const { signatures } = await signed(
      keyInfo(certificate(9) + certificate(1), certificate(5)) + keyInfo(certificate(3)),
    );
    expect(signatures[0]?.certificates.map((one) => one.toString('hex'))).toEqual(['3009', '3001', '3005', '3003']);
  });

  it('are 50 at most', async () => {
    const { signatures } = await signed(keyInfo(bytes(50).map(certificate).join('')));
    expect(signatures[0]?.certificates).toHaveLength(50);
    const [one, other] = [bytes(50).map(certificate).join(''), certificate(50)];
    const fault = await faultOf(() => signed(keyInfo(one, other)));
    expect(fault).toMatchObject({ code: 'SIZE_LIMIT', message: expect.stringContaining('50 certificates') });
  });
});

describe('a piece of the heap', () => {
  it('may end where the file ends, and lie right behind another', async () => {
    const { heapSize, trailing } = await open(member(piece(20, 6)) + member(piece(26, 10)));
    expect([heapSize, trailing.size]).toEqual([36, 0]);
    expect((await faultOf(() => open(member(piece(20, 6)) + member(piece(26, 11))))).code).toBe('XAR_RANGE_OUTSIDE');
    expect((await faultOf(() => open(member(piece(20, 6)) + member(piece(25, 10))))).code).toBe('XAR_RANGE_OVERLAP');
  });

  it('of no bytes may lie anywhere, and hides no overlap behind it', async () => {
    const [empty, whole] = [member(piece(22, 0)), member(piece(20, 6))];
    expect((await open(empty + whole)).heapSize).toBe(26);
    expect((await open(member(piece(0, 0)))).heapSize).toBe(20);
    expect((await open(member(piece(36, 0)))).heapSize).toBe(36);
    expect((await faultOf(() => open(member(piece(37, 0))))).code).toBe('XAR_RANGE_OUTSIDE');
    expect((await faultOf(() => open(empty + whole + member(piece(24, 4))))).code).toBe('XAR_RANGE_OVERLAP');
  });
});
