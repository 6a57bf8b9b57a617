import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Manifest, readManifest } from '../../../build/plan/manifest.ts';
import { makePlan, type Plan, REHEARSAL_SUFFIX } from '../../../build/plan/plan.ts';
import { packagePaths } from '../../../build/stages/build-package.ts';
import { verifyPackages } from '../../../build/stages/verify.ts';
import type { Check } from '../../../src/base/check.ts';
import type { PipelineError } from '../../../src/base/errors.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { openRehearsalAuthority, REHEARSAL_TEAM, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { readXar } from '../../../src/xar/read.ts';

/** The release that all tests share, looked at by the stage alone. */
let scratch: string;
let plan: Plan;
let manifest: Manifest;
let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
});
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'verify-stage-'));
  cpSync(inject('releaseFolder'), join(scratch, '1.1.0'), { recursive: true });
  const made = await makePlan({ root: process.cwd(), outFolder: scratch, sourceDateEpoch: '1700000000' });
  plan = { ...made, nameSuffix: REHEARSAL_SUFFIX };
  manifest = (await readManifest(plan.outFolder)) as Manifest;
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const { signal } = new AbortController();
const ALL = ['product', 'guard', 'uninstall', 'request'] as const;
interface Parts {
  readonly mode?: 'release' | 'rehearsal';
  readonly toolchain?: 'apple' | 'portable';
  /** What Apple's tools say of a package. */
  readonly says?: (path: string) => readonly Check[];
  readonly team?: string;
}

/** Runs the stage; tells which packages Apple's tools were asked about. */
async function run({ mode = 'rehearsal', toolchain = 'portable', says = () => [], team = REHEARSAL_TEAM }: Parts = {}) {
  const asked: string[] = [];
  const verifier = (trust: unknown) => ({
    verify: async (path: string, options: { signal?: AbortSignal } = {}) => {
      expect([trust === authority.trust, options.signal]).toEqual([true, signal]);
      asked.push(path);
      return says(path);
    },
  });
  const outcome = await verifyPackages(
    { kind: 'stapled-packages', path: 'PATH', sha256: 'SHA256' },
    { trust: authority.trust, teamIdentifier: team, mode },
    { name: toolchain, verifier } as never,
    { plan, signal },
    manifest,
  ).catch((error: PipelineError) => error);
  return { asked, outcome, error: outcome as PipelineError };
}

const report = () => JSON.parse(readFileSync(join(plan.outFolder, 'verify-report.json'), 'utf8'));
/** Takes the ticket off a package: what lies behind its archive. */
async function unstaple(name: (typeof ALL)[number]): Promise<void> {
  const path = packagePaths(plan)[name];
  const whole = readFileSync(path);
  const { trailing } = await readXar(accessBuffer(whole));
  writeFileSync(path, whole.subarray(0, trailing.offset));
}

describe('verifyPackages', () => {
  it('tells what the product says of itself, and of its timestamp', async () => {
    const before = report();
    rmSync(join(plan.outFolder, 'verify-report.json'));
    const known = manifest.package!;
    manifest = { ...manifest, package: { ...known, timestamp: null } };
    const { outcome, asked } = await run();
    expect(report()).toEqual(before);
    expect(known.timestamp).toBe(before.facts.timestamp);
    const { value, facts } = outcome as Exclude<typeof outcome, Error>;
    expect(value).toEqual({ kind: 'verified-package', path: 'PATH', sha256: 'SHA256' });
    expect(facts!.package).toEqual(known);
    const others = manifest.files.filter(({ role }) => role !== 'verify-report');
    expect(facts!.files).toEqual([...others, manifest.files.find(({ role }) => role === 'verify-report')]);
    expect(asked).toEqual([]);
  });

  it('counts the checks that passed of all packages, and says who is believed', async () => {
    const passed = report().checks.filter(({ status }: Check) => status === 'pass').length;
    const summaries = await Promise.all((['rehearsal', 'release'] as const).map(async (mode) => (await run({ mode })).outcome));
    const [rehearsal, release] = summaries.map((one) => (one as { summary: string }).summary) as [string, string];
    expect(release).toMatch(/^\d+ checks passed$/);
    expect(rehearsal).toBe(`${release}, by the rehearsal authority: no Mac trusts it`);
    expect(Number.parseInt(release, 10)).toBeGreaterThan(passed);
  }); // biome-ignore format: short

  it('says nothing of a package that the manifest does not know yet', async () => {
    manifest = { ...manifest, package: null };
    const { facts } = (await run()).outcome as { facts: Partial<Manifest> };
    expect(Object.keys(facts)).toEqual(['files']);
  });

  it.each<[Required<Pick<Parts, 'mode' | 'toolchain'>>, boolean]>([
    [{ mode: 'release', toolchain: 'apple' }, true],
    [{ mode: 'rehearsal', toolchain: 'apple' }, false],
    [{ mode: 'release', toolchain: 'portable' }, false],
    [{ mode: 'rehearsal', toolchain: 'portable' }, false],
  ])("%j: Apple's own verdict is asked for: %s", async (parts, asks) => {
    const summaryOf = ({ outcome }: { outcome: unknown }) => Number.parseInt((outcome as { summary: string }).summary, 10);
    const plain = await run(parts);
    const says = (): Check[] => [{ id: 'apple', status: 'pass' }, { id: 'other', status: 'skipped' }];
    const more = await run({ ...parts, says });
    const paths = packagePaths(plan);
    expect(more.asked).toEqual(asks ? ALL.map((name) => paths[name]) : []);
    expect(summaryOf(more) - summaryOf(plain)).toBe(asks ? 4 : 0);
  }); // biome-ignore format: short

  it("refuses what Apple's tools refuse, by its name", async () => {
    const bad = packagePaths(plan).uninstall;
    const says = (path: string): Check[] => (path === bad ? [{ id: 'spctl', status: 'fail', reason: 'rejected' }] : []);
    rmSync(join(plan.outFolder, 'verify-report.json'));
    const { error, asked } = await run({ mode: 'release', toolchain: 'apple', says });
    expect(error).toMatchObject({ name: 'VerificationError', code: 'PACKAGE_INVALID' });
    expect(error.message).toMatch(/^extras\/Escrow\.Buddy\.Uninstall-1\.1\.0-rehearsal\.pkg does not verify:\n.*rejected/);
    expect(error.hint).toMatch(/^Nothing was published\./);
    expect(error.message.split('\n')).toHaveLength(2);
    expect([asked.length, () => report()]).toEqual([3, expect.any(Function)]);
    expect(report).toThrow('ENOENT');
  }); // biome-ignore format: short

  it.each(['product', 'request'] as const)('refuses a package without a ticket of its own: %s', async (name) => {
    await unstaple(name);
    const { error } = await run();
    expect(error).toMatchObject({ code: 'PACKAGE_INVALID' });
    expect(error.message).toMatch(/no ticket is stapled to the package$/);
  });

  it('refuses another team, and the form of other tools', async () => {
    const { error } = await run({ team: 'ABCDE12345' });
    expect(error).toMatchObject({ code: 'PACKAGE_INVALID', message: expect.stringMatching(/expected ABCDE12345/) });
    plan = { ...plan, version: '1.1.1' };
    for (const name of ALL) {
      const to = packagePaths(plan)[name];
      cpSync(to.replace('1.1.1', '1.1.0'), to);
    }
    expect((await run()).error).toMatchObject({ code: 'PACKAGE_INVALID', message: expect.stringMatching(/1\.1\.1/) });
  });
});
