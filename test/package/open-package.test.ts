import { describe, expect, it } from 'vitest';
import { LIMITS, type WorkBudget } from '../../src/base/input/limits.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { cpioEntries, documentData, memberData, openPackage } from '../../src/package/open-package.ts';
import { findMember, readXar } from '../../src/xar/read.ts';
import {
  deflatedFile,
  emitXar,
  directory as folder,
  layoutXar,
  storedFile,
  type XarEntry,
} from '../../src/xar/write.ts';
import { collect, directory, FACTS, faultOf, file } from '../support/payload.ts';

const info = (id: string) => deflatedFile('PackageInfo', Buffer.from(`<pkg-info identifier="${id}" version="1"/>`));
const DISTRIBUTION = deflatedFile(
  'Distribution',
  Buffer.from('<installer-gui-script><title>T</title></installer-gui-script>'),
);
const BOM = deflatedFile('Bom', encodeBom([{ ...FACTS, path: '.', kind: 'directory', mode: 0o755, size: 64 }]));
const text = (name: string) => storedFile(name, Buffer.from(name));

const archiveOf = async (entries: readonly XarEntry[]) =>
  accessBuffer(await collect(emitXar(layoutXar(entries, { creationTime: 0 }))));
const open = async (...entries: readonly XarEntry[]) => openPackage(await archiveOf(entries));

describe('openPackage', () => {
  it('finds the members of a bare component', async () => {
    const { distribution, components } = await open(info('a'), BOM, text('Payload'), text('Scripts'));
    expect(distribution).toBeUndefined();
    expect(components).toMatchObject([
      { folder: '', info: { identifier: 'a' }, payload: { path: 'Payload' }, scripts: { path: 'Scripts' } },
    ]);
    expect(components[0]?.bom?.records.map(({ path }) => path)).toEqual(['.']);
  });

  it('finds the members of each component of a product, each in its own folder', async () => {
    const { distribution, components } = await open(
      DISTRIBUTION,
      text('Payload'),
      BOM,
      folder('a.pkg', [info('a'), text('Payload')]),
      folder('x', [folder('PackageInfo.pkg', [text('Scripts'), info('b'), BOM])]),
    );
    expect(distribution?.title).toBe('T');
    expect(components.map(({ folder: name, info: { identifier } }) => [name, identifier])).toEqual([
      ['a.pkg', 'a'],
      ['x/PackageInfo.pkg', 'b'],
    ]);
    const [a, b] = components;
    expect(a).toMatchObject({ payload: { path: 'a.pkg/Payload' }, scripts: undefined, bom: undefined });
    expect(b).toMatchObject({ payload: undefined, scripts: { path: 'x/PackageInfo.pkg/Scripts' } });
    expect(b?.bom?.records).toHaveLength(1);
  });

  it('takes a Distribution without components', async () => {
    expect((await open(DISTRIBUTION)).components).toEqual([]);
  });

  it.each<[string, readonly XarEntry[]]>([
    ['nothing', []],
    ['a Payload alone', [text('Payload')]],
    ['a folder called PackageInfo', [folder('PackageInfo', [text('a')])]],
    [
      'names that begin or end otherwise',
      [text('MyPackageInfo'), text('PackageInfo.txt'), folder('PackageInfo-x', [])],
    ],
    ['a Distribution in a folder', [folder('a', [DISTRIBUTION])]],
  ])('refuses an archive with %s', async (_, entries) => {
    expect(await faultOf(() => open(...entries))).toEqual({ code: 'PACKAGE_EMPTY', offset: 0 });
  });

  it.each([
    [LIMITS.components, 1000],
    [LIMITS.components + 1, 'SIZE_LIMIT'],
  ])('asked for %i components answers %j', async (count, expected) => {
    const entries = Array.from({ length: count }, (_, index) => folder(String(index), [info('a')]));
    const run = async () => (await open(...entries)).components.length;
    if (typeof expected === 'number') expect(await run()).toBe(expected);
    else expect(await faultOf(run)).toMatchObject({ code: expected });
  });

  it('spends of a budget for what it decodes, and for a payload by how it is compressed', async () => {
    const cpio = await collect(writeCpio([directory('.'), file('./f', 'hello')]));
    const packed = await collect(gzipMember(writeCpio([directory('.'), file('./f', 'hello')])));
    const access = await archiveOf([info('a'), storedFile('Payload', packed)]);
    const spent: [number, number][] = [];
    const budget = { spend: (bytes: number, cost: number) => spent.push([bytes, cost]) } as unknown as WorkBudget;
    const { archive, components } = await openPackage(access, budget);
    expect(spent.length).toBeGreaterThan(0);
    spent.length = 0;
    const paths: string[] = [];
    for await (const entry of cpioEntries(archive, components[0]!.payload!)) {
      for await (const _ of entry.data);
      paths.push(entry.path);
    }
    expect(paths).toEqual(['.', './f']);
    // What comes out of gzip costs 1 a byte; the member itself is stored, which costs less.
    const inflated = spent.filter(([, cost]) => cost === 1).reduce((sum, [bytes]) => sum + bytes, 0);
    expect(inflated).toBe(cpio.length);
  });

  it('reads a payload without a budget', async () => {
    const { archive, components } = await open(
      info('a'),
      storedFile('Payload', await collect(writeCpio([directory('.')]))),
    );
    const paths: string[] = [];
    for await (const { path } of cpioEntries(archive, components[0]!.payload!)) paths.push(path);
    expect(paths).toEqual(['.']);
  });
});

describe('the data of a member', () => {
  const MIB = 2 ** 20;
  /** An archive with a member of so many zero bytes, and the member. */
  async function withMember(size: number) {
    const archive = await readXar(await archiveOf([deflatedFile('m', Buffer.alloc(size)), text('other')]));
    return { archive, member: findMember(archive, 'm')! };
  }

  it.each([
    [0, 'reads'],
    [9, 'reads'],
    [10, 'reads'],
    [11, 'refuses'],
  ])('of %i bytes with a limit of 10: %s', async (size, ending) => {
    const { archive, member } = await withMember(size);
    if (ending === 'reads') expect(await memberData(archive, member, 10)).toEqual(Buffer.alloc(size));
    else expect(await faultOf(() => memberData(archive, member, 10))).toMatchObject({ code: 'SIZE_LIMIT' });
  });

  it.each([
    ['a document', documentData, 4 * MIB],
    ['a Bom', memberData, 12 * MIB],
  ])('of %s may have its limit, and no byte more', async (_, read, limit) => {
    const most = await withMember(limit);
    expect((await read(most.archive, most.member)).length).toBe(limit);
    const more = await withMember(limit + 1);
    expect(await faultOf(() => read(more.archive, more.member))).toMatchObject({ code: 'SIZE_LIMIT' });
  });
});
