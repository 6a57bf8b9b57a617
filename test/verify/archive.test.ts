import { describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import { FormatError } from '../../src/base/errors.ts';
import { WorkBudget } from '../../src/base/input/limits.ts';
import { accessBuffer, type RandomAccess } from '../../src/base/random-access.ts';
import { checkArchive, checkGaps, checkMembers, checkNames } from '../../src/verify/archive.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import type { XarArchive } from '../../src/xar/read.ts';
import { emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { collect } from '../support/payload.ts';

const outcome = (list: CheckList) =>
  list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`);

type Range = readonly [offset: number, length: number];
const piece = ([offset, length]: Range) => ({ offset, length });
interface Made {
  readonly path: string;
  readonly data?: Range;
  readonly attributes?: readonly Range[];
}
const member = ({ path, data, attributes = [] }: Made) => ({
  path,
  kind: 'file',
  data: data && piece(data),
  extendedAttributes: attributes.map((one, index) => ({ name: `x${index}`, data: piece(one) })),
});

describe('checkArchive', () => {
  const reading = (error: Error) => {
    const list = new CheckList('package');
    const access = { size: 1000, read: () => Promise.reject(error) };
    return checkArchive(list, access as RandomAccess, new WorkBudget(1000)).then((archive) => [
      archive,
      ...outcome(list),
    ]);
  };

  it('passes both of what it reads', async () => {
    const data = await collect(emitXar(layoutXar([storedFile('a', Buffer.from('a'))], { creationTime: 0 })));
    const list = new CheckList('package');
    const archive = await checkArchive(list, accessBuffer(data), new WorkBudget(1000));
    expect([archive?.members.length, ...outcome(list)]).toEqual([1, 'xar-structure pass', 'toc-checksum pass']);
  });

  it('tells what the file is not, and lets a fault of ours through', async () => {
    const skipped = 'toc-checksum skipped: the archive cannot be read';
    const of = (code: string) => new FormatError(code, 'XarHeader', 0, 'words');
    expect(await reading(of('XAR_HEADER'))).toEqual([
      undefined,
      'xar-structure fail: XarHeader, offset 0: words',
      skipped,
    ]);
    expect(await reading(of('XAR_TOC_DIGEST'))).toEqual([
      undefined,
      'xar-structure pass',
      'toc-checksum fail: XarHeader, offset 0: words',
    ]);
    await expect(reading(new TypeError('ours'))).rejects.toThrow('ours');
  });
});

describe('checkGaps', () => {
  const check = (exact: boolean, members: readonly Made[], signatures: readonly Range[] = [[20, 10]], digest = 0) => {
    const list = new CheckList('package');
    const archive = {
      checksum: { range: { offset: digest, size: 20 } },
      signatures: signatures.map(([offset, size]) => ({ range: { offset, size } })),
      members: members.map(member),
    };
    checkGaps(list, archive as unknown as XarArchive, exact);
    return outcome(list);
  };

  it.each([1, 20, 21])('finds one of %i bytes in front of the digest', (size) => {
    const words = `fail: ${size} bytes from 0 of the heap on belong to nothing`;
    expect(check(true, [{ path: 'a', data: [size + 30, 5] }], [[size + 20, 10]], size)).toEqual([`heap-gaps ${words}`]);
    expect(check(true, [{ path: 'a', data: [0, size] }], [[size + 20, 10]], size)).toEqual(['heap-gaps pass']);
  });

  it('passes a heap without any, in whatever order its pieces are named', () => {
    expect(
      check(true, [
        { path: 'b', data: [40, 5] },
        { path: 'a', data: [30, 10] },
      ]),
    ).toEqual(['heap-gaps pass']);
    expect(
      check(true, [
        { path: 'a', data: [30, 10], attributes: [[40, 5]] },
        { path: 'b', data: [45, 1] },
      ]),
    ).toEqual(['heap-gaps pass']);
    expect(check(true, [{ path: 'folder' }])).toEqual(['heap-gaps pass']);
  });

  it('passes pieces that share bytes, also where the one within ends first', () => {
    expect(
      check(true, [
        { path: 'a', data: [30, 10] },
        { path: 'b', data: [32, 2] },
        { path: 'c', data: [40, 1] },
      ]),
    ).toEqual(['heap-gaps pass']);
  });

  it.each<[string, readonly Made[], readonly Range[], string]>([
    ['one byte', [{ path: 'a', data: [31, 10] }], [[20, 10]], '1 bytes from 30'],
    [
      'a gap behind the first member',
      [
        { path: 'a', data: [30, 1] },
        { path: 'b', data: [35, 1] },
      ],
      [[20, 10]],
      '4 bytes from 31',
    ],
    [
      'a gap behind an attribute',
      [
        { path: 'a', data: [30, 1], attributes: [[31, 2]] },
        { path: 'b', data: [34, 1] },
      ],
      [[20, 10]],
      '1 bytes from 33',
    ],
    ['a gap before the signature', [{ path: 'a', data: [32, 1] }], [[22, 10]], '2 bytes from 20'],
  ])('fails with %s in a package of ours, and notes it in one of others', (_, members, signatures, words) => {
    const reason = `${words} of the heap on belong to nothing`;
    expect(check(true, members, signatures)).toEqual([`heap-gaps fail: ${reason}`]);
    expect(check(false, members, signatures)).toEqual([`heap-gaps pass: ${reason}`]);
  });
});

describe('checkNames', () => {
  const OURS = { identifier: 'com.example.a', scripts: ['postinstall'] } as unknown as OurForm;
  const NAMES = ['Bom', 'Payload', 'Scripts', 'PackageInfo'].map((name) => `com.example.a.pkg/${name}`);
  const ALL = ['Distribution', 'com.example.a.pkg', ...NAMES];
  const check = (names: readonly string[], ours: OurForm | null = OURS, attributes: readonly Range[] = []) => {
    const list = new CheckList('package');
    const members = names.map((path) => member({ path, attributes: path === 'Distribution' ? attributes : [] }));
    checkNames(list, { members } as unknown as XarArchive, ours);
    return outcome(list);
  };

  it('passes ours with its own members alone, and asks nothing of others', () => {
    expect(check(ALL)).toEqual(['members pass']);
    expect(check(['x'], null)).toEqual([]);
  });

  it.each(ALL)('fails ours without %s', (name) => {
    expect(check(ALL.filter((one) => one !== name))).toEqual([`members fail: ${name} is missing`]);
  });

  it('fails ours with a member more, and with attributes', () => {
    expect(check([...ALL, 'Resources'])).toEqual(['members fail: Resources does not belong in it']);
    expect(check(ALL, OURS, [[0, 1]])).toEqual(['members fail: Distribution has extended attributes']);
  });

  it('wants no Scripts where there are no scripts', () => {
    const none = { ...OURS, scripts: [] } as OurForm;
    expect(
      check(
        ALL.filter((name) => !name.endsWith('Scripts')),
        none,
      ),
    ).toEqual(['members pass']);
    expect(check(ALL, none)).toEqual(['members fail: com.example.a.pkg/Scripts does not belong in it']);
  });
});

describe('checkMembers', () => {
  const check = async (
    made: readonly {
      path: string;
      kind?: string;
      styles?: readonly (string | undefined)[];
      more?: readonly string[];
    }[],
  ) => {
    const list = new CheckList('package');
    // Of no bytes, which every style of digest is right about that is not looked at.
    const data = (styles: readonly (string | undefined)[]) => {
      const [archived, extracted] = styles.map((style) =>
        style === undefined ? undefined : { style, value: EMPTY[style] },
      );
      return {
        offset: 0,
        length: 0,
        size: 0,
        encoding: 'application/octet-stream',
        archivedChecksum: archived,
        extractedChecksum: extracted,
      };
    };
    const members = made.map(({ path, kind = 'file', styles, more = [] }) => ({
      path,
      kind,
      data: styles && data(styles),
      extendedAttributes: more.map((style, index) => ({ name: `x${index}`, data: data([style, style]) })),
    }));
    const access = { size: 0, read: async () => Buffer.alloc(0) };
    await checkMembers(list, { access, heapStart: 0, members } as unknown as XarArchive);
    return outcome(list);
  };
  const EMPTY: Record<string, string> = {
    none: '',
    // md5sum, sha1sum and sha256sum of nothing.
    md5: 'd41d8cd98f00b204e9800998ecf8427e',
    sha1: 'da39a3ee5e6b4b0d3255bfef95601890afd80709',
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  };

  it.each<[readonly (string | undefined)[], string]>([
    [['sha1', 'sha1'], 'member-checksums pass'],
    [['md5', 'sha256'], 'member-checksums pass'],
    [['none', 'sha1'], 'member-checksums pass'],
    [['md5', 'md5'], 'member-checksums pass: a has MD5 alone, a weak digest'],
    [['md5', undefined], 'member-checksums pass: a has MD5 alone, a weak digest'],
    [['none', 'none'], 'member-checksums fail: nothing guards a'],
    [[undefined, undefined], 'member-checksums fail: nothing guards a'],
    [[undefined, 'none'], 'member-checksums fail: nothing guards a'],
  ])('with digests %j says %j', async (styles, words) => {
    expect(await check([{ path: 'a', styles }])).toEqual(['one-meaning pass', words]);
  });

  it('asks nothing of a folder, and of attributes what it asks of members', async () => {
    expect(await check([{ path: 'a', kind: 'directory' }])).toEqual(['one-meaning pass', 'member-checksums pass']);
    expect(await check([{ path: 'a', styles: ['sha1', 'sha1'], more: ['sha1', 'none'] }])).toEqual([
      'one-meaning pass',
      'member-checksums fail: nothing guards a (x1)',
    ]);
  });

  it('fails a wrong digest of a member and of an attribute, once each', async () => {
    const wrong = { ...EMPTY };
    EMPTY.sha1 = '00'.repeat(20);
    const found = await check([
      { path: 'a', styles: ['sha1', 'sha1'], more: ['sha1'] },
      { path: 'b', styles: ['none', 'none'] },
    ]);
    Object.assign(EMPTY, wrong);
    expect(found.map((line) => line.slice(0, 22))).toEqual([
      'one-meaning pass',
      'member-checksums fail:',
      'member-checksums fail:',
    ]);
    expect(found.filter((line) => line.includes('nothing guards'))).toEqual([]);
  });

  it.each([
    ['file', 'file'],
    ['directory', 'directory'],
    ['symlink', 'symlink'],
    ['file', 'directory'],
    ['symlink', 'directory'],
  ])('fails two names for one: of a %s and a %s', async (kind, other) => {
    const made = [
      { path: 'a', kind, styles: ['sha1'] },
      { path: 'A', kind: other, styles: ['sha1'] },
    ];
    expect((await check(made))[0]).toMatch(/^one-meaning fail: /);
  });
});
