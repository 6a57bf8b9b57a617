import { describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import { readCpio } from '../../src/cpio/read.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import type { OpenComponent } from '../../src/package/open-package.ts';
import type { PackageInfo } from '../../src/package/package-info.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import type { OurForm, PackageExpectations } from '../../src/verify/expectations.ts';
import { checkNoScripts, checkScripts, readScripts } from '../../src/verify/scripts.ts';
import { type PayloadPath, Tree } from '../../src/verify/tree.ts';
import { collect, directory, file, inPieces, symlink } from '../support/payload.ts';

const SCRIPT = '#!/bin/sh\nexit 0\n';
const named = (...names: string[]): PackageInfo['scripts'] => names.map((name) => ({ name, file: `./${name}` }));
const script = (path: string, text: Buffer | string = SCRIPT, mode = 0o755) => file(path, text, mode);

async function read(entries: readonly PayloadEntry[], scripts = named('postinstall'), pieces = 1 << 24) {
  const list = new CheckList('a');
  const archive = await collect(writeCpio([directory('.'), ...entries]));
  const info = { scripts } as unknown as PackageInfo;
  const found = await readScripts(list, readCpio(inPieces(archive, pieces)), new Tree(1000), info);
  return { list, found };
}

interface Surroundings {
  readonly scripts?: PackageInfo['scripts'];
  readonly ours?: Partial<OurForm>;
  readonly installLocation?: string;
  readonly payload?: readonly Partial<PayloadPath>[];
  readonly signedAt?: Date;
}

async function check(entries: readonly PayloadEntry[], around: Surroundings = {}): Promise<string[]> {
  const { scripts = named('postinstall'), ours, installLocation = '/', payload, signedAt } = around;
  const { list, found } = await read(entries, scripts);
  if (!found) throw new Error('not read');
  const component = { info: { scripts, installLocation } } as unknown as OpenComponent;
  const known = { payload: payload as PayloadPath[] | undefined, signedAt };
  checkScripts(list, found, component, known, { ours: ours ?? null } as PackageExpectations);
  return list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`);
}

describe('checkScripts', () => {
  it('passes scripts that are named and can run', async () => {
    expect(await check([script('./postinstall')])).toEqual(['scripts pass']);
    expect(await check([script('./postinstall'), file('./data', 'x')])).toEqual(['scripts pass']);
  });

  it.each<[string, readonly PayloadEntry[], string]>([
    ['one that is missing', [script('./other')], './postinstall is missing'],
    ['a folder', [directory('./postinstall')], './postinstall is a folder, no script'],
    ['a link', [script('./other'), symlink('./postinstall', 'other')], './postinstall is a symbolic link, no script'],
    ['one that nobody may run', [script('./postinstall', SCRIPT, 0o644)], './postinstall '],
    ['one without an interpreter', [script('./postinstall', 'exit 0\n')], './postinstall '],
  ])('refuses %s', async (_, entries, words) => {
    // When the package was signed does not matter where no interpreter is gone.
    for (const signedAt of [undefined, new Date('2015-01-01'), new Date('2030-01-01')]) {
      const [found, ...more] = await check(entries, signedAt && { signedAt });
      expect(found).toMatch(/^scripts fail: /);
      expect(found).toContain(words);
      expect(more).toEqual([]);
    }
  });

  it.each(['preinstall', 'postinstall', 'preflight', 'postflight', 'preupgrade', 'postupgrade'])(
    'refuses a %s that PackageInfo does not name',
    async (name) => {
      const others = named(name === 'postinstall' ? 'preinstall' : 'postinstall');
      const entries = [script(`./${name}`), ...others.map((one) => script(one.file))];
      expect(await check(entries, { scripts: others })).toEqual([
        `scripts fail: ./${name} is there, but PackageInfo does not name it`,
      ]);
      expect(await check(entries, { scripts: [...others, ...named(name)] })).toEqual(['scripts pass']);
    },
  );

  it.each(['PreInstall', 'PREINSTALL', 'PostFlight'])(
    'refuses one whose name is a script’s but for capitals: %s',
    async (name) => {
      const others = named('postinstall');
      const found = await check([script(`./${name}`), script('./postinstall')], { scripts: others });
      expect(found).toEqual([`scripts fail: ./${name} is there, but PackageInfo does not name it`]);
    },
  );

  it('refuses one that stands under the name of another that PackageInfo names', async () => {
    const entries = [script('./preinstall'), script('./other')];
    expect(await check(entries, { scripts: [{ name: 'preinstall', file: './other' }] })).toEqual([
      'scripts fail: ./preinstall is there, but PackageInfo does not name it',
    ]);
  });

  it('finds the script by the file that PackageInfo names', async () => {
    const scripts = [{ name: 'postinstall', file: './other' }];
    expect(await check([script('./other')], { scripts })).toEqual(['scripts pass']);
    expect(await check([script('./other', 'exit 0\n')], { scripts })).toEqual([expect.stringContaining('./other ')]);
  });

  const brought = script('./postinstall', '#!/Library/A/tool\n');
  it.each<[string, Surroundings, boolean]>([
    ['the payload', { payload: [{ path: './tool', kind: 'file' }], installLocation: '/Library/A' }, true],
    [
      'the payload at a place with slashes',
      { payload: [{ path: './tool', kind: 'file' }], installLocation: '/Library/A//' },
      true,
    ],
    ['a link of the payload', { payload: [{ path: './Library/A/tool', kind: 'symlink' }] }, true],
    ['a folder of the payload', { payload: [{ path: './Library/A/tool', kind: 'directory' }] }, false],
    [
      'the payload in another place',
      { payload: [{ path: './tool', kind: 'file' }], installLocation: '/Library/B' },
      false,
    ],
    ['nobody', {}, false],
  ])('takes an interpreter that %s brings, or refuses it', async (_, around, taken) => {
    const [found] = await check([brought], around);
    expect(found).toMatch(taken ? /^scripts pass$/ : /^scripts fail: /);
  });

  it.each([
    ['preinstall', false],
    ['preflight', false],
    ['preupgrade', false],
    ['postflight', true],
    ['postupgrade', true],
  ])('takes an interpreter of the payload once it is laid down: %s', async (name, taken) => {
    const payload = [{ path: './Library/A/tool', kind: 'file' as const }];
    const [found] = await check([script(`./${name}`, '#!/Library/A/tool\n')], { scripts: named(name), payload });
    expect(found).toMatch(taken ? /^scripts pass$/ : /^scripts fail: /);
  });

  it('notes an interpreter that was there when the package was signed, in packages of others alone', async () => {
    const old = script('./postinstall', '#!/usr/bin/python\n');
    const before = new Date('2015-01-01');
    const now = new Date('2026-01-01');
    expect(await check([old], { signedAt: before })).toEqual([
      'scripts pass',
      expect.stringMatching(/^scripts-interpreter skipped: \.\/postinstall .*; signed before that$/),
    ]);
    // The day of macOS 12.3 itself is one on which it was gone.
    const day = new Date('2022-03-14').getTime();
    const at = async (time: number) => (await check([old], { signedAt: new Date(time) }))[0];
    expect([await at(day - 1), await at(day)]).toEqual(['scripts pass', expect.stringMatching(/^scripts fail: /)]);
    for (const around of [{ signedAt: now }, {}, { signedAt: before, ours: OURS }])
      expect((await check([old], around))[0]).toMatch(/^scripts fail: /);
  });

  const OURS: Partial<OurForm> = { madeBy: 'portable', owner: { uid: 0, gid: 0 }, scripts: ['postinstall'] };
  it.each<[string, readonly PayloadEntry[], string]>([
    ['another mode', [script('./postinstall', SCRIPT, 0o775)], './postinstall has mode 775, expected 755'],
    ['another owner', [{ ...script('./postinstall'), uid: 501 }], './postinstall belongs to 501:0'],
    ['another group', [{ ...script('./postinstall'), gid: 20 }], './postinstall belongs to 0:20'],
    [
      'a program',
      [script('./postinstall'), script('./helper', 'x')],
      './helper does not begin with #!; helper does not belong in it',
    ],
    ['one less', [], './postinstall is missing; postinstall is missing'],
  ])('refuses ours with %s', async (_, entries, words) => {
    expect(await check(entries, { ours: OURS })).toEqual([`scripts fail: ${words}`]);
  });

  it('takes any owner of ours that Apple’s tools packed, as pkgbuild keeps it', async () => {
    const entries = [{ ...script('./postinstall'), uid: 501, gid: 20 }];
    expect(await check(entries, { ours: { ...OURS, madeBy: 'apple' } })).toEqual(['scripts pass']);
    expect(await check([script('./postinstall')], { ours: OURS })).toEqual(['scripts pass']);
  });
});

describe('readScripts', () => {
  const sizes = async (...entries: readonly PayloadEntry[]) => {
    const { found } = await read(entries);
    return found?.texts.map(({ path, text }) => [path, text.length]);
  };

  it('keeps texts whole, and of programs what tells', async () => {
    const binary = Buffer.alloc(5000, 'x');
    binary[511] = 0;
    const later = Buffer.alloc(5000, 'x');
    later[512] = 0;
    expect(await sizes(script('./a', 'x'.repeat(5000)), script('./b', binary), script('./c', later))).toEqual([
      ['./a', 5000],
      ['./b', 512],
      ['./c', 5000],
    ]);
  });

  it('keeps the longest text, and one byte more only as far as it tells', async () => {
    const most = 4 * 1024 * 1024;
    expect(await sizes(script('./a', Buffer.alloc(most, 'x')), script('./b', Buffer.alloc(most + 1, 'x')))).toEqual([
      ['./a', most],
      ['./b', 512],
    ]);
  });

  it('takes 16 MiB of texts in all, and not one byte more', async () => {
    const most = 4 * 1024 * 1024;
    const four = ['a', 'b', 'c', 'd'].map((name) => script(`./${name}`, Buffer.alloc(most, 'x')));
    expect(await sizes(...four)).toHaveLength(4);
    const { list, found } = await read([...four, script('./e', 'x')]);
    expect(found).toBeUndefined();
    expect(list.checks[0]?.reason).toContain('16777216');
  });

  it('keeps texts whole in whatever pieces they come, and of a program the first', async () => {
    const text = Array.from({ length: 500 }, (_, at) => `${at}\n`).join('');
    const binary = Buffer.alloc(5000, 'x');
    binary[3] = 0;
    const { found } = await read([script('./postinstall', text), script('./program', binary)], undefined, 512);
    expect(found?.texts[0]?.text).toBe(text);
    expect(found?.run.get('postinstall')?.toString()).toBe(text);
    expect(found?.texts[1]?.text.length).toBeLessThanOrEqual(512);
  });

  it('keeps what Installer runs, and owners and modes of all', async () => {
    const { found } = await read([
      script('./postinstall'),
      { ...script('./helper', SCRIPT, 0o700), uid: 501, gid: 20 },
    ]);
    expect([...(found?.run.keys() ?? [])]).toEqual(['postinstall']);
    expect(found?.texts.map(({ path, mode, uid, gid }) => [path, mode, uid, gid])).toEqual([
      ['./helper', 0o700, 501, 20],
      ['./postinstall', 0o755, 0, 0],
    ]);
  });
});

describe('checkNoScripts', () => {
  const check = (scripts: PackageInfo['scripts'], ours?: Partial<OurForm>) => {
    const list = new CheckList('a');
    checkNoScripts(
      list,
      { info: { scripts } } as unknown as OpenComponent,
      { ours: ours ?? null } as PackageExpectations,
    );
    return list.checks.map(({ status }) => status);
  };

  it('fails where scripts are named, or are ours', () => {
    expect(check([])).toEqual(['skipped']);
    expect(check([], { scripts: [] })).toEqual(['skipped']);
    expect(check(named('postinstall'))).toEqual(['fail']);
    expect(check([], { scripts: ['postinstall'] })).toEqual(['fail']);
  });
});
