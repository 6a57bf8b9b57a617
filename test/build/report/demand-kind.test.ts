import { describe, expect, it } from 'vitest';
import { demandKind, FLAT_PACKAGE } from '../../../build/report/demand-kind.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { deflatedFile, emitXar, layoutXar } from '../../../src/xar/write.ts';
import { collect } from '../../support/payload.ts';

/** What becomes of a xar archive with members of these names, where a package is wanted. */
async function outcome(...names: string[]) {
  const members = names.map((name) => deflatedFile(name, Buffer.from(name)));
  const archive = await collect(emitXar(layoutXar(members, { creationTime: 1_700_000_000 })));
  return demandKind(accessBuffer(archive), 'a.pkg', ['package'], FLAT_PACKAGE).catch(({ message, hint }) => [
    message,
    hint,
  ]);
}

describe('a xar archive', () => {
  it('of the two members of a xip is one, and no package', async () => {
    for (const names of [
      ['Content', 'Metadata'],
      ['Metadata', 'Content'],
    ])
      expect(await outcome(...names)).toEqual([
        expect.stringMatching(/but this is a xip archive$/),
        expect.stringContaining('xip --expand'),
      ]);
  });

  it.each([
    [['Content']],
    [['Metadata', 'Other']],
    [['Content', 'Other']],
    [['Content', 'Metadata', 'Other']],
    [['Distribution']],
  ])('of %j is a package, as far as its kind tells', async (names) => expect(await outcome(...names)).toBe('package'));

  it('that cannot be read is what its first bytes say', async () => {
    const broken = accessBuffer(Buffer.concat([Buffer.from('xar!'), Buffer.alloc(600)]));
    expect(await demandKind(broken, 'a.pkg', ['package'], FLAT_PACKAGE)).toBe('package');
  });

  it('that the disk does not give is no matter of its kind', async () => {
    const archive = accessBuffer(Buffer.concat([Buffer.from('xar!'), Buffer.alloc(600)]));
    let reads = 0;
    // Its first and its last bytes are read before it is opened.
    const failing = {
      size: archive.size,
      read: async (offset: number, length: number) => {
        if (++reads > 2) throw new RangeError('the disk');
        return archive.read(offset, length);
      },
    };
    await expect(demandKind(failing, 'a.pkg', ['package'], FLAT_PACKAGE)).rejects.toThrow(new RangeError('the disk'));
  });
});
