import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RandomAccess } from '../../src/base/random-access.ts';
import { withFile } from '../../src/base/with-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'with-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'file');
writeFileSync(path, 'hello');

describe('withFile', () => {
  it('gives the file, and closes it when it is no longer needed', async () => {
    const kept: RandomAccess[] = [];
    const text = await withFile(path, async (access) => {
      kept.push(access);
      return (await access.read(1, 3)).toString();
    });
    expect(text).toBe('ell');
    await expect(kept[0]?.read(0, 1)).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('closes it after an error too, and passes the error on', async () => {
    const kept: RandomAccess[] = [];
    const failing = withFile(path, async (access) => {
      kept.push(access);
      throw new Error('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    await expect(kept[0]?.read(0, 1)).rejects.toMatchObject({ code: 'EBADF' });
  });

  it('refuses a folder, and a named pipe without waiting for a writer', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const never = async () => expect.unreachable();
    await expect(withFile(folder, never)).rejects.toMatchObject({
      code: 'NOT_A_FILE',
      message: `${folder} is a folder, not a file`,
    });
    await expect(withFile(pipe, never)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
    await expect(withFile(join(folder, 'none'), never)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
