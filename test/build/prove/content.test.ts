import { expect, it } from 'vitest';
import { contentsOf } from '../../../build/prove/content.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { gzipMember } from '../../../src/cpio/gzip.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import type { OpenPackage } from '../../../src/package/open-package.ts';
import { readXar } from '../../../src/xar/read.ts';
import {
  deflatedFile,
  emitXar,
  directory as folder,
  layoutXar,
  storedFile,
  type XarEntry,
} from '../../../src/xar/write.ts';
import { collect, directory, file, symlink } from '../../support/payload.ts';

const zipped = async (data: Buffer) => collect(gzipMember((async function* () { yield data; })(), { level: 1 })); // biome-ignore format: short
const opened = async (entries: XarEntry[]) =>
  ({
    archive: await readXar(accessBuffer(await collect(emitXar(layoutXar(entries, { creationTime: 1 }))))),
  }) as OpenPackage;

it('reads a tree of 32 MiB, and no larger one', async () => {
  const limit = 32 * 2 ** 20;
  const cpio = await collect(writeCpio([directory('.')]));
  const read = async (size: number) => {
    const payload = await zipped(Buffer.concat([cpio], size));
    return contentsOf(await opened([folder('a', [storedFile('Payload', payload)])]));
  };
  expect((await read(limit)).map(({ content }) => content.length)).toEqual([0, limit]);
  await expect(read(limit + 1)).rejects.toMatchObject({
    message: expect.stringContaining(`at most ${limit} inflated`),
  });
});

it('reads each member as it lies there and as what it stands for', async () => {
  const cpio = await collect(writeCpio([directory('.'), file('./a', 'alpha', 0o644), symlink('./b', 'a')]));
  const scripts = await collect(
    writeCpio([directory('.'), { ...file('./run', 'x', 0o755), uid: 501, gid: 20, mtimeSeconds: 7 }]),
  );
  const [payload, packed] = [await zipped(cpio), await zipped(scripts)];
  const inside = [storedFile('Payload', payload), storedFile('Scripts', packed), storedFile('Payloads', Buffer.from('no tree'))]; // biome-ignore format: short
  const entries = [deflatedFile('Distribution', Buffer.from('text')), storedFile('Payload', Buffer.from('at the top')), folder('a', inside)]; // biome-ignore format: short
  const found = await contentsOf(await opened(entries));
  expect(found.map(({ path, kind }) => [path, kind])).toEqual([
    ['Distribution', 'file'],
    ['Payload', 'file'],
    ['a', 'directory'],
    ['a/Payload', 'file'],
    ['a/Scripts', 'file'],
    ['a/Payloads', 'file'],
  ]);
  const [document, top, none, tree, other, last] = found as [...(typeof found & { length: 6 })];
  expect([document?.content.toString(), document?.files]).toEqual(['text', undefined]);
  expect(document?.archived.subarray(0, 2)).toEqual(Buffer.from('78da', 'hex'));
  expect([top?.content.toString(), top?.files]).toEqual(['at the top', undefined]);
  expect([none?.archived.length, none?.content.length, none?.files]).toEqual([0, 0, undefined]);
  expect([last?.content.toString(), last?.files]).toEqual(['no tree', undefined]);
  expect([tree?.archived.equals(payload), tree?.content.equals(cpio)]).toEqual([true, true]);
  expect([other?.archived.equals(packed), other?.content.equals(scripts)]).toEqual([true, true]);
  const facts = { owner: '0:0', time: '1700000000' };
  // A header of 76 bytes, then the name with its NUL, then the content. Source: cpio(5), old portable format.
  expect(tree?.files).toEqual([
    { path: '.', offset: 0, facts: { ...facts, kind: 'directory', mode: '0755' }, content: Buffer.alloc(0) },
    { path: './a', offset: 78, facts: { ...facts, kind: 'file', mode: '0644' }, content: Buffer.from('alpha') },
    { path: './b', offset: 163, facts: { ...facts, kind: 'symlink', mode: '0755' }, content: Buffer.from('a') },
  ]);
  expect(other?.files?.slice(1)).toEqual([
    {
      path: './run',
      offset: 78,
      facts: { kind: 'file', mode: '0755', owner: '501:20', time: '7' },
      content: Buffer.from('x'),
    },
  ]);
});
