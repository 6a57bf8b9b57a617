import { describe, expect, it } from 'vitest';
import { madeBy, nameOf, sameTime } from '../../../build/prove/found-package.ts';
import { CheckList } from '../../../src/base/check.ts';
import { UsageError } from '../../../src/base/errors.ts';
import type { OpenPackage } from '../../../src/package/open-package.ts';

type Plan = Parameters<typeof nameOf>[1];
const plan = (change: object = {}) =>
  ({
    config: {
      package: {
        identifier: 'com.example.a',
        guardIdentifier: 'com.example.a.guard',
        uninstallIdentifier: 'com.example.a.uninstall',
        requestIdentifier: 'com.example.a.request',
      },
    },
    sourceDateEpoch: 1_700_000_000,
    timeFrom: 'commit',
    ...change,
  }) as Plan;
const opened = (parts: object) => ({ components: [], archive: {}, ...parts }) as unknown as OpenPackage;
const component = (info: object) => ({ info });

describe('the name of a package', () => {
  const bare = (...identifiers: string[]) =>
    opened({ components: identifiers.map((identifier) => component({ identifier })) });
  const product = (id: string | undefined, inside: string) =>
    opened({ distribution: { product: id === undefined ? undefined : { id } }, components: [component({ identifier: inside })] }); // biome-ignore format: short

  it.each([
    ['com.example.a', 'product'],
    ['com.example.a.guard', 'guard'],
    ['com.example.a.uninstall', 'uninstall'],
    ['com.example.a.request', 'request'],
  ])('is that of its identifier %s', (identifier, name) => {
    expect(nameOf(bare(identifier), plan())).toBe(name);
    expect(nameOf(product(identifier, 'com.example.other'), plan())).toBe(name);
    expect(nameOf(product(undefined, identifier), plan())).toBe(name);
  });

  it('is that of its first component', () =>
    expect(nameOf(bare('com.example.a.guard', 'com.example.a'), plan())).toBe('guard'));

  it.each([
    ['of another product', product('com.example.other', 'com.example.a'), '"com.example.other"'],
    ['that says nothing', opened({}), 'undefined'],
  ])('is asked for with a checkout, %s', (_, found, shown) => {
    const error = (() => {
      try {
        return nameOf(found, plan());
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({
      code: 'PROVE_OTHER_PRODUCT',
      hint: 'Name the checkout that it was made from: --source DIR',
      message: `the package is ${shown}; the sources make com.example.a, com.example.a.guard, com.example.a.uninstall, com.example.a.request`,
    });
  });
});

describe('the tools that made a package', () => {
  it.each([
    ['apple', [{ generatorVersion: 'InstallCmds-832 (22A380)' }]],
    ['portable', [{ generatorVersion: 'xInstallCmds-832' }]],
    ['portable', [{}]],
    ['portable', []],
    ['portable', [{}, { generatorVersion: 'InstallCmds-832' }]],
  ] as const)('are %s where PackageInfo says %j', (name, infos) =>
    expect(madeBy(opened({ components: infos.map(component) }))).toBe(name),
  );
});

describe('the time of a package', () => {
  function timed(creationTime: number | undefined, change: object = {}) {
    const list = new CheckList('package');
    const { sourceDateEpoch, timeFrom } = sameTime(list, opened({ archive: { creationTime } }), plan(change));
    return { sourceDateEpoch, timeFrom, checks: list.checks };
  }
  const check = { id: 'rebuilt-time', subject: 'package' };

  it('is that of the sources', () =>
    expect(timed(1_700_000_000)).toEqual({
      sourceDateEpoch: 1_700_000_000,
      timeFrom: 'commit',
      checks: [{ ...check, status: 'pass' }],
    }));

  it('is taken from the sources where its archive says none', () =>
    expect(timed(undefined)).toMatchObject({ sourceDateEpoch: 1_700_000_000, checks: [{ status: 'pass' }] }));

  it('is told when it is another one, and all else is made under it', () =>
    expect(timed(1_700_000_061)).toEqual({
      sourceDateEpoch: 1_700_000_061,
      timeFrom: 'commit',
      checks: [
        {
          ...check,
          status: 'fail',
          reason: 'the package is of 2023-11-14T22:14:21.000Z, expected 2023-11-14T22:13:20.000Z (commit)',
        },
      ],
    }));

  it('ought to be none in particular where nothing tells', () =>
    expect(timed(1, { timeFrom: 'file times' })).toEqual({
      sourceDateEpoch: 1,
      timeFrom: 'file times',
      checks: [{ ...check, status: 'skipped', reason: 'the sources do not say of when they are' }],
    }));
});
