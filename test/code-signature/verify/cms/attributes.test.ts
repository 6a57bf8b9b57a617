import { describe, expect, it } from 'vitest';
import { integer, octetString, oid, sequence } from '../../../../src/pki/asn1/der.ts';
import { cmsAttribute } from '../../../../src/pki/cms/cms.ts';
import { digest, directory, EVERYBODY, made, said } from './made-cms.ts';

describe('the attributes that name code directories', () => {
  const [PLIST, RECORDS] = ['1.2.840.113635.100.9.1', '1.2.840.113635.100.9.2'];
  const OIDS: Readonly<Record<string, string>> = {
    sha1: '1.3.14.3.2.26',
    sha256: '2.16.840.1.101.3.4.2.1',
    sha384: '2.16.840.1.101.3.4.2.2',
  };
  const plist = (inside: string) =>
    cmsAttribute(PLIST, octetString(Buffer.from(`<plist version="1.0"><dict>${inside}</dict></plist>`)));
  const hashes = (...found: readonly Buffer[]) =>
    plist(
      `<key>cdhashes</key><array>${found.map((hash) => `<data>${hash.toString('base64')}</data>`).join('')}</array>`,
    );
  const record = (hash: string, found: Buffer, ...more: Buffer[]) =>
    sequence(oid(OIDS[hash] ?? hash), octetString(found), ...more);
  const ownHashes = hashes(digest('directory').subarray(0, 20));
  const ownRecords = cmsAttribute(RECORDS, record('sha256', digest('directory')));
  const expected = (what: string, found: string) => {
    const hex = digest('directory').toString('hex');
    return `fail: attribute ${what} names ${found}, expected ${what === '9.1' ? hex.slice(0, 40) : `sha256 ${hex}`}`;
  };

  it.each<[string, Buffer[], string, string]>([
    ['both', [ownHashes, ownRecords], 'pass', 'pass'],
    ['none', [], 'fail: no attribute 9.1; no attribute 9.2', 'skipped: an older signature without these attributes'],
    ['the first alone', [ownHashes], 'fail: no attribute 9.2', 'pass'],
    ['the second alone', [ownRecords], 'fail: no attribute 9.1', 'pass'],
    ['no hash in the first', [hashes(), ownRecords], expected('9.1', 'nothing'), expected('9.1', 'nothing')],
    ['no key in the first', [plist(''), ownRecords], expected('9.1', 'nothing'), expected('9.1', 'nothing')],
    [
      'a text in the first',
      [plist('<key>cdhashes</key><array><string>x</string></array>'), ownRecords],
      expected('9.1', '?'),
      expected('9.1', '?'),
    ],
    [
      'a whole hash in the first',
      [hashes(digest('directory')), ownRecords],
      expected('9.1', digest('directory').toString('hex')),
      expected('9.1', digest('directory').toString('hex')),
    ],
    [
      'one hash twice',
      [hashes(digest('directory').subarray(0, 20), digest('directory').subarray(0, 20)), ownRecords],
      expected(
        '9.1',
        Array(2)
          .fill(digest('directory').toString('hex', 0, 20))
          .join(', '),
      ),
      expected(
        '9.1',
        Array(2)
          .fill(digest('directory').toString('hex', 0, 20))
          .join(', '),
      ),
    ],
    [
      'three parts in the second',
      [ownHashes, cmsAttribute(RECORDS, record('sha256', digest('directory'), integer(1)))],
      expected('9.2', '?'),
      expected('9.2', '?'),
    ],
    [
      'one part in the second',
      [ownHashes, cmsAttribute(RECORDS, sequence(oid('1.2.3')))],
      expected('9.2', '?'),
      expected('9.2', '?'),
    ],
    [
      'an unknown digest',
      [ownHashes, cmsAttribute(RECORDS, record('1.2.3', Buffer.from([1])))],
      expected('9.2', 'undefined 01'),
      expected('9.2', 'undefined 01'),
    ],
    [
      'another digest',
      [ownHashes, cmsAttribute(RECORDS, record('sha1', digest('directory')))],
      expected('9.2', `sha1 ${digest('directory').toString('hex')}`),
      expected('9.2', `sha1 ${digest('directory').toString('hex')}`),
    ],
    [
      'two values in the first',
      [cmsAttribute(PLIST, octetString(Buffer.from('a')), octetString(Buffer.from('b')))],
      `fail: ${PLIST}, offset 0: expected one value, found 2`,
      `fail: ${PLIST}, offset 0: expected one value, found 2`,
    ],
    [
      'no value in the first',
      [cmsAttribute(PLIST)],
      `fail: ${PLIST}, offset 0: expected one value, found 0`,
      `fail: ${PLIST}, offset 0: expected one value, found 0`,
    ],
  ])('%s', async (_, attributes, exact, others) => {
    const cms = await made({ attributes });
    expect(EVERYBODY.map((who) => said('code-cdhash-attributes', cms, who))).toEqual([exact, others, others]);
  });

  it('name every one, in any order, each by its own digest', async () => {
    const directories = [directory('directory'), directory('one', 1), directory('four', 4)];
    const full = [digest('four', 'sha384'), digest('directory'), digest('one', 'sha1')];
    const attributes = [
      hashes(...full.map((hash) => hash.subarray(0, 20))),
      cmsAttribute(RECORDS, record('sha384', full[0]!), record('sha1', full[2]!), record('sha256', full[1]!)),
    ];
    expect(said('code-cdhash-attributes', await made({ attributes }), 'others', directories)).toBe('pass');
    expect(said('code-cdhash-attributes', await made({ attributes }), 'others', directories.slice(0, 2))).toMatch(
      /^fail: attribute 9.1 names .*attribute 9.2 names/,
    );
    expect(said('code-cdhash-attributes', await made(), 'others', directories)).toMatch(
      /^fail: attribute 9.1 names .*attribute 9.2 names/,
    );
  });
});
