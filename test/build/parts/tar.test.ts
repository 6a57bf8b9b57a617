import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tarFolder } from '../../../build/parts/tar.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'tar-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function makeFolder(name: string, order: readonly string[], time: number): string {
  const folder = join(scratch, name);
  mkdirSync(join(folder, 'b'), { recursive: true });
  for (const path of order) {
    writeFileSync(join(folder, path), `content of ${path}`, { mode: path.endsWith('.sh') ? 0o700 : 0o600 });
    utimesSync(join(folder, path), time, time);
  }
  return folder;
}

describe('tarFolder', () => {
  it('depends on names, bytes and execute bits alone', async () => {
    const first = makeFolder('first', ['a.txt', 'b/run.sh', 'é'], 1_000_000_000);
    const second = makeFolder('second', ['é', 'b/run.sh', 'a.txt'], 1_700_000_000);
    const one = await tarFolder(first, join(scratch, '1.tar'));
    expect((await tarFolder(second, join(scratch, '2.tar'))).sha256).toBe(one.sha256);
    writeFileSync(join(second, 'a.txt'), 'other');
    expect((await tarFolder(second, join(scratch, '3.tar'))).sha256).not.toBe(one.sha256);
  });

  it('is read by tar, with owner root and times of 1970', async () => {
    await tarFolder(makeFolder('folder', ['a.txt', 'b/run.sh'], 1), join(scratch, '1.tar'));
    const { stdout } = spawnSync('tar', ['--numeric-owner', '-tvf', join(scratch, '1.tar')], {
      encoding: 'utf8',
      env: { ...process.env, TZ: 'UTC' },
    });
    expect(stdout).toMatch(/^-rw-r--r--.* 0[/ ]+0 .*1970.* a\.txt\n-rwxr-xr-x.* 0[/ ]+0 .*1970.* b\/run\.sh\n$/);
  });

  it('ends with what cannot be read, and leaves no archive', async () => {
    const folder = makeFolder('folder', ['a.txt'], 1);
    // No buffer of Node.js takes so much; the file has no blocks.
    truncateSync(join(folder, 'a.txt'), 2 ** 42);
    await expect(tarFolder(folder, join(scratch, '1.tar'))).rejects.toMatchObject({ code: 'ERR_FS_FILE_TOO_LARGE' });
    expect(readdirSync(scratch)).toEqual(['folder']);
  });

  it('refuses what is neither file nor folder', async () => {
    const folder = makeFolder('folder', ['a.txt'], 1);
    symlinkSync('/etc/passwd', join(folder, 'link'));
    await expect(tarFolder(folder, join(scratch, '1.tar'))).rejects.toMatchObject({ code: 'TAR_UNSUPPORTED' });
  });
});
