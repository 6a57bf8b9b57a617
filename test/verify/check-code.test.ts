import { beforeAll, describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import { FormatError } from '../../src/base/errors.ts';
import { LIMITS } from '../../src/base/input/limits.ts';
import { FLAG_ADHOC } from '../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../src/code-signature/requirement/requirement-set.ts';
import { signSlice } from '../../src/code-signature/sign/sign-macho.ts';
import type { CpioEntry } from '../../src/cpio/read.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { checkCode } from '../../src/verify/code.ts';
import type { PackageExpectations } from '../../src/verify/expectations.ts';
import { Tree } from '../../src/verify/tree.ts';
import { sampleSlice } from '../code-signature/sample.ts';

interface File {
  readonly path: string;
  readonly data: Buffer;
  readonly kind?: CpioEntry['kind'];
  /** What its header says, where that is another number. */
  readonly size?: number;
}

/** Nothing but its first bytes makes it code, so that checking it costs nothing. */
const code = (path: string, more: Partial<File> = {}): File => ({
  path,
  data: Buffer.from('cffaedfe'.padEnd(64, '0'), 'hex'),
  ...more,
});
const inner = (path: string, more: Partial<File> = {}): File => ({
  path,
  data: Buffer.from('xar!\0\x1c\0\x01'),
  ...more,
});

async function* entries(files: readonly File[]): AsyncGenerator<CpioEntry> {
  for (const { path, data, kind = 'file', size = data.length } of files)
    yield {
      path,
      kind,
      mode: 0o644,
      header: { device: 1, ino: 1, nlink: 1, uid: 0, gid: 0, fileSize: size },
      data: (async function* () {
        yield data;
      })(),
    } as unknown as CpioEntry;
}

interface Asked {
  readonly ours?: { readonly madeBy: 'portable' | 'apple'; readonly teamIdentifier: string | null };
  readonly allowUnsigned?: boolean;
  readonly fromScripts?: boolean;
  /** What the second reading gives; the same files where nothing is said. */
  readonly again?: () => AsyncIterable<CpioEntry>;
}

/** The checks, and the packages that were looked into. */
async function outcome(files: readonly File[], { ours, allowUnsigned, fromScripts = false, again }: Asked = {}) {
  const tree = new Tree(10_000);
  for await (const { data } of tree.observe(entries(files))) for await (const _ of data);
  const list = new CheckList('a');
  const looked: string[] = [];
  const read = { name: 'payload', tree, fromScripts, packageSize: 1000, spend: () => {}, again: again ?? (() => entries(files)) };
  const expectations = { trust: appleTrust(), now: new Date('2026-01-01'), ours: ours ?? null, allowUnsigned };
  const slices = await checkCode(list, read, expectations as unknown as PackageExpectations, async (path) => {
    looked.push(path);
  });
  const said = (id: string) => list.checks.filter((one) => one.id === id).map(({ status, reason }) => (reason === undefined ? status : `${status}: ${reason}`));
  return { said, looked, slices, all: list.checks };
} // biome-ignore format: short

let adHoc: Buffer;
beforeAll(async () => {
  const requirements = encodeRequirementSet(null);
  const options = { identifier: 'tool', flags: FLAG_ADHOC, teamIdentifier: null, infoPlist: null, codeResources: null, requirements, cms: null };
  adHoc = (await signSlice(sampleSlice('arm64'), options)).data;
}); // biome-ignore format: short

describe('what is not looked into', () => {
  const zips = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ path: `./${at}.zip`, data: Buffer.from('PK\x03\x04'.padEnd(64)) }));

  it.each<[number, string | undefined]>([
    [0, undefined],
    [1, '0'],
    [3, '0 1 2'],
    [4, '0 1 2 and 1 more'],
    [5, '0 1 2 and 2 more'],
  ])('is told by name, three at most: %i archives', async (count, expected) => {
    const { said } = await outcome([...zips(count), { path: './text', data: Buffer.from('text') }]);
    const told = said('code-in-archives').map((words) =>
      words.replace(/^skipped: not looked into: /, '').replace(/\.\/(\d)\.zip \(a zip archive\)/g, '$1').replaceAll(',', ''),
    );
    expect(told).toEqual(expected === undefined ? [] : [expected]);
  }); // biome-ignore format: a chain
});

describe('the second reading', () => {
  it('is made only where there is code or a package', async () => {
    const text = { path: './text', data: Buffer.from('text') };
    const never = () => {
      throw new TypeError('read again');
    };
    expect((await outcome([text], { again: never })).said('code-signatures')).toHaveLength(1);
    for (const wanted of [code('./tool'), inner('./a.pkg')])
      await expect(outcome([text, wanted], { again: never })).rejects.toThrow('read again');
  });

  it('looks at the files of code and the packages alone', async () => {
    const files = [inner('./a.pkg'), { path: './text', data: Buffer.from('text') }, inner('./b.pkg')];
    const link = { ...inner('./b.pkg'), kind: 'symlink' as const };
    expect((await outcome(files)).looked).toEqual(['a.pkg', 'b.pkg']);
    expect((await outcome(files, { again: () => entries([link, ...files.slice(0, 2)]) })).looked).toEqual(['a.pkg']);
  });

  it('records an error about the file, and no other', async () => {
    const broken = new FormatError('CPIO_MAGIC', 'CpioHeader', 0, 'x');
    const throwing = (error: Error) => () => ({
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }),
    });
    const { said } = await outcome([code('./tool')], { again: throwing(broken) });
    expect(said('code-signatures')).toEqual(['fail: CpioHeader, offset 0: x']);
    await expect(outcome([code('./tool')], { again: throwing(new TypeError('ours')) })).rejects.toThrow('ours');
  });

  it.each([
    ['package', inner, LIMITS.nestedPackageBytes],
    ['code', code, LIMITS.codeBytes],
  ] as const)('refuses a file of a %s above its limit, and goes on', async (what, make, most) => {
    const files = (size: number) => [make('./a', { size }), inner('./b')];
    const above = await outcome(files(most + 1));
    expect(above.all).toContainEqual(
      expect.objectContaining({ id: 'code-macho', reason: expect.stringContaining(`bytes of a ${what} file`) }),
    );
    expect(above.looked).toEqual(['b']);
    expect((await outcome(files(most))).said('code-macho').join()).not.toContain(`bytes of a ${what} file`);
  });

  it.each([
    ['packages', inner],
    ['files of code that hold no slice', code],
  ] as const)(`looks at ${LIMITS.signatures} %s`, async (_, make) => {
    const one = make('./a');
    const limit = async (count: number) => {
      const { said } = await outcome([one], { again: () => entries(Array.from({ length: count }, () => one)) });
      return said('code-signatures').filter((words) => words.includes('slices of code and packages inside it'));
    };
    expect(await limit(LIMITS.signatures)).toEqual([]);
    expect(await limit(LIMITS.signatures + 1)).toHaveLength(1);
  }); // biome-ignore format: short
});

describe('who must have signed', () => {
  const file = () => [{ path: './tool', data: adHoc }];
  const OURS = { madeBy: 'portable', teamIdentifier: 'ABCDE12345' } as const;

  it('is our team, where one is known and there is code', async () => {
    const team = async (asked: Asked, files: readonly File[] = file()) => (await outcome(files, asked)).said('code-our-team');
    expect(await team({ ours: OURS })).toEqual(['fail: arm64 is signed by team null, expected ABCDE12345']);
    expect(await team({ ours: { ...OURS, teamIdentifier: null } })).toEqual([]);
    expect(await team({})).toEqual([]);
    expect(await team({ ours: OURS }, [{ path: './text', data: Buffer.from('text') }])).toEqual([]);
  }); // biome-ignore format: short

  it.each<[string, Asked, string]>([
    ['somebody', {}, 'fail'],
    ['nobody in a development build', { allowUnsigned: true }, 'skipped'],
    ['nobody among scripts', { fromScripts: true }, 'skipped'],
    ['somebody among scripts of ours', { fromScripts: true, ours: OURS }, 'fail'],
    ['nobody in a development build of ours', { allowUnsigned: true, ours: OURS }, 'skipped'],
  ])('is %s', async (_, asked, status) => {
    expect((await outcome(file(), asked)).all.find(({ id }) => id === 'code-cms')?.status).toBe(status);
  });

  it('may put things as codesign of any release does, where Apple’s tools made the package', async () => {
    const words = async (madeBy: 'portable' | 'apple') =>
      (await outcome(file(), { ours: { ...OURS, madeBy }, allowUnsigned: true })).said('code-directory').join();
    const ours = 'version 0x20400, expected 0x20500';
    expect(await words('portable')).toContain(ours);
    expect(await words('apple')).toMatch(/^fail: /);
    expect(await words('apple')).not.toContain(ours);
  });
});
