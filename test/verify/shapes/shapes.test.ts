import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import type { Policy } from '../../../src/verify/expectations.ts';
import { verifyPackage } from '../../../src/verify/verify-package.ts';
import { readXar } from '../../../src/xar/read.ts';
import { rehearsalSigner } from '../../code-signature/signers.ts';
import { directory, file, symlink } from '../../support/payload.ts';
import { type PackageParts, packageOf } from '../others.ts';

// Packages in other shapes than ours, made by our writers and signed by the rehearsal's authority; see real-packages.test.ts for
// those of other publishers.
let authority: RehearsalAuthority;
beforeAll(async () => {
  ({ authority } = await rehearsalSigner());
});

const IN_TIME = new Date('2023-11-15');

async function check(parts: Partial<PackageParts>, policy?: Policy, change = (data: Buffer) => data, now = IN_TIME) {
  const data = change(await packageOf(authority, parts));
  const options = { trust: authority.trust, now, ours: null, policy };
  const { checks, valid } = await verifyPackage(accessBuffer(data), options);
  const reasonOf = (wanted: string) =>
    checks
      .filter(({ id }) => id === wanted)
      .map(({ status, reason }) => `${status}: ${reason ?? ''}`)
      .join('; ');
  return { checks, valid, reasonOf };
}

const owned = (entry: PayloadEntry, uid: number, gid: number): PayloadEntry => ({ ...entry, uid, gid });

/** A small tree as other publishers lay it down: several folders, owners, links, a second version beside the first. */
const TREE: readonly PayloadEntry[] = [
  directory('./Applications', 0o775),
  owned(directory('./Applications/Tool.app', 0o775), 0, 80),
  owned(file('./Applications/Tool.app/readme.txt', 'first', 0o664), 501, 20),
  directory('./Library'),
  directory('./Library/Tool'),
  directory('./Library/Tool/1.0'),
  file('./Library/Tool/1.0/data', 'older'),
  directory('./Library/Tool/2.0'),
  file('./Library/Tool/2.0/data', 'newer'),
  symlink('./Library/Tool/Current', '2.0'),
];

describe('a package in a shape that ours do not have', () => {
  it('passes: owners, folders that a group may write, links, two versions side by side', async () => {
    const { checks, reasonOf } = await check({ payload: TREE });
    expect(checks.filter(({ status, id }) => status === 'fail' && !id.startsWith('package-'))).toEqual([]);
    expect(reasonOf('bom-payload')).toMatch(/^pass/);
    expect(reasonOf('owners-modes')).toBe('pass: ');
  });

  it.each([
    ['a file that everybody may write', file('./a', 'x', 0o646), 'everybody may write to ./a'],
    ['a folder that everybody may write', directory('./a', 0o757), 'everybody may write to ./a'],
    ['a program that runs as its owner', file('./a', 'x', 0o4755), './a is set-user-ID or set-group-ID'],
    ['a program that runs as its group', file('./a', 'x', 0o2755), './a is set-user-ID or set-group-ID'],
  ])('is noted for %s', async (_, entry, words) => {
    expect((await check({ payload: [entry] })).reasonOf('owners-modes')).toContain(words);
  });

  it.each([
    ['a file that its group may write', file('./a', 'x', 0o664)],
    ['a folder with a sticky bit', directory('./a', 0o1775)],
    ['a link, whose mode means nothing', { ...symlink('./a', 'b'), mode: 0o777 }],
  ])('is not noted for %s', async (_, entry) => {
    expect((await check({ payload: [entry] })).reasonOf('owners-modes')).toBe('pass: ');
  });

  it('passes long after its certificates expired, as the timestamp is from before', async () => {
    const [intime, late] = [
      await check({ payload: TREE }),
      await check({ payload: TREE }, undefined, undefined, new Date('2060-01-01')),
    ];
    expect(intime.valid).toBe(true);
    expect(late.checks.filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('is refused with one bit changed in any part that is signed', async () => {
    const whole = await packageOf(authority, { payload: TREE });
    const { heapStart, signatures } = await readXar(accessBuffer(whole));
    // Room behind a signature is padding; what happens there is noted, see docs/verifying.md.
    const inSlot = (at: number) =>
      signatures.some(({ range }) => at >= heapStart + range.offset && at < heapStart + range.offset + range.size);
    const undetected: number[] = [];
    for (let at = 3; at < whole.length; at += 53) {
      if (inSlot(at)) continue;
      const flip = (data: Buffer) => {
        data[at] = data[at]! ^ 4;
        return data;
      };
      const { valid } = await check({ payload: TREE }, undefined, flip).catch(() => ({ valid: false }));
      if (valid) undetected.push(at);
    }
    expect(undetected).toEqual([]);
  });
});

describe('a policy on paths', () => {
  const paths = async (payload: readonly PayloadEntry[], ...allowedPaths: string[]) =>
    (await check({ payload }, { allowedPaths })).reasonOf('policy-paths');
  const [library, applications] = [TREE.slice(3), TREE.slice(0, 3)];

  it('allows a folder, what lies below it, and the folders on the way to it', async () => {
    expect(await paths(library, '/Library/Tool')).toBe('pass: ');
    expect(await paths(TREE, '/Library/Tool', '/Applications/Tool.app')).toBe('pass: ');
    expect(await paths(TREE, '/')).toBe('pass: ');
  });

  it.each<[string, string]>([
    ['./Library/Toolbox', '/Library/Toolbox is not allowed'],
    ['./Library/Tool-evil', '/Library/Tool-evil is not allowed'],
    ['./Library/Too', '/Library/Too is not allowed'],
    ['./Lib', '/Lib is not allowed'],
  ])('does not allow %s because its name begins like one that is allowed', async (path, words) => {
    expect(await paths([...library, file(path, 'x')], '/Library/Tool')).toBe(`fail: ${words}`);
    expect(await paths([...library, directory(path)], '/Library/Tool')).toBe(`fail: ${words}`);
  });

  it('does not allow another folder, nor a link that leads out', async () => {
    expect(await paths([...applications, ...library], '/Library/Tool')).toContain('/Applications is not allowed');
    const link = symlink('./Library/Tool/out', '../Tool-evil');
    expect(await paths([...library, link], '/Library/Tool')).toContain('leads to /Library/Tool-evil');
  });
});
