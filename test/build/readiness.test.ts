import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePlan, type Plan } from '../../build/plan/plan.ts';
import { type PrepareOptions, prepare } from '../../build/prepare.ts';
import { demandReady, type Examination, examinations, examineAll } from '../../build/readiness.ts';
import { NetworkError, UsageError } from '../../src/base/errors.ts';
import { portableNotary } from '../../src/toolchain/portable/notary.ts';
import { portableStapler } from '../../src/toolchain/portable/stapler.ts';

let root: string;
let plan: Plan;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'readiness-'));
  for (const path of ['release.config.json', 'package.json', 'package-lock.json', 'payload', 'scripts'])
    cpSync(path, join(root, path), { recursive: true });
  plan = await makePlan({ root, outFolder: join(root, 'out/1.1.0'), sourceDateEpoch: '0' });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const compiler = async () => ({
  name: 'portable',
  compiler: { versions: async () => ({ clang: '14.0.6', 'ld64.lld': '14.0.7' }) } as never,
});
const found = async (compiles: typeof compiler | null = compiler) =>
  Object.fromEntries(
    (await examineAll(examinations({ plan: async () => plan, compiler: compiles }))).map(({ id, status, reason }) => [
      id,
      `${status}: ${reason}`,
    ]),
  );
const IDS = ['sources', 'info-plist', 'permissions', 'scripts', 'documents', 'toolchain', 'output'];

describe('what a release needs here', () => {
  it('is looked at, and told', async () => {
    const checks = await found();
    expect(Object.keys(checks)).toEqual(IDS);
    for (const reason of Object.values(checks)) expect(reason).toMatch(/^pass: ./);
    expect(checks).toMatchObject({
      toolchain: 'pass: portable: clang 14.0.6, ld64.lld 14.0.7',
      output: `pass: ${plan.outFolder}`,
      documents: expect.stringMatching(/^pass: vocabulary, kit, \d+ packages in package-lock\.json$/),
    });
  });

  it('is less where everything is compiled already', async () => {
    expect(Object.keys(await found(null))).toEqual(IDS.filter((id) => id !== 'sources' && id !== 'toolchain'));
  });

  it.each([
    ['sources', 'payload/plugin/decide.c'],
    ['sources', 'payload/plugin/build.json'],
    ['info-plist', 'payload/Info.plist'],
    ['permissions', 'payload/permissions.json'],
    ['scripts', 'scripts/postinstall.sh'],
    ['scripts', 'scripts/lib/values.sh'],
    ['scripts', 'scripts/kit/install.sh'],
    ['documents', 'payload/plugin/outcomes.json'],
    ['documents', 'payload/kit/README.md'],
    ['documents', 'package-lock.json'],
  ])('is not there: %s without %s', async (id, path) => {
    rmSync(join(root, path));
    const checks = await found();
    const failing = Object.entries(checks).filter(([, reason]) => !reason.startsWith('pass'));
    expect(failing.map(([name]) => name)).toContain(id);
    expect(failing[0]?.[1]).toMatch(/^fail: /);
  });

  it('is a place to write to: the nearest folder that is there', async () => {
    plan = { ...plan, outFolder: join(root, 'a/b/c') };
    expect((await found()).output).toBe(`pass: ${plan.outFolder}`);
    writeFileSync(join(root, 'a'), 'a file');
    expect((await found()).output).toMatch(/^fail: /);
  });

  it.skipIf(process.getuid?.() === 0)(
    'is not a folder that nobody may write to (skipped: needs a user other than root)',
    async () => {
      mkdirSync(join(root, 'a'));
      chmodSync(join(root, 'a'), 0o500);
      plan = { ...plan, outFolder: join(root, 'a/b') };
      expect((await found()).output).toMatch(/^fail: writing is not allowed in /);
      chmodSync(join(root, 'a'), 0o700);
    },
  );
});

const well = (id: string): Examination => ({ id, examine: async () => `${id} is well` });
const fails = (id: string, error: unknown): Examination => ({ id, examine: () => Promise.reject(error) });
const usage = new UsageError('A', 'wrong', { hint: 'Mend it.' });
const network = new NetworkError('B', 'no way');
const missing = () =>
  Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', path: '/none', syscall: 'open' });
const bug = new TypeError('a bug');

describe('what a run is prepared with', () => {
  const prepared = (options: PrepareOptions = {}) => prepare({ root, env: { SOURCE_DATE_EPOCH: '7' } }, options);
  const RELEASE = { mode: 'release' } as const;
  const REHEARSAL = { mode: 'rehearsal', timestamp: async () => undefined, signingTime: () => new Date(0) } as const;

  it('is the plan of the project, or of where it is told to write and compare', async () => {
    const { plan: own, compilesHere } = await prepared();
    expect([own.root, own.outFolder, own.sourceDateEpoch, compilesHere]).toEqual([
      root,
      join(root, 'out/1.1.0'),
      7,
      true,
    ]);
    expect(own.previousPackage).toBeUndefined();
    const { plan: other } = await prepared({ out: 'else', previous: 'a.pkg' });
    expect([other.outFolder, other.previousPackage]).toEqual([resolve('else/1.1.0'), resolve('a.pkg')]);
  });

  it('asks a compiler for its version once', async () => {
    const { toolchainFor } = await prepared({ toolchain: 'portable' });
    const { compiler: asked } = toolchainFor(null);
    expect(asked.versions()).toBe(asked.versions());
  });

  describe('with parts', () => {
    const parts = (toolchain: 'portable' | 'apple' = 'portable') => {
      const slices = [{ architecture: 'arm64', sha256: '0'.repeat(64) }];
      const record = {
        schema: 1,
        version: '1.1.0',
        commit: 'c',
        sourceDateEpoch: 9,
        toolchain,
        tools: { t: '1' },
        slices,
      };
      mkdirSync(join(root, 'compiled'), { recursive: true });
      writeFileSync(join(root, 'compiled/compiled.json'), JSON.stringify(record));
      return root;
    };

    it('is what the machine had that compiled', async () => {
      const { plan: own, compilesHere, toolchainFor } = await prepared({ compiled: parts() });
      expect([own.commit, own.sourceDateEpoch, own.outFolder, compilesHere]).toEqual([
        'c',
        9,
        join(root, 'out/1.1.0'),
        false,
      ]);
      expect([toolchainFor(null).name, await toolchainFor(null).compiler.versions()]).toEqual(['portable', { t: '1' }]);
      expect((await prepared({ compiled: parts(), out: 'else' })).plan.outFolder).toBe(resolve('else/1.1.0'));
    });

    it('needs the tools that compiled, but not to end what is signed, nor against what was typed', async () => {
      await withPath([], async () => {
        const needs = async (options: PrepareOptions) =>
          (await prepared({ compiled: parts('apple'), ...options })).toolchainFor(null).name;
        await expect(needs({})).rejects.toMatchObject({ code: 'TOOLCHAIN_UNAVAILABLE' });
        expect([await needs({ resume: true }), await needs({ toolchain: 'portable' })]).toEqual([
          'portable',
          'portable',
        ]);
        expect((await prepared({ compiled: parts(), resume: true })).toolchainFor(null).name).toBe('portable');
      });
    });

    it('is not what is no folder, or none of parts', async () => {
      writeFileSync(join(root, 'file'), '');
      await expect(prepared({ compiled: join(root, 'file') })).rejects.toThrow(/is a file, not a folder/);
      rmSync(join(root, 'compiled'), { recursive: true, force: true });
      await expect(prepared({ compiled: root })).rejects.toMatchObject({ code: 'PARTS_INVALID' });
    });
  });

  /** Runs some work with these programs alone on PATH. */
  async function withPath<T>(programs: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = process.env.PATH;
    const bin = mkdtempSync(join(root, 'bin-'));
    for (const program of programs) writeFileSync(join(bin, program), '#!/bin/sh\n', { mode: 0o755 });
    process.env.PATH = bin;
    try {
      return await work();
    } finally {
      process.env.PATH = before;
    }
  }

  it.each<[PrepareOptions, object | null, string, boolean]>([
    [{ toolchain: 'portable' }, null, 'portable', true],
    [{ toolchain: 'portable' }, REHEARSAL, 'portable', true],
    [{ toolchain: 'apple' }, null, 'apple', false],
    [{ toolchain: 'apple' }, RELEASE, 'apple', false],
    [{ toolchain: 'apple' }, REHEARSAL, 'apple', true],
    [{ toolchain: 'apple', notary: 'portable' }, RELEASE, 'apple', true],
    [{ toolchain: 'portable', notary: 'apple' }, RELEASE, 'portable', false],
    [{}, RELEASE, 'apple', false],
  ])(
    'of %j and %j are the tools called %s; the portable ones submit and staple: %s',
    async (options, signing, name, portable) => {
      await withPath(['xcrun', 'pkgbuild'], async () => {
        const toolchain = (await prepared(options)).toolchainFor(signing as never);
        expect(toolchain.name).toBe(name);
        expect([toolchain.notary === portableNotary, toolchain.stapler === portableStapler]).toEqual([
          portable,
          portable,
        ]);
      });
    },
  );
});

describe('a list of checks', () => {
  it('says of each what was found, and of one cause once', async () => {
    const list = [well('a'), fails('b', usage), fails('c', network), fails('d', usage), fails('e', usage), well('f')];
    expect(await examineAll(list)).toEqual([
      { id: 'a', status: 'pass', reason: 'a is well' },
      { id: 'b', status: 'fail', reason: 'wrong\nMend it.' },
      { id: 'c', status: 'fail', reason: 'no way' },
      { id: 'd', status: 'skipped', reason: 'needs b' },
      { id: 'e', status: 'skipped', reason: 'needs b' },
      { id: 'f', status: 'pass', reason: 'f is well' },
    ]);
    expect((await examineAll([fails('a', missing())]))[0]).toMatchObject({ status: 'fail' });
    await expect(examineAll([fails('a', bug)])).rejects.toBe(bug);
  });

  const outcome = (...list: Examination[]) =>
    demandReady(list).then(
      () => undefined,
      (error: unknown) => error,
    );
  it('is demanded before a run: all, one, and several that fail', async () => {
    expect(await outcome()).toBeUndefined();
    expect(await outcome(well('a'), well('b'))).toBeUndefined();
    expect(await outcome(well('a'), fails('b', usage))).toBe(usage);
    const file = missing();
    expect(await outcome(fails('a', file))).toBe(file);
    expect(await outcome(fails('a', network), well('b'), fails('c', usage))).toMatchObject({
      code: 'NOT_READY',
      message: '2 things are not ready for a release:\n  no way\n  wrong',
      cause: network,
    });
    expect(await outcome(fails('a', bug))).toBe(bug);
  });
});
