import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { checkOwnTree } from '../../../src/verify/own-form/own-tree.ts';
import { readXar } from '../../../src/xar/read.ts';
import { emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { collect } from '../../support/payload.ts';

const MIB = 1024 * 1024;

describe('a tree of ours', () => {
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
