import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { inProcess } from '../../support/in-process.ts';
import { collect } from '../../support/payload.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kinds-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function write(path: string, content: Buffer | string): string {
  mkdirSync(dirname(join(scratch, path)), { recursive: true });
  writeFileSync(join(scratch, path), content);
  return join(scratch, path);
}

const commands = (given: string): [string, string[]][] => [
  ['inspect', [given]],
  ['expand', [given, join(scratch, 'target')]],
  ['verify', [given]],
  ['staple', [given]],
];

describe('a command given something else', () => {
  it('says that it is a zip archive, and to unzip it', async () => {
    for (const [command, argv] of commands(write('a.pkg', 'PK\x03\x04 and so on'))) {
      const run = await inProcess([command, ...argv]);
      expect([command, run.status]).toEqual([command, 6]);
      expect(run.stderr).toMatch(/but this is a zip archive\n *next: Unzip it, and give the \.pkg that is in it\./);
    }
  });

  it('says what a folder is', async () => {
    write('Old.pkg/Contents/Archive.pax.gz', '');
    write('Plain/readme', '');
    for (const [command, argv] of commands(join(scratch, 'Old.pkg')).slice(0, 3)) {
      const run = await inProcess([command, ...argv]);
      expect([command, run.status]).toEqual([command, 2]);
      expect(run.stderr).toContain('is a folder, not a file: a bundle package');
    }
    for (const argv of [['prove'], ['release', '--rehearsal', '--previous']]) {
      const run = await inProcess([...argv, join(scratch, 'Old.pkg')]);
      expect([run.status, run.stderr]).toEqual([
        2,
        expect.stringContaining('is a folder, not a file: a bundle package'),
      ]);
    }
    expect((await inProcess(['staple', join(scratch, 'Plain')])).stderr).toContain('is a folder, not a file');
    expect((await inProcess(['staple', ''])).stderr).toContain('the file to staple has an empty name');
  });

  it('takes a bundle for a ticket only with what bundles have', async () => {
    write('Real.bundle/Contents/Info.plist', '');
    const run = await inProcess(['staple', '--trust', 'rehearsal', join(scratch, 'Real.bundle')]);
    expect(run.stderr).not.toContain('is a folder, not a file');
    expect(run.status).not.toBe(0);
  });

  it('says what it cannot read as a package, before it proves or compares', async () => {
    const given = write('other.pkg', 'hello');
    for (const argv of [
      ['prove', given],
      ['release', '--rehearsal', '--previous', given],
    ]) {
      const run = await inProcess(argv);
      expect([argv[0], run.status, run.stderr]).toEqual([argv[0], 6, expect.stringContaining('but this is text')]);
    }
    expect((await inProcess(['prove', given, '--source', given])).stderr).toContain('is a file, not a folder');
    expect((await inProcess(['compare', given, given])).status).toBe(6);
  });

  it.each([
    ['text', 'hello', 'text'],
    ['html', '<!DOCTYPE html><p>404', 'an HTML page'],
    ['dmg', Buffer.concat([Buffer.alloc(600, 1), Buffer.from('koly'), Buffer.alloc(508)]), 'a disk image'],
    ['empty', '', 'empty'],
  ])('says so of %s', async (name, content, words) => {
    const run = await inProcess(['verify', write(name, content)]);
    expect([run.status, run.stderr]).toEqual([6, expect.stringContaining(`but this is ${words}`)]);
  });

  it('tells a xip from a package', async () => {
    const members = ['Content', 'Metadata'].map((name) => storedFile(name, Buffer.from(name)));
    const xip = await collect(emitXar(layoutXar(members, { creationTime: 0, signatures: [] })));
    expect((await inProcess(['inspect', write('Xcode.xip', xip)])).stderr).toContain('but this is a xip archive');
  });
});
