import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { gzipMember } from '../../../src/cpio/gzip.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { checkOwnTree, type OwnPath } from '../../../src/verify/own-form/own-tree.ts';
import { readXar } from '../../../src/xar/read.ts';
import type { XarMember } from '../../../src/xar/toc.ts';
import { emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { collect, directory, FACTS, file } from '../../support/payload.ts';

const MIB = 1024 * 1024;
const EXACT = { exact: true, owners: true };
const OF_APPLE = { exact: false, owners: true };
const DOT: OwnPath = { ...FACTS, kind: 'directory', path: '.', mode: 0o755 };
const A: OwnPath = { ...FACTS, kind: 'file', path: './a', mode: 0o644 };
const B: OwnPath = { ...FACTS, kind: 'file', path: './b', mode: 0o600 };

/** Held to the form of `paths`, a tree that our writer made of `entries`. */
async function held(entries: readonly PayloadEntry[], paths: readonly OwnPath[], form = EXACT) {
  const member = storedFile('Payload', await collect(gzipMember(writeCpio(entries))));
  const archive = await readXar(accessBuffer(await collect(emitXar(layoutXar([member], { creationTime: 0 })))));
  const list = new CheckList('a');
  const tree = await checkOwnTree(list, 'form-payload', archive, archive.members[0] as XarMember, paths, form);
  return { tree, said: list.checks.map(({ status, reason }) => `${status}${reason === undefined ? '' : `: ${reason}`}`).join() };
} // biome-ignore format: short

describe('a tree of ours', () => {
  it('comes back with its contents, and what is known of each file', async () => {
    const { tree, said } = await held([directory('.'), file('./a', 'abc'), file('./b', '', 0o600)], [DOT, A, B]);
    expect(said).toBe('pass');
    expect(tree?.entries).toEqual([DOT, { ...A, source: expect.anything() }, { ...B, source: expect.anything() }]);
    expect([...(tree?.contents ?? [])].map(([path, data]) => `${path} ${data}`)).toEqual(['. ', './a abc', './b ']);
    // cksum of "abc" and of nothing.
    expect([...(tree?.facts ?? [])].map(([path, { size, cksum }]) => [path, size, cksum])).toEqual([['./a', 3, 1219131554], ['./b', 0, 4294967295]]);
  }); // biome-ignore format: short

  // Bytes by the layout of odc: 76 of a header, then the name; the second one begins at 78 (cpio(5) of FreeBSD).
  it.each<[string, readonly PayloadEntry[], readonly OwnPath[], string, string]>([
    ['without one of its files', [directory('.'), file('./a', 'abc')], [DOT, A, B], 'fail: ./b is missing; ', 'fail: ./b is missing'],
    ['with a file of others', [directory('.'), file('./a', 'abc'), file('./b', 'x', 0o600)], [DOT, A], 'fail: ./b does not belong in it; ', 'fail: ./b does not belong in it'],
    ['with other bits', [directory('.'), file('./a', 'abc', 0o4644)], [DOT, A], 'fail: inflated, byte 98, in the header of ./a, field mode: ', 'fail: ./a has mode 104644, expected 100644'],
    ['with a folder in the place of a file', [directory('.'), directory('./a', 0o644)], [DOT, A], 'fail: inflated, byte 96, in the header of ./a, field mode: ', 'fail: ./a has mode 40644, expected 100644'],
    ['of another owner', [directory('.'), { ...file('./a', 'abc'), uid: 501 }], [DOT, A], 'fail: inflated, byte 105, in the header of ./a, field uid: ', 'fail: ./a belongs to 501:0, expected 0:0'],
    ['of another group', [directory('.'), { ...file('./a', 'abc'), gid: 20 }], [DOT, A], 'fail: inflated, byte 112, in the header of ./a, field gid: ', 'fail: ./a belongs to 0:20, expected 0:0'],
    ['of another time', [directory('.'), { ...file('./a', 'abc'), mtimeSeconds: 1 }], [DOT, A], 'fail: inflated, byte 126, in the header of ./a, field mtime: ', 'pass'],
  ])('fails %s, in the words of each form', async (_, entries, paths, exact, ofApple) => {
    expect((await held(entries, paths)).said).toContain(exact);
    expect((await held(entries, paths, OF_APPLE)).said).toBe(ofApple);
    const free = (await held(entries, paths, { exact: false, owners: false })).said;
    expect(free).toBe(ofApple.includes('belongs to') ? 'pass' : ofApple);
  }); // biome-ignore format: a table

  it('has at most 32 MiB', async () => {
    const said = async (size: number) => {
      const member = storedFile('Payload', gzipSync(Buffer.alloc(size), { level: 1 }));
      const archive = await readXar(accessBuffer(await collect(emitXar(layoutXar([member], { creationTime: 0 })))));
      const list = new CheckList('a');
      const [payload] = archive.members;
      if (!payload) throw new Error('no member');
      const tree = await checkOwnTree(list, 'form-payload', archive, payload, [], { exact: true, owners: true });
      expect(tree).toBeUndefined();
      return list.checks.map(({ id, status, reason }) => `${id} ${status}: ${reason}`).join();
    };
    // What is no longer than that is read: zeros are no archive.
    expect(await said(32 * MIB)).toMatch(/^form-payload fail: .*[Cc]pio/);
    expect(await said(32 * MIB + 1)).not.toMatch(/[Cc]pio/);
  });

  it('is not empty', async () => {
    const layout = layoutXar([storedFile('Payload', Buffer.alloc(0))], { creationTime: 0 });
    const archive = await readXar(accessBuffer(await collect(emitXar(layout))));
    const list = new CheckList('a');
    const member = { ...archive.members[0], data: undefined } as unknown as (typeof archive.members)[number];
    await checkOwnTree(list, 'form-payload', archive, member, [], { exact: true, owners: true });
    expect(list.checks.map(({ reason }) => reason)).toEqual([expect.stringContaining('Payload is empty')]);
  });
});
