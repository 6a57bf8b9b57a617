import { describe, expect, it } from 'vitest';
import type { BomRecord } from '../../src/bom/bom.ts';
import type { CpioEntry } from '../../src/cpio/read.ts';
import { comparePayload } from '../../src/package/compare-payload.ts';

type Facts = Partial<Pick<CpioEntry, 'kind' | 'mode'>> & { uid?: number; gid?: number; mtimeSeconds?: number };

/** An entry of an archive; each piece of `data` is overwritten once the next one is asked for, as readers do. */
function entry(path: string, data: string | Buffer, facts: Facts = {}): CpioEntry {
  const { kind = 'file', mode = 0o644, uid = 0, gid = 0, mtimeSeconds = 100 } = facts;
  const bytes = Buffer.from(data);
  async function* pieces() {
    for (const byte of bytes) {
      const piece = Buffer.from([byte]);
      yield piece;
      piece.fill(0);
    }
  }
  const header = { uid, gid, mtimeSeconds, fileSize: bytes.length } as CpioEntry['header'];
  return { header, name: path, path, kind, mode, data: pieces(), offset: 0 } as CpioEntry;
}

async function* listed(entries: readonly CpioEntry[]): AsyncGenerator<CpioEntry> {
  yield* entries;
}

// The sums are those that `cksum` prints.
const COMMON = { uid: 0, gid: 0, mtimeSeconds: 100 };
const FILE: BomRecord = { ...COMMON, path: './f', kind: 'file', mode: 0o644, size: 5, cksum: 3287646509 };
const LINK: BomRecord = { ...FILE, path: './l', kind: 'symlink', mode: 0o755, linkTarget: 'hello' };
const FOLDER: BomRecord = { ...COMMON, path: './d', kind: 'directory', mode: 0o755, size: 96 };

const file = (facts?: Facts) => entry('./f', 'hello', facts);
const link = () => entry('./l', 'hello', { kind: 'symlink', mode: 0o755 });
const folder = () => entry('./d', '', { kind: 'directory', mode: 0o755 });

const differences = async (entries: readonly CpioEntry[], records: readonly BomRecord[]) =>
  (await comparePayload(listed(entries), records)).differences;

describe('comparePayload', () => {
  it('finds none in a file, a link and a folder, whose size is another', async () => {
    const facts = await comparePayload(listed([file(), link(), folder()]), [FILE, LINK, FOLDER]);
    expect(facts).toEqual({ entries: 3, bytes: 5, differences: [] });
  });

  it('counts the bytes of all files, and finds no difference without a Bom', async () => {
    const entries = [folder(), file(), link(), entry('./g', 'abc')];
    expect(await comparePayload(listed(entries), undefined)).toEqual({ entries: 4, bytes: 8, differences: [] });
  });

  it.each<[string, Partial<BomRecord>, string]>([
    ['kind', { kind: 'directory' }, 'kind directory in the Bom, file in the payload'],
    ['mode', { mode: 0o44 }, 'mode 0044 in the Bom, 0644 in the payload'],
    ['set user id', { mode: 0o4644 }, 'mode 4644 in the Bom, 0644 in the payload'],
    ['owner', { uid: 501 }, 'uid 501 in the Bom, 0 in the payload'],
    ['group', { gid: 80 }, 'gid 80 in the Bom, 0 in the payload'],
    ['time', { mtimeSeconds: 101 }, 'mtime 101 in the Bom, 100 in the payload'],
    ['size', { size: 6 }, 'size 6 in the Bom, 5 in the payload'],
    ['sum', { cksum: 1 }, 'cksum 1 in the Bom, 3287646509 in the payload'],
  ])('names another %s of a file', async (_, change, expected) => {
    expect(await differences([file()], [{ ...FILE, ...change }])).toEqual([`./f: ${expected}`]);
  });

  it.each<[string, Partial<BomRecord>, string]>([
    ['target', { linkTarget: 'other' }, 'target other in the Bom, hello in the payload'],
    ['size', { size: 4 }, 'size 4 in the Bom, 5 in the payload'],
    ['sum', { cksum: 1 }, 'cksum 1 in the Bom, 3287646509 in the payload'],
  ])('names another %s of a link', async (_, change, expected) => {
    expect(await differences([link()], [{ ...LINK, ...change }])).toEqual([`./l: ${expected}`]);
  });

  it.each<[string, Partial<BomRecord>, string]>([
    ['mode', { mode: 0o700 }, 'mode 0700 in the Bom, 0755 in the payload'],
    ['owner', { uid: 1 }, 'uid 1 in the Bom, 0 in the payload'],
  ])('names another %s of a folder', async (_, change, expected) => {
    expect(await differences([folder()], [{ ...FOLDER, ...change }])).toEqual([`./d: ${expected}`]);
  });

  it('names architectures that the file does not have', async () => {
    const one = { cpuType: 7, cpuSubtype: 3, size: 5, cksum: 3287646509 };
    expect(await differences([file()], [{ ...FILE, architectures: [one] }])).toEqual([
      `./f: architectures ${JSON.stringify([one])} in the Bom, [] in the payload`,
    ]);
    expect(await differences([file()], [{ ...FILE, architectures: [] }])).toEqual([]);
  });

  it('takes the architectures of a program, and asks for none where the Bom names none', async () => {
    // struct mach_header (mach-o/loader.h), i386: magic, cputype, cpusubtype, filetype, three counts and flags.
    const header = Buffer.alloc(28);
    for (const [index, value] of [0xfeedface, 7, 3, 2].entries()) header.writeUInt32LE(value, index * 4);
    const program = () => entry('./f', header);
    const cksum = 3077994539;
    const architectures = [{ cpuType: 7, cpuSubtype: 3, size: 28, cksum }];
    expect(await differences([program()], [{ ...FILE, size: 28, cksum }])).toEqual([]);
    expect(await differences([program()], [{ ...FILE, size: 28, cksum, architectures }])).toEqual([]);
    const other = [{ cpuType: 7, cpuSubtype: 4, size: 28, cksum }];
    expect(await differences([program()], [{ ...FILE, size: 28, cksum, architectures: other }])).toEqual([
      `./f: architectures ${JSON.stringify(other)} in the Bom, ${JSON.stringify(architectures)} in the payload`,
    ]);
    // A link is no program, whatever its Bom record says.
    expect(await differences([link()], [{ ...LINK, architectures: other }])).toEqual([]);
  });

  it('asks for the path alone where the Bom lists no more', async () => {
    expect(await differences([file({ mode: 0o600, uid: 5 })], [{ ...FILE, pathOnly: true }])).toEqual([]);
    expect(await differences([], [{ ...FILE, pathOnly: true }])).toEqual(['./f: in the Bom, not in the payload']);
  });

  it('names what one of the two lacks, and a path that the payload has twice', async () => {
    expect(await differences([file(), file()], [FILE, FOLDER])).toEqual([
      './f: in the payload, not in the Bom',
      './d: in the Bom, not in the payload',
    ]);
  });
});
