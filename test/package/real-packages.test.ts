import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Bom, BomRecord } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { openPayload } from '../../src/cpio/payload-stream.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { payloadCounters } from '../../src/package/counters.ts';
import { FactGatherer } from '../../src/tree/file-facts.ts';
import { needs, realPackages } from '../support/needs.ts';
import { collect } from '../support/payload.ts';

const bsdtar = needs('bsdtar');
const missing = realPackages.missing || bsdtar.missing;
const note = realPackages.note || bsdtar.note;
const packages = realPackages.folder
  ? readdirSync(join(realPackages.folder, 'pkg')).filter((name) => name.endsWith('.pkg'))
  : ['*.pkg'];
const boms = realPackages.folder ? readdirSync(join(realPackages.folder, 'bom')) : ['*.bom'];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'real-packages-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Extracts a package by libarchive and returns the folders of its components, those that hold a Bom. */
function components(name: string): string[] {
  const target = mkdtempSync(join(folder, 'pkg-'));
  // Its exit code also tells of extended attributes that this file system does not take.
  spawnSync('bsdtar', ['-x', '-f', join(realPackages.folder as string, 'pkg', name), '-C', target]);
  const files = readdirSync(target, { recursive: true, withFileTypes: true });
  // In one package every name is repeated, and libarchive appends the repetition.
  return files
    .filter((entry) => entry.isFile() && entry.name.endsWith('Bom'))
    .map(({ parentPath: path, name: file }) => join(path, file));
}

/** Returns the path of another member of the component that holds this Bom. */
function sibling(bomFile: string, member: 'Payload' | 'PackageInfo' | 'Scripts'): string {
  return bomFile.replaceAll('/Bom', `/${member}`);
}

/** What a Bom record says of an entry of the archive. */
async function recordsOf(payload: string): Promise<Map<string, Partial<BomRecord>>> {
  const found = new Map<string, Partial<BomRecord>>();
  for await (const { path, kind, mode, header, data } of readCpio(openPayload(createReadStream(payload)))) {
    const { uid, gid, mtimeSeconds, fileSize } = header;
    const common = { path, kind, mode, uid, gid, mtimeSeconds };
    if (kind !== 'file') {
      found.set(
        path,
        kind === 'symlink' ? { ...common, size: fileSize, linkTarget: (await collect(data)).toString() } : common,
      );
      continue;
    }
    const gatherer = new FactGatherer(fileSize);
    for await (const chunk of data) gatherer.update(chunk);
    const { size, cksum, macho } = gatherer.finish();
    found.set(path, { ...common, size, cksum, ...(macho ? { architectures: macho.architectures } : {}) });
  }
  return found;
}

describe('packages that others made', () => {
  it.skipIf(missing).each(packages)(
    `%s: Bom and Payload agree in paths, modes, owners, sizes, checksums and architectures${note}`,
    async (name) => {
      const found = components(name);
      expect(found.length).toBeGreaterThan(0);
      for (const bomFile of found) {
        const bom = decodeBom(readFileSync(bomFile));
        const payload = await recordsOf(sibling(bomFile, 'Payload'));
        const scripts = sibling(bomFile, 'Scripts');
        if (existsSync(scripts)) expect((await recordsOf(scripts)).has('.')).toBe(true);
        expect([...payload.keys()].sort()).toEqual(bom.records.map(({ path }) => path).sort());
        for (const record of bom.records) {
          if (!record.pathOnly) expect(record).toMatchObject(payload.get(record.path) as object);
        }
      }
    },
  );

  it.skipIf(missing).each(packages)(
    `%s: its counters are those of its Bom, if pkgbuild --root made it${note}`,
    (name) => {
      for (const bomFile of components(name)) {
        const text = readFileSync(sibling(bomFile, 'PackageInfo'), 'utf8');
        const records = decodeBom(readFileSync(bomFile)).records;
        // Packages.app has its own idea, and --component counts without the root.
        if (!text.includes('generator-version') || records[0]?.pathOnly) continue;
        const number = (attribute: string) => Number(new RegExp(`${attribute}="(\\d+)"`).exec(text)?.[1]);
        expect(payloadCounters(records)).toEqual({
          numberOfFiles: number('numberOfFiles'),
          installKBytes: number('installKBytes'),
        });
      }
    },
  );

  it.skipIf(realPackages.missing).each(boms)(
    `%s is listed, and what we write from it says the same${realPackages.note}`,
    (name) => {
      const bom = decodeBom(readFileSync(join(realPackages.folder as string, 'bom', name)));
      expect(bom.sorted).toBe(true);
      expect(bom.records.length).toBe(basename(name).startsWith('osquery') ? 247 : 54);
      const again = decodeBom(encodeBom(bom.records));
      const sorted = ({ records }: Bom) => records.toSorted((a, b) => (a.path < b.path ? -1 : 1));
      expect(sorted(again)).toEqual(sorted(bom));
      expect(again.totals).toEqual(bom.totals);
    },
  );
});
