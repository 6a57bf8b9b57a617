import { describe, expect, it } from 'vitest';
import { inspectAs } from '../../../build/commands/inspect.ts';
import { encodeBom } from '../../../src/bom/encode.ts';
import { inProcess } from '../../support/in-process.ts';

/** A file that is said to be of a size, and holds a small Bom whatever is read of it. */
const sized = (size: number) => {
  const asked: [number, number][] = [];
  const read = async (...range: [number, number]) => {
    asked.push(range);
    return encodeBom([{ path: '.', kind: 'directory', mode: 0o755, uid: 0, gid: 0, size: 0, mtime: 0 } as never]);
  };
  return { asked, access: { size, read } };
};
const LIMIT = 536_870_912;

describe('inspect', () => {
  it('reads a file of half a gibibyte whole, and none that is a byte larger', async () => {
    const [largest, larger] = [sized(LIMIT), sized(LIMIT + 1)];
    expect((await inspectAs('bom', largest.access)).lines[0]).toBe('Bom, 1 paths');
    expect(largest.asked).toEqual([[0, LIMIT]]);
    for (const kind of ['bom', 'macho'] as const)
      await expect(inspectAs(kind, larger.access)).rejects.toMatchObject({
        code: 'SIZE_LIMIT',
        message: expect.stringContaining(`expected at most ${LIMIT} bytes, found ${LIMIT + 1}`),
      });
    expect(larger.asked).toEqual([]);
  });

  it('is of a file', async () => {
    const run = await inProcess(['inspect', 'build']);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('build is a folder, not a file')]);
  });
});
