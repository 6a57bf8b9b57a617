import { describe, expect, it } from 'vitest';
import { fromBuffer } from '../../src/base/bytes.ts';
import { CheckList } from '../../src/base/check.ts';
import { FormatError } from '../../src/base/errors.ts';
import type { BomRecord } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import type { OpenComponent, OpenPackage } from '../../src/package/open-package.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { checkNoPayload, checkPayload } from '../../src/verify/payload.ts';
import { Tree } from '../../src/verify/tree.ts';
import { collect, directory, file, recordsOf, symlink } from '../support/payload.ts';

const ENTRIES: readonly PayloadEntry[] = [directory('.'), file('./a', 'x'.repeat(600)), symlink('./link', 'a')];
const OURS = {
  madeBy: 'portable',
  owner: { uid: 0, gid: 0 },
  payload: new Map([
    ['.', 0o755],
    ['a', 0o644],
  ]),
} as unknown as OurForm;

/** The records of entries as a Bom gives them back. */
const found = async (entries: readonly PayloadEntry[]) => decodeBom(encodeBom(await recordsOf(entries))).records;

interface Case {
  readonly entries?: readonly PayloadEntry[];
  readonly records?: readonly BomRecord[] | null;
  readonly ours?: OurForm | null;
  readonly numberOfFiles?: number;
  readonly installKBytes?: number;
}

async function check({ entries = ENTRIES, records, ours = null, numberOfFiles = 3, installKBytes = 2 }: Case) {
  const list = new CheckList('a');
  const archive = await collect(writeCpio(entries));
  const bom = records === null ? undefined : { records: records ?? (await found(entries)) };
  const component = { bom, info: { payload: { numberOfFiles, installKBytes } } } as unknown as OpenComponent;
  const expectations = { ours } as Parameters<typeof checkPayload>[4];
  const read = await checkPayload(list, readCpio(fromBuffer(archive).chunks()), component, new Tree(100), expectations);
  const all = list.checks.map(
    ({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`,
  );
  return { read, all, of: (id: string) => all.filter((line) => line.startsWith(`${id} `)).join('\n') };
}

describe('checkPayload', () => {
  it('passes one that is as its Bom says', async () => {
    expect(await check({})).toMatchObject({
      read: true,
      all: ['bom-payload pass', 'payload-counters pass', 'owners-modes pass'],
    });
  });

  it.each<[string, (record: BomRecord) => object | undefined, string]>([
    ['mode', ({ path }) => (path === './a' ? { mode: 0o600 } : {}), './a: mode 0600 in the Bom, 0644 in the payload'],
    ['uid', ({ path }) => (path === './a' ? { uid: 501 } : {}), './a: uid 501 in the Bom, 0 in the payload'],
    ['gid', ({ path }) => (path === '.' ? { gid: 20 } : {}), '.: gid 20 in the Bom, 0 in the payload'],
    [
      'time',
      ({ path }) => (path === './a' ? { mtimeSeconds: 1 } : {}),
      './a: mtime 1 in the Bom, 1700000000 in the payload',
    ],
    ['size', ({ path }) => (path === './a' ? { size: 601 } : {}), './a: size 601 in the Bom, 600 in the payload'],
    ['checksum', ({ path }) => (path === './link' ? { cksum: 1 } : {}), './link: cksum 1 in the Bom, '],
    [
      'target',
      ({ path }) => (path === './link' ? { linkTarget: 'b' } : {}),
      './link: target b in the Bom, a in the payload',
    ],
    [
      'kind',
      ({ path }) => (path === './link' ? { kind: 'file' } : {}),
      './link: kind file in the Bom, symlink in the payload',
    ],
    [
      'a name that the Bom lacks',
      ({ path }) => (path === './a' ? undefined : {}),
      './a: in the payload, not in the Bom',
    ],
    [
      'a name that only the Bom has',
      ({ path }) => (path === './a' ? { path: './b' } : {}),
      './b: in the Bom, not in the payload',
    ],
  ])('tells another %s', async (_, change, words) => {
    const records = (await found(ENTRIES)).flatMap((record) => {
      const changed = change(record);
      return changed ? [{ ...record, ...changed } as BomRecord] : [];
    });
    expect((await check({ records })).of('bom-payload')).toMatch(/^bom-payload fail: /);
    expect((await check({ records })).of('bom-payload')).toContain(words);
  });

  it('does not compare the size of a folder, nor more than the path where the Bom has no more', async () => {
    const records = await found(ENTRIES);
    const of = (change: object) => records.map((one) => ({ ...one, ...change }) as BomRecord);
    const folders = records.map((one) => (one.kind === 'directory' ? { ...one, size: 7, cksum: 7 } : one));
    expect((await check({ records: folders as BomRecord[] })).of('bom-payload')).toBe('bom-payload pass');
    expect((await check({ records: of({ pathOnly: true, mode: 0 }) })).of('bom-payload')).toBe('bom-payload pass');
  });

  it('fails without a Bom', async () => {
    const { all, read } = await check({ records: null, installKBytes: 77 });
    expect(read).toBe(true);
    expect(all).toEqual([
      'bom-payload fail: there is a Payload, but no Bom',
      'payload-counters pass',
      'owners-modes pass',
    ]);
  });

  it('counts, and notes of others what it refuses of ours', async () => {
    const files = 'PackageInfo counts 4 files, the payload has 3';
    const size = 'PackageInfo says 3 KiB, the Bom adds up to 2';
    const entries = [directory('.'), file('./a', 'x')];
    const own = { entries, ours: OURS, numberOfFiles: 2, installKBytes: 1 };
    expect((await check({ numberOfFiles: 4 })).of('payload-counters')).toBe(`payload-counters pass: ${files}`);
    expect((await check({ installKBytes: 3 })).of('payload-counters')).toBe(`payload-counters pass: ${size}`);
    expect((await check(own)).all.filter((line) => !line.endsWith(' pass'))).toEqual([]);
    expect((await check({ ...own, numberOfFiles: 3 })).of('payload-counters')).toBe(
      'payload-counters fail: PackageInfo counts 3 files, the payload has 2',
    );
    const apple = { ...OURS, madeBy: 'apple' } as OurForm;
    expect((await check({ ...own, ours: apple, numberOfFiles: 3 })).of('payload-counters')).toContain('pass: ');
  });

  it.each<[string, PayloadEntry[], string, string]>([
    [
      'another owner',
      [directory('.'), { ...file('./a', 'x'), uid: 501 }],
      'owners-modes',
      './a belongs to 501:0, expected 0:0',
    ],
    [
      'another group',
      [directory('.'), { ...file('./a', 'x'), gid: 20 }],
      'owners-modes',
      './a belongs to 0:20, expected 0:0',
    ],
    ['another mode', [directory('.'), file('./a', 'x', 0o664)], 'owners-modes', './a has mode 0664, expected 0644'],
    [
      'another mode of the root',
      [directory('.', 0o775), file('./a', 'x')],
      'owners-modes',
      '. has mode 0775, expected 0755',
    ],
    ['a link', [directory('.'), { ...symlink('./a', 'b'), mode: 0o644 }], 'owners-modes', './a is a symbolic link'],
    ['a file more', [directory('.'), file('./a', 'x'), file('./b', 'x')], 'payload-paths', 'b does not belong in it'],
    ['a file less', [directory('.')], 'payload-paths', 'a is missing'],
  ])('refuses ours with %s', async (_, entries, id, words) => {
    const { all } = await check({ entries, ours: OURS, numberOfFiles: entries.length, installKBytes: 1 });
    expect(all.filter((line) => line.includes(' fail'))).toContain(`${id} fail: ${words}`);
  });

  // Bits of chmod(2): 04000 and 02000 run as the owner and the group, 01000 is the sticky bit, 0002 lets others write.
  it.each<[string, PayloadEntry, string]>([
    ['04755', file('./a', 'x', 0o4755), ': ./a is set-user-ID or set-group-ID'],
    ['02755', file('./a', 'x', 0o2755), ': ./a is set-user-ID or set-group-ID'],
    ['01755', file('./a', 'x', 0o1755), ''],
    ['0646', file('./a', 'x', 0o646), ': everybody may write to ./a'],
    ['0775', file('./a', 'x', 0o775), ''],
    ['0777 of a folder', directory('./a', 0o777), ': everybody may write to ./a'],
    ['0777 of a link', { ...symlink('./a', 'b'), mode: 0o777 }, ''],
    ['06757', file('./a', 'x', 0o6757), ': ./a is set-user-ID or set-group-ID; everybody may write to ./a'],
  ])('notes mode %s in a payload of others', async (_, entry, words) => {
    const { of } = await check({ entries: [directory('.'), entry] });
    expect(of('owners-modes')).toBe(`owners-modes pass${words}`);
  });

  it('fails where the archive cannot be read, and is skipped where it is of a kind that is not', async () => {
    const failing = (code: string) =>
      (async function* () {
        yield* [];
        throw new FormatError(code as 'CPIO_HEADER', 'cpio', 0, 'words');
      })() as ReturnType<typeof readCpio>;
    const run = async (code: string) => {
      const list = new CheckList('a');
      const component = { bom: { records: [] } } as unknown as OpenComponent;
      const read = await checkPayload(list, failing(code), component, new Tree(9), { ours: null } as Parameters<
        typeof checkPayload
      >[4]);
      return [read, ...list.checks.map(({ id, status }) => `${id} ${status}`)];
    };
    expect(await run('CPIO_HEADER')).toEqual([false, 'bom-payload fail']);
    expect(await run('PAYLOAD_UNSUPPORTED')).toEqual([false, 'bom-payload skipped']);
    const ours = (async function* () {
      yield* [];
      throw new TypeError('a fault of ours');
    })() as ReturnType<typeof readCpio>;
    const options = { ours: null } as Parameters<typeof checkPayload>[4];
    const component = { bom: { records: [] } } as unknown as OpenComponent;
    await expect(checkPayload(new CheckList('a'), ours, component, new Tree(9), options)).rejects.toThrow('ours');
  });
});

describe('checkNoPayload', () => {
  const check = (folder: string, numberOfFiles: number, ...members: string[]) => {
    const list = new CheckList('a');
    const archive = { members: members.map((path) => ({ path, kind: 'file' })) };
    const component = { folder, info: { payload: { numberOfFiles } } } as OpenComponent;
    checkNoPayload(list, { archive } as unknown as OpenPackage, component);
    return list.checks.map(({ status, reason }) => `${status}: ${reason}`);
  };

  it('fails only where PackageInfo names files', () => {
    expect(check('', 0)).toEqual(['skipped: the component has no payload']);
    expect(check('', 1)).toEqual(['fail: PackageInfo names files, but there is no Payload']);
  });

  it('is skipped for a payload in pieces, which lies in the folder of its component', () => {
    expect(check('', 9, 'LargeSegmentedPayload')).toEqual(['skipped: a LargeSegmentedPayload is not supported']);
    expect(check('a.pkg', 9, 'a.pkg/LargeSegmentedPayload')).toEqual([
      'skipped: a LargeSegmentedPayload is not supported',
    ]);
    expect(check('a.pkg', 9, 'LargeSegmentedPayload')).toEqual([
      'fail: PackageInfo names files, but there is no Payload',
    ]);
  });
});
