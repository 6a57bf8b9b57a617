import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { checkEntries, type PayloadEntry } from '../../src/tree/entry.ts';
import { check, needs } from '../support/needs.ts';
import { collect, directory, FACTS, file, noise, symlink, text } from '../support/payload.ts';

const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
/** More than all buffers together that are used in turn. */
const large = Buffer.concat([noise(300_000), text(900_000), noise(2_000_000, 2), text(70_000)]);
const entries: PayloadEntry[] = [
  directory('.'),
  directory('./Escrow Buddy.bundle'),
  directory('./Escrow Buddy.bundle/é', 0o700),
  directory('./Escrow Buddy.bundle/e\u0301', 0o1777),
  file('./Escrow Buddy.bundle/run', '#!/bin/sh\n', 0o755),
  file('./Escrow Buddy.bundle/set user id', 'x', 0o4755),
  file('./Escrow Buddy.bundle/empty', '', 0o600),
  file('./Escrow Buddy.bundle/large', large),
  symlink('./Escrow Buddy.bundle/link', 'é/../run'),
].map((entry) => ({ ...entry, ...self }));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cpio-others-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function checkExtracted(rootMode = 0o755): void {
  const expected = checkEntries(entries)
    .map(({ path }) => path.slice(2))
    .filter(Boolean);
  expect((readdirSync(folder, { recursive: true }) as string[]).toSorted()).toEqual(expected.toSorted());
  for (const entry of entries) {
    const path = join(folder, entry.path);
    if (entry.kind === 'symlink') {
      expect(lstatSync(path).isSymbolicLink()).toBe(true);
      expect(readlinkSync(path)).toBe(entry.target);
      continue;
    }
    const mode = entry.path === '.' ? rootMode : entry.mode;
    expect((statSync(path).mode & 0o7777).toString(8)).toBe(mode.toString(8));
    expect(statSync(path).isDirectory()).toBe(entry.kind === 'directory');
    if (entry.kind === 'file') expect(statSync(path).mtimeMs).toBe(FACTS.mtimeSeconds * 1000);
  }
  expect(readFileSync(join(folder, './Escrow Buddy.bundle/large')).equals(large)).toBe(true);
  expect(readFileSync(join(folder, './Escrow Buddy.bundle/empty')).length).toBe(0);
}

describe('an archive of ours', () => {
  const cpio = needs('cpio');
  const both = needs('cpio', 'gzip');
  it.skipIf(both.missing)(`is extracted by GNU cpio, as gzip inflates it${both.note}`, async () => {
    const member = await collect(gzipMember(writeCpio(entries)));
    const archive = check('gzip', ['-dc'], member);
    // It leaves a folder that is there as it is: the root keeps the mode that mkdtemp gave it.
    execFileSync('cpio', ['-i', '-d', '-m', '--quiet'], { cwd: folder, input: archive });
    checkExtracted(0o700);
  });

  const bsdtar = needs('bsdtar');
  it.skipIf(bsdtar.missing)(`is extracted by libarchive, compressed too${bsdtar.note}`, async () => {
    const member = await collect(gzipMember(writeCpio(entries)));
    execFileSync('bsdtar', ['-x', '-p', '-f', '-'], { cwd: folder, input: member });
    checkExtracted();
  });

  it.skipIf(cpio.missing)(`is listed by GNU cpio with owner, mode and size${cpio.note}`, async () => {
    const archive = await collect(writeCpio(entries));
    const listing = execFileSync('cpio', ['-itv', '--quiet', '-n'], {
      input: archive,
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
    }).toString();
    expect(listing.split('\n').filter(Boolean).length).toBe(entries.length);
    expect(listing).toMatch(/^-rwsr-xr-x +1 +\d+ +\d+ +1 Nov 14 +2023 .*set user id$/m);
  });
});
