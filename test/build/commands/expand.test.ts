import { spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeTree } from '../../../src/base/files.ts';
import { gzipMember } from '../../../src/cpio/gzip.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import { NO_BUNDLE_LISTS, renderPackageInfo } from '../../../src/package/package-info.ts';
import { deflatedFile, emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';
import { collect, directory, file } from '../../support/payload.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'expand-'));
});
afterEach(() => removeTree(scratch));

const CLI = join(process.cwd(), '.build/cli.mjs');
const NOBODY = 65534;
const AS_NOBODY = { uid: NOBODY, gid: NOBODY, env: { PATH: process.env.PATH, NO_COLOR: '1' } };

/** To root, no folder is closed; another user must be able to read this checkout. */
function runsAsNobody(): boolean {
  return process.getuid?.() === 0 && spawnSync(process.execPath, [CLI, '--help'], AS_NOBODY).status === 0;
}

/** Returns a bare component whose payload's root has mode 0555. */
async function closedComponent(): Promise<Buffer> {
  const info = renderPackageInfo({
    ...{ identifier: 'com.example.a', version: '1', overwritePermissions: true, relocatable: false },
    ...{ postinstallAction: 'none', auth: 'root', payload: { numberOfFiles: 2, installKBytes: 1 } },
    ...{ bundles: [], lists: NO_BUNDLE_LISTS, scripts: [] },
  });
  const payload = await collect(gzipMember(writeCpio([directory('.', 0o555), file('./a', 'x')])));
  const members = [storedFile('Payload', payload), deflatedFile('PackageInfo', info)];
  return collect(emitXar(layoutXar(members, { creationTime: 0 })));
}

describe('expand', () => {
  it('fills an empty folder that the person stands in, and leaves it where it is', async () => {
    const folder = join(scratch, 'here');
    mkdirSync(folder);
    const { ino } = statSync(folder);
    expect((await inProcess(['expand', builtPackage(), '.'], { cwd: folder })).status).toBe(0);
    expect(statSync(folder).ino).toBe(ino);
    expect(readdirSync(folder).sort()).toEqual(['Distribution', 'com.netflix.Escrow-Buddy.pkg']);
  });

  it('goes through a link to an empty folder', async () => {
    mkdirSync(join(scratch, 'real'));
    symlinkSync('real', join(scratch, 'link'));
    expect((await inProcess(['expand', builtPackage(), join(scratch, 'link')])).status).toBe(0);
    expect(readdirSync(join(scratch, 'real'))).toContain('Distribution');
    expect(readdirSync(scratch).sort()).toEqual(['link', 'real']);
  });

  it.each([
    ['a file', 'file', /file exists and is not an empty folder/],
    ['a link that leads nowhere', 'dangling', /dangling exists and is not an empty folder/],
    ['a folder that is not empty', '.', /exists and is not an empty folder/],
    ['below a file', 'file/below', /file is not a folder: nothing lies below it/],
    ['in a folder that is missing', 'missing/new', /there is no folder .*missing\nnext: Make it first: mkdir -p/],
  ])('refuses %s and leaves nothing', async (_, name, message) => {
    writeFileSync(join(scratch, 'file'), '');
    symlinkSync('nowhere', join(scratch, 'dangling'));
    const run = await inProcess(['expand', builtPackage(), name], { cwd: scratch });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(readdirSync(scratch).sort()).toEqual(['dangling', 'file']);
  });

  it('leaves nothing of a package that is larger than --max-size', async () => {
    const run = await inProcess(['expand', '--json', '--max-size', '16K', builtPackage(), 'new'], { cwd: scratch });
    expect(run.status).toBe(6);
    expect(JSON.parse(run.stdout)).toMatchObject({ error: { code: 'EXPAND_TOO_LARGE' } });
    expect(readdirSync(scratch)).toEqual([]);
    expect((await inProcess(['expand', '--max-size', '16', builtPackage(), 'new'], { cwd: scratch })).stderr).toContain(
      'such as 50G',
    );
  });

  it.skipIf(!runsAsNobody())(
    'unpacks a folder that its owner may not write to, into a folder that is there; skipped: needs root',
    async () => {
      const path = join(scratch, 'closed.pkg');
      writeFileSync(path, await closedComponent());
      mkdirSync(join(scratch, 'there'));
      for (const name of ['.', 'there']) chownSync(join(scratch, name), NOBODY, NOBODY);
      const run = spawnSync(process.execPath, [CLI, 'expand', path, 'there'], { ...AS_NOBODY, cwd: scratch });
      expect(String(run.stderr)).toBe('');
      expect(statSync(join(scratch, 'there/Payload')).mode & 0o7777).toBe(0o555);
      expect(readdirSync(join(scratch, 'there')).sort()).toEqual(['PackageInfo', 'Payload']);
    },
  );

  it('gives what it unpacks the same modes in a folder that is there as in a new one', async () => {
    writeFileSync(join(scratch, 'closed.pkg'), await closedComponent());
    mkdirSync(join(scratch, 'there'));
    const modes = async (folder: string) => {
      const run = await inProcess(['expand', 'closed.pkg', folder, '--json'], { cwd: scratch });
      expect([run.status, JSON.parse(run.stdout)]).toMatchObject([0, { schema: 1, files: 2, directories: 1 }]);
      const names = ['Payload', 'Payload/a', 'PackageInfo'];
      return names.map((name) => statSync(join(scratch, folder, name)).mode & 0o7777);
    };
    expect(await modes('there')).toEqual([0o555, 0o644, 0o644]);
    expect(await modes('new')).toEqual([0o555, 0o644, 0o644]);
  });

  it('refuses a name that no folder can have', async () => {
    const run = await inProcess(['expand', builtPackage(), 'x'.repeat(300)], { cwd: scratch });
    expect([run.status, run.stderr]).toEqual([2, expect.stringMatching(/name|long/)]);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('refuses a folder without a name', async () => {
    expect((await inProcess(['expand', builtPackage(), ''], { cwd: scratch })).status).toBe(2);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('leaves neither folder nor unfinished folder when the package is damaged', async () => {
    writeFileSync(join(scratch, 'damaged.pkg'), 'xar!');
    expect((await inProcess(['expand', 'damaged.pkg', 'new'], { cwd: scratch })).status).toBe(6);
    expect(existsSync(join(scratch, 'new'))).toBe(false);
    expect(readdirSync(scratch)).toEqual(['damaged.pkg']);
  });
});
