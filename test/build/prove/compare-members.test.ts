import { describe, expect, it } from 'vitest';
import { compareMembers } from '../../../build/prove/compare-members.ts';
import type { MemberContent, TreeFile } from '../../../build/prove/content.ts';
import type { BomRecord } from '../../../src/bom/bom.ts';
import { encodeBom } from '../../../src/bom/encode.ts';
import { buildFat } from '../../../src/macho/fat.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { sampleSlice } from '../../code-signature/sample.ts';

const FACTS = { kind: 'file', mode: '0644', owner: '0:0', time: '1' };
const entry = (path: string, content: Buffer | string, offset = 0, facts: object = {}): TreeFile => ({
  path,
  offset,
  facts: { ...FACTS, ...facts },
  content: Buffer.from(content),
});
const member = (path: string, content: Buffer | string, files?: readonly TreeFile[]): MemberContent => ({
  path,
  kind: 'file',
  archived: Buffer.from(content),
  content: Buffer.from(content),
  files,
});
const [FOLDER, DISTRIBUTION] = [
  { ...member('a.pkg', ''), kind: 'directory' as const },
  member('Distribution', '<a/>\n'),
];
const tree = (content: string, ...files: TreeFile[]) => member('a.pkg/Payload', content, files);
const PAYLOAD = tree('archive', entry('./a', 'one\ntwo\n', 0), entry('./b', 'b', 4));
const OURS = [FOLDER, DISTRIBUTION, PAYLOAD];

/** What fails, as `subject id: reason`; and what the comparison says beside. */
function found(
  theirs: readonly MemberContent[],
  ours: readonly MemberContent[] = OURS,
  otherZlib: string | null = null,
) {
  const { checks, ...rest } = compareMembers(theirs, ours, otherZlib);
  const failed = checks.filter(({ status }) => status === 'fail');
  return { ...rest, failed: failed.map(({ subject, id, reason }) => `${subject} ${id}: ${reason}`) };
}

describe('members that are the same', () => {
  it('pass every check, each document and tree by its name', () => {
    const { checks, ...rest } = compareMembers(OURS, OURS, null);
    expect(rest).toEqual({ sameContent: true, tools: [], otherCode: false });
    expect(checks.map(({ subject, id, status }) => `${subject} ${id} ${status}`)).toEqual([
      'package rebuilt-members pass',
      'Distribution rebuilt-document pass',
      'Distribution rebuilt-compression pass',
      'a.pkg/Payload rebuilt-tree pass',
      'a.pkg/Payload rebuilt-compression pass',
    ]);
  });

  it('may have another order', () => expect(found([...OURS].reverse()).failed).toEqual([]));
});

describe('a member', () => {
  it('that is missing, more or twice is named, and not looked into', () => {
    const { failed, sameContent } = found([FOLDER, PAYLOAD, PAYLOAD, member('x', '')]);
    expect(sameContent).toBe(false);
    expect(failed).toEqual([
      'package rebuilt-members: Distribution is missing; x is there, which the sources make none of; a.pkg/Payload is there twice',
    ]);
  });

  it('that is a document is named to the byte', () => {
    const { failed, sameContent } = found([FOLDER, member('Distribution', '<b/>\n'), PAYLOAD]);
    expect(sameContent).toBe(false);
    expect(failed).toEqual([expect.stringMatching(/^Distribution rebuilt-document: Distribution, byte 1/)]);
  });

  it('in another compressed stream of the same content fails, unless zlib is another one', () => {
    const theirs = [FOLDER, { ...DISTRIBUTION, archived: Buffer.from('other') }, PAYLOAD];
    const words = 'the same content in another compressed stream: byte 0: expected 3c612f3e, found 6f746865';
    expect(found(theirs)).toMatchObject({
      sameContent: true,
      failed: [`Distribution rebuilt-compression: ${words}`],
    });
    expect(found(theirs, OURS, 'zlib 2')).toMatchObject({ sameContent: true, failed: [] });
    const { checks } = compareMembers(theirs, OURS, 'zlib 2');
    expect(checks.filter(({ reason }) => reason).map(({ subject, reason }) => [subject, reason])).toEqual([
      ['Distribution', `${words}: zlib 2`],
    ]);
  });
});

describe('a tree', () => {
  const failures = (...files: TreeFile[]) =>
    found([FOLDER, DISTRIBUTION, tree('other', ...files)]).failed.map((line) =>
      line.replace('a.pkg/Payload rebuilt-tree: ', ''),
    );
  const [a, b] = PAYLOAD.files as [TreeFile, TreeFile];

  it.each<[string, TreeFile[], string]>([
    ['a file less', [a], './b is missing'],
    ['a file more', [a, b, entry('./c', '')], './c does not belong in it'],
    ['another mode', [entry('./a', a.content, 0, { mode: '0755' }), b], './a: mode 0755, expected 0644'],
    ['another owner', [entry('./a', a.content, 0, { owner: '501:20' }), b], './a: owner 501:20, expected 0:0'],
    ['another time', [entry('./a', a.content, 0, { time: '2' }), b], './a: time 2, expected 1'],
    [
      'another line',
      [entry('./a', 'one\n2\n'), b],
      './a, line 2, byte 4: expected 74776f0a, found 320a: expected "two", found "2"',
    ],
    [
      'a line more',
      [entry('./a', 'one\ntwo\n3'), b],
      './a, line 3, byte 8: expected the end, found 33: expected "", found "3"',
    ],
    [
      'a line less',
      [entry('./a', 'one\n'), b],
      './a, line 2, byte 4: expected 74776f0a, found the end: expected "two", found ""',
    ],
    ['bytes that are no text', [entry('./a', 'one\0two\n'), b], './a, byte 3: expected 0a74776f, found 0074776f'],
  ])('with %s is named', (_, files, expected) => expect(failures(...files)).toEqual([expected]));

  it('of which no file differs is named by the entry in which its archive does', () => {
    expect(failures(a, b)).toEqual(['byte 0 of the archive, at ./a: expected 61726368, found 6f746865']);
    const later = (content: string, ...files: TreeFile[]) =>
      found([FOLDER, DISTRIBUTION, tree(content, ...files)]).failed;
    expect(later('arch!ve', a, b)).toEqual([expect.stringContaining('byte 4 of the archive, at ./b: ')]);
    expect(later('arc!ive', a, b)).toEqual([expect.stringContaining('byte 3 of the archive, at ./a: ')]);
    expect(later('!rchive', { ...a, offset: 1 }, b)).toEqual([
      expect.stringContaining('byte 0 of the archive, at its start: '),
    ]);
  });

  it('that is none is one without files', () => {
    const { failed } = found([FOLDER, DISTRIBUTION, { ...PAYLOAD, files: undefined }]);
    expect(failed).toEqual(['a.pkg/Payload rebuilt-tree: ./a is missing; ./b is missing']);
  });

  it('with another program says so', () => {
    const program = buildFat([sampleSlice('x86_64'), sampleSlice('arm64')]);
    const changed = Buffer.from(program);
    changed[program.length - 1]! ^= 1;
    const ours = [tree('archive', entry('./run', program))];
    expect(found([tree('archive', entry('./run', program))], ours)).toMatchObject({ otherCode: false, failed: [] });
    const { failed, otherCode, tools } = found([tree('other', entry('./run', changed))], ours);
    expect([failed, otherCode, tools]).toEqual([[expect.stringMatching(/rebuilt-tree: \.\/run: arm64, /)], true, []]);
    // A text in the place of a program, and a program in the place of a text.
    expect(found([tree('other', entry('./run', 'text'))], ours)).toMatchObject({
      otherCode: true,
      failed: [expect.stringMatching(/\.\/run: it cannot be read as a program/)],
    });
    expect(found([tree('other', entry('./run', program))], [tree('archive', entry('./run', 'text'))]).otherCode).toBe(
      false,
    );
  });
});

describe('a program of other tools', () => {
  const program = sampleSlice('arm64');
  const { offset } = parseMacho(program).commands.find(({ command }) => command === 0x32)!;
  const other = Buffer.from(program);
  // After the command's six fields the first tool: its number and its version. Source: mach-o/loader.h.
  other.writeUInt32LE(0x00630100, offset + 24 + 4);

  it('says which they are, of each program', () => {
    const trees = (data: Buffer) => [tree('archive', entry('./1', data), entry('./2', data))];
    const { tools, otherCode } = found(trees(other), trees(program));
    const words = expect.stringMatching(/^arm64 names \S+ 99\.1(\.0)?, here \S+ [\d.]+$/);
    expect([tools, otherCode]).toEqual([[words, words], true]);
  });
});

describe('a Bom', () => {
  const common = { mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 1 };
  const record = (path: string, change: Partial<BomRecord> = {}): BomRecord => ({
    ...{ ...common, path, kind: 'file', size: 1, cksum: 1 },
    ...change,
  });
  const root: BomRecord = { ...common, path: '.', kind: 'directory', mode: 0o755, size: 128 };
  const bom = (...records: BomRecord[]) => member('a.pkg/Bom', encodeBom([root, ...records]));

  it('is one by its whole name', () => {
    for (const path of ['a.pkg/Bomb', 'a.pkg/Bom/x', 'Bom'])
      expect(found([member(path, 'b')], [member(path, 'a')]).failed).toEqual([
        expect.stringMatching(`^${path} rebuilt-document: ${path}, byte 0`),
      ]);
  });

  it('is named by the record and the field', () => {
    const ours = [bom(record('./a'), record('./b'))];
    expect(found(ours, ours).failed).toEqual([]);
    expect(found([bom(record('./a', { uid: 501, size: 2 }), record('./b'))], ours).failed).toEqual([
      expect.stringMatching(
        /rebuilt-document: the Bom's record of \.\/a: uid 501, expected 0, size 2, expected 1; a\.pkg\/Bom, byte \d+: /,
      ),
    ]);
    expect(found([bom(record('./a'))], ours).failed).toEqual([
      expect.stringMatching(/rebuilt-document: .*\.\/b is not in the Bom; a\.pkg\/Bom, byte \d+: /),
    ]);
  });
});
