import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledRecord, compiledEarlier, readCompiledRecord, writeParts } from '../../../build/parts/parts.ts';
import { tarFolder } from '../../../build/parts/tar.ts';
import type { Compiler } from '../../../src/toolchain/toolchain.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';

let scratch: string;
let root: string;
const SOURCES = [
  'release.config.json',
  'package.json',
  'package-lock.json',
  'CHANGELOG.md',
  'payload',
  'scripts',
  'build/signers',
];
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'parts-'));
  root = join(scratch, 'project');
  for (const path of SOURCES) cpSync(path, join(root, path), { recursive: true });
  writeFileSync(join(root, 'program.mjs'), 'the program');
});
afterAll(() => rmSync(scratch, { recursive: true }));

const sha256 = (data: Buffer | string) => createHash('sha256').update(data).digest('hex');
const SLICES = [
  { architecture: 'x86_64', data: Buffer.from('intel') },
  { architecture: 'arm64', data: Buffer.from('arm') },
] as const;

let made = 0;
/** Fills a folder of parts from the project; returns its path. */
async function written(signing: object = {}): Promise<string> {
  const folder = join(scratch, `parts-${made++}`);
  const plan = { root, config: { signing }, version: '1.2.3', commit: null, sourceDateEpoch: 0 } as never;
  const cli = join(root, 'program.mjs');
  await writeParts(folder, { plan, cli, slices: SLICES, toolchain: 'portable', tools: { clang: '14.0.6' } });
  return folder;
}
const RECORD: CompiledRecord = {
  ...{
    schema: 1,
    version: '1.2.3',
    commit: null,
    sourceDateEpoch: 0,
    toolchain: 'portable',
    tools: { clang: '14.0.6' },
  },
  slices: SLICES.map(({ architecture, data }) => ({ architecture, sha256: sha256(data) })),
};

describe('a folder of parts', () => {
  it('has what a release reads, the program, the slices, and what was compiled', async () => {
    const folder = await written();
    for (const path of [...SOURCES.filter((name) => name !== 'payload'), 'payload/Info.plist', 'payload/kit'])
      expect(existsSync(join(folder, path)), path).toBe(true);
    expect(existsSync(join(folder, 'certificates'))).toBe(false);
    expect(readFileSync(join(folder, 'cli.mjs'), 'utf8')).toBe('the program');
    for (const { architecture, data } of SLICES)
      expect(readFileSync(join(folder, 'compiled', architecture))).toEqual(data);
    const text = readFileSync(join(folder, 'compiled/compiled.json'), 'utf8');
    expect(text).toBe(`${JSON.stringify(RECORD, null, 2)}\n`);
    expect(await readCompiledRecord(folder)).toEqual(RECORD);
  });

  it('has the certificates of keys that are elsewhere, once they are read', async () => {
    const { der } = (await sharedAuthority()).members.installer.certificate;
    const pem = `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
    for (const path of ['certificates/installer.pem', 'own/installer.pem']) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), pem);
    }
    const folder = await written({ externalSigner: { installer: { certificates: 'own/installer.pem' } } });
    for (const path of ['certificates/installer.pem', 'own/installer.pem'])
      expect(readFileSync(join(folder, path), 'utf8')).toBe(pem);
    expect(existsSync(join(folder, 'certificates/application.pem'))).toBe(false);
    writeFileSync(join(root, 'own/installer.pem'), 'no certificate');
    await expect(
      written({ externalSigner: { installer: { certificates: 'own/installer.pem' } } }),
    ).rejects.toMatchObject({
      code: 'IDENTITY_FILE',
    });
    rmSync(join(root, 'certificates'), { recursive: true });
  });

  it.each<[string, object]>([
    ['of another schema', { ...RECORD, schema: 2 }],
    ['of a time before 1970', { ...RECORD, sourceDateEpoch: -1 }],
    ['of a time between two seconds', { ...RECORD, sourceDateEpoch: 0.5 }],
    ['without slices', { ...RECORD, slices: [] }],
    ['of another processor', { ...RECORD, slices: [{ ...RECORD.slices[0], architecture: 'ppc' }] }],
    ['with half a digest', { ...RECORD, slices: [{ ...RECORD.slices[0], sha256: 'ab' }] }],
    ['that says more', { ...RECORD, more: 1 }],
  ])('is none with a record %s', async (_, record) => {
    const folder = await written();
    writeFileSync(join(folder, 'compiled/compiled.json'), JSON.stringify(record));
    await expect(readCompiledRecord(folder)).rejects.toMatchObject({ code: 'PARTS_INVALID' });
  });

  it('may have one slice, compiled at any time', async () => {
    const folder = await written();
    const record = { ...RECORD, sourceDateEpoch: 1, slices: RECORD.slices.slice(0, 1) };
    writeFileSync(join(folder, 'compiled/compiled.json'), JSON.stringify(record));
    expect(await readCompiledRecord(folder)).toEqual(record);
  });

  it('is none without a record', async () => {
    await expect(readCompiledRecord(scratch)).rejects.toMatchObject({
      code: 'PARTS_INVALID',
      message: expect.stringMatching(/^cannot read .*compiled\.json$/),
    });
  });
});

describe('a compiler of parts', () => {
  const other = { join: async () => Buffer.from('joined') } as unknown as Compiler;

  it('hands out slices and tools of the folder, and joins as the one does that it stands for', async () => {
    const compiler = compiledEarlier(await written(), RECORD, other);
    expect(await compiler.compile({} as never, {})).toEqual(SLICES);
    expect([await compiler.versions(), await compiler.join([], {})]).toEqual([RECORD.tools, Buffer.from('joined')]);
  });

  it.each(['x86_64', 'arm64'])('refuses another %s than was compiled', async (architecture) => {
    const folder = await written();
    writeFileSync(join(folder, 'compiled', architecture), 'other');
    await expect(compiledEarlier(folder, RECORD, other).compile({} as never, {})).rejects.toMatchObject({
      code: 'PARTS_CHANGED',
      message: expect.stringContaining(`${architecture} has sha256 ${sha256('other')}, not `),
    });
  });
});

describe('the archive of a folder', () => {
  it('has modes by the bits of execution, whoever has them, and no time', async () => {
    const folder = join(scratch, 'modes');
    mkdirSync(join(folder, 'a/b'), { recursive: true });
    const modes = { 'a/none': 0o600, 'a/b/owner': 0o700, group: 0o610, other: 0o601, read: 0o666 };
    for (const [path, mode] of Object.entries(modes)) {
      writeFileSync(join(folder, path), path);
      chmodSync(join(folder, path), mode);
    }
    const path = join(scratch, 'modes.tar');
    const { sha256: told, size } = await tarFolder(folder, path);
    const tar = readFileSync(path);
    expect([told, size]).toEqual([sha256(tar), tar.length]);
    // POSIX ustar: name at 0, mode at 100, owner at 108, group at 116, size at 124, time at 136; blocks of 512 bytes.
    const entries = [0, 1, 2, 3, 4].map((index) => {
      const field = (at: number, length: number) =>
        tar.toString('latin1', index * 1024 + at, index * 1024 + at + length);
      const number = (at: number, length: number) => Number.parseInt(field(at, length), 8);
      const name = field(0, 100).replace(/\0.*/s, '');
      return [name, number(100, 8), number(108, 8), number(116, 8), number(124, 12), number(136, 12)];
    });
    expect(entries).toEqual([
      ['a/b/owner', 0o755, 0, 0, 9, 0],
      ['a/none', 0o644, 0, 0, 6, 0],
      ['group', 0o755, 0, 0, 5, 0],
      ['other', 0o755, 0, 0, 5, 0],
      ['read', 0o644, 0, 0, 4, 0],
    ]);
    expect(tar.subarray(5 * 1024).every((byte) => byte === 0)).toBe(true);
  });
});
