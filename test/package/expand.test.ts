import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fromBuffer } from '../../src/base/bytes.ts';
import { removeTree } from '../../src/base/files.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { ODC_HEADER, ODC_MAGIC } from '../../src/cpio/header.ts';
import { comparePayload } from '../../src/package/compare-payload.ts';
import { expandPackage } from '../../src/package/expand.ts';
import { defaultMaxBytes } from '../../src/package/expand-survey.ts';
import { cpioEntries, openPackage } from '../../src/package/open-package.ts';
import { NO_BUNDLE_LISTS, renderPackageInfo } from '../../src/package/package-info.ts';
import { buildProduct } from '../../src/package/product.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { deflatedFile, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'expand-'));
});
afterEach(() => removeTree(scratch));

const signal = new AbortController().signal;
const common = { uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 };
const folder = (path: string, mode = 0o755): PayloadEntry => ({ ...common, kind: 'directory', path, mode });
const file = (path: string, text: string, mode = 0o644): PayloadEntry => ({
  ...common,
  kind: 'file',
  path,
  mode,
  source: fromBuffer(Buffer.from(text)),
});
const link = (path: string, target: string): PayloadEntry => ({
  ...common,
  kind: 'symlink',
  path,
  mode: 0o755,
  target,
});

/** Writes a product whose payload is `payload`, and returns it opened. */
async function productOf(payload: PayloadEntry[]) {
  const path = join(scratch, 'a.pkg');
  const component = {
    identifier: 'com.example.a',
    version: '1',
    installLocation: '/Library',
    payload,
    scripts: [folder('.')],
    bundles: [],
  };
  await buildProduct(
    {
      identifier: 'com.example.a',
      version: '1',
      title: 'A',
      minimumSystemVersion: '11.0',
      component,
      creationTime: 1_700_000_000,
    },
    path,
    signal,
  );
  return openPackage(accessBuffer(readFileSync(path)));
}

/** Returns a cpio archive of entries that no honest writer makes. */
function rawCpio(entries: readonly { name: string; mode: number; data?: string }[]): Buffer {
  const parts = [...entries, { name: 'TRAILER!!!', mode: 0 }].map(({ name, mode, ...rest }) => {
    const data = Buffer.from('data' in rest ? (rest.data ?? '') : '', 'latin1');
    const encoded = Buffer.from(`${name}\0`);
    const zero = { dev: 0, ino: 0, uid: 0, gid: 0, nlink: 1, rdev: 0, mtime: 0 };
    return Buffer.concat([
      ODC_HEADER.encode({ ...zero, magic: ODC_MAGIC, mode, nameSize: encoded.length, fileSize: data.length }),
      encoded,
      data,
    ]);
  });
  const archive = Buffer.concat(parts);
  return Buffer.concat([archive, Buffer.alloc((512 - (archive.length % 512)) % 512)]);
}

/** Returns a bare component with the given Payload, opened. */
async function componentOf(payload: Buffer) {
  const info = renderPackageInfo({
    identifier: 'com.example.a',
    version: '1',
    overwritePermissions: true,
    relocatable: false,
    postinstallAction: 'none',
    auth: 'root',
    payload: { numberOfFiles: 1, installKBytes: 1 },
    bundles: [],
    lists: NO_BUNDLE_LISTS,
    scripts: [],
  });
  const members = [storedFile('Payload', gzipSync(payload)), deflatedFile('PackageInfo', info)];
  const chunks: Buffer[] = [];
  for await (const chunk of emitXar(layoutXar(members, { creationTime: 0 }))) chunks.push(chunk);
  return openPackage(accessBuffer(Buffer.concat(chunks)));
}

describe('expandPackage', () => {
  it('gives back names, contents, modes and links', async () => {
    const opened = await productOf([
      folder('.'),
      folder('./a b'),
      file('./a b/é', 'NFC'),
      file('./a b/e\u0301', 'NFD'),
      file('./a b/empty', ''),
      file('./run', '#!/bin/sh\n', 0o755),
      folder('./closed', 0o555),
      file('./closed/in', 'x', 0o400),
      link('./link', 'a b/é'),
      link('./out', '/etc/passwd'),
    ]);
    const target = join(scratch, 'out');
    mkdirSync(target);
    const counts = await expandPackage(opened, target, signal, { caseSensitive: true });
    const payload = join(target, 'com.example.a.pkg/Payload');
    expect(readFileSync(join(payload, 'a b/é'), 'utf8')).toBe('NFC');
    expect(readFileSync(join(payload, 'a b/e\u0301'), 'utf8')).toBe('NFD');
    expect(lstatSync(join(payload, 'a b/empty')).size).toBe(0);
    expect(lstatSync(join(payload, 'run')).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(payload, 'closed')).mode & 0o7777).toBe(0o555);
    expect(lstatSync(join(payload, 'closed/in')).mode & 0o7777).toBe(0o400);
    expect(readlinkSync(join(payload, 'out'))).toBe('/etc/passwd');
    expect(lstatSync(join(payload, 'run')).mtimeMs).toBe(1_700_000_000_000);
    expect(counts.symlinks).toBe(2);
  });

  it('makes no setuid files', async () => {
    const opened = await productOf([folder('.'), file('./su', 'x', 0o4755)]);
    mkdirSync(join(scratch, 'out'));
    await expandPackage(opened, join(scratch, 'out'), signal);
    expect(lstatSync(join(scratch, 'out/com.example.a.pkg/Payload/su')).mode & 0o7777).toBe(0o755);
  });

  const DIRECTORY = 0o040755;
  const FILE = 0o100644;
  const LINK = 0o120755;
  it.each([
    [
      'a file below a symbolic link',
      [
        { name: '.', mode: DIRECTORY },
        { name: './l', mode: LINK, data: '..' },
        { name: './l/evil', mode: FILE, data: 'x' },
      ],
    ],
    [
      'a file over a symbolic link',
      [
        { name: '.', mode: DIRECTORY },
        { name: './l', mode: LINK, data: '../evil' },
        { name: './l', mode: FILE, data: 'x' },
      ],
    ],
    [
      'a folder over a symbolic link',
      [
        { name: '.', mode: DIRECTORY },
        { name: './l', mode: LINK, data: '..' },
        { name: './l', mode: DIRECTORY },
        { name: './l/evil', mode: FILE },
      ],
    ],
    [
      'a file twice',
      [
        { name: '.', mode: DIRECTORY },
        { name: './f', mode: FILE, data: 'a' },
        { name: './f', mode: FILE, data: 'b' },
      ],
    ],
    [
      'a file below a file',
      [
        { name: '.', mode: DIRECTORY },
        { name: './f', mode: FILE, data: 'a' },
        { name: './f/g', mode: FILE, data: 'b' },
      ],
    ],
    [
      'a name with ..',
      [
        { name: '.', mode: DIRECTORY },
        { name: './../evil', mode: FILE, data: 'x' },
      ],
    ],
    ['an absolute name', [{ name: '/tmp/evil', mode: FILE, data: 'x' }]],
    ['a device', [{ name: './d', mode: 0o020644 }]],
  ])('refuses %s and writes nothing outside', async (_name, entries) => {
    const opened = await componentOf(rawCpio(entries));
    const target = join(scratch, 'out');
    mkdirSync(target);
    writeFileSync(join(scratch, 'witness'), '');
    await expect(expandPackage(opened, target, signal)).rejects.toMatchObject({ name: 'FormatError' });
    expect(readdirSync(scratch).sort()).toEqual(['out', 'witness']);
    expect(existsSync(join(target, 'evil'))).toBe(false);
    expect(existsSync('/tmp/evil')).toBe(false);
  });
});

describe('expandPackage, before it writes', () => {
  const LINK = 0o120755;
  const DIRECTORY = 0o040755;
  const FILE = 0o100644;

  it.each([
    ['capitals', [file('./a', '1'), file('./A', '2')]],
    ['capitals beyond ASCII', [file('./É', '1'), file('./é', '2')]],
    ['Unicode normalisation', [file('./é', '1'), file('./e\u0301', '2')]],
    ['capitals of a folder', [folder('./a'), file('./a/x', '1'), folder('./A'), file('./A/y', '2')]],
    ['capitals, a link and a file', [link('./target', '/etc'), file('./Target', '2')]],
  ])('refuses names that differ in %s, by default that the disk tells them apart', async (_, entries) => {
    const opened = await productOf([folder('.'), ...entries]);
    const target = join(scratch, 'out');
    mkdirSync(target);
    await expect(expandPackage(opened, target, signal)).rejects.toMatchObject({ code: 'EXPAND_COLLISION' });
    expect(readdirSync(target)).toEqual([]);
    await expandPackage(opened, target, signal, { caseSensitive: true });
    expect(readdirSync(join(target, 'com.example.a.pkg/Payload')).length).toBe(2);
  });

  it('takes letters for different that only a dictionary takes for one', async () => {
    const opened = await productOf([folder('.'), file('./Straße', '1'), file('./Strasse', '2'), file('./ı', '3')]);
    mkdirSync(join(scratch, 'out'));
    expect(await expandPackage(opened, join(scratch, 'out'), signal)).toMatchObject({ files: 6 });
  });

  it('refuses what comes out larger than allowed, however small it is', async () => {
    const zeros = { ...file('./zeros', ''), source: fromBuffer(Buffer.alloc(1 << 20)) } as PayloadEntry;
    const opened = await productOf([folder('.'), zeros]);
    const target = join(scratch, 'out');
    mkdirSync(target);
    const limits = { maxBytes: 1 << 20 };
    await expect(expandPackage(opened, target, signal, limits)).rejects.toMatchObject({ code: 'EXPAND_TOO_LARGE' });
    expect(readdirSync(target)).toEqual([]);
    await expandPackage(opened, target, signal, { maxBytes: 2 << 20 });
  });

  it('counts a block for each entry, so that names alone cannot fill the disk', async () => {
    const opened = await productOf([
      folder('.'),
      ...Array.from({ length: 300 }, (_, index) => link(`./${index}`, 'x')),
    ]);
    mkdirSync(join(scratch, 'out'));
    const limits = { maxBytes: 1 << 20 };
    const run = expandPackage(opened, join(scratch, 'out'), signal, limits);
    await expect(run).rejects.toMatchObject({ code: 'EXPAND_TOO_LARGE' });
  });

  it('allows 100 times the size of a package, and 4 GiB in any case', () => {
    expect(defaultMaxBytes(1)).toBe(4 * 2 ** 30);
    expect(defaultMaxBytes(2 ** 30)).toBe(100 * 2 ** 30);
  });

  it('finds an unsafe entry at the end of the payload', async () => {
    const entries = [
      { name: '.', mode: DIRECTORY },
      { name: './f', mode: FILE, data: 'x' },
      { name: './l', mode: LINK, data: '..' },
      { name: './l/evil', mode: FILE, data: 'x' },
    ];
    const opened = await componentOf(rawCpio(entries));
    const target = join(scratch, 'out');
    mkdirSync(target);
    await expect(expandPackage(opened, target, signal)).rejects.toMatchObject({ code: 'EXPAND_UNSAFE' });
    expect(readdirSync(target)).toEqual([]);
  });
});

describe('comparePayload', () => {
  it('finds no difference in what we wrote', async () => {
    const opened = await productOf([folder('.'), file('./f', 'hello'), link('./l', 'f')]);
    const component = opened.components[0]!;
    const facts = await comparePayload(cpioEntries(opened.archive, component.payload!), component.bom!.records);
    expect(facts).toEqual({ entries: 3, bytes: 5, differences: [] });
  });

  it('names every way in which Bom and payload differ', async () => {
    const opened = await productOf([folder('.'), file('./f', 'hello'), file('./g', 'x'), link('./l', 'f')]);
    const component = opened.components[0]!;
    const records = component
      .bom!.records.filter((record) => record.path !== './g')
      .map((record) => (record.path === './f' ? { ...record, mode: 0o755, cksum: 1, uid: 501 } : record))
      .concat({ ...component.bom!.records[0]!, path: './ghost' });
    const { differences } = await comparePayload(cpioEntries(opened.archive, component.payload!), records);
    expect(differences).toEqual([
      './f: mode 0755 in the Bom, 0644 in the payload',
      './f: uid 501 in the Bom, 0 in the payload',
      // From `printf hello | cksum`.
      './f: cksum 1 in the Bom, 3287646509 in the payload',
      './g: in the payload, not in the Bom',
      './ghost: in the Bom, not in the payload',
    ]);
  });

  it.each([
    ['NUL', 'a\0b'],
    ['bytes that are not UTF-8', '\xff\xfe'],
  ])('refuses a link whose target holds %s, and names it', async (_, target) => {
    const archive = rawCpio([
      { name: '.', mode: 0o40755 },
      { name: './l', mode: 0o120755, data: target },
    ]);
    const opened = await componentOf(archive);
    await expect(expandPackage(opened, scratch, signal)).rejects.toMatchObject({ code: 'CPIO_LINK', offset: 78 });
  });
});
