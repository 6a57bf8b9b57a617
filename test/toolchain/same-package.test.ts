import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlan } from '../../build/plan/plan.ts';
import type { ProductPlan } from '../../src/package/product.ts';
import { appleToolchain } from '../../src/toolchain/apple/apple-toolchain.ts';
import { portableToolchain } from '../../src/toolchain/portable/portable-toolchain.ts';
import { type AppleMachine, makeAppleMachine } from '../support/apple-tools/apple-machine.ts';
import { componentContent, NORMALISATIONS } from '../support/component-content.ts';
import { type Made, makeUnsigned } from './contract.ts';

let machine: AppleMachine;
let work: string;
let portable: Made;
let apple: Made;
const options = { signal: new AbortController().signal };
const portableTools = portableToolchain(async () => {
  throw new Error('an ad-hoc signature has no timestamp');
});

beforeAll(async () => {
  machine = await makeAppleMachine();
  work = mkdtempSync(join(tmpdir(), 'same-package-'));
  const plan = await makePlan({ root: process.cwd(), outFolder: work, sourceDateEpoch: '1700000000' });
  portable = await makeUnsigned(portableTools, plan, join(work, 'portable.pkg'));
  apple = await makeUnsigned(appleToolchain(), plan, join(work, 'apple.pkg'));
});

afterAll(() => {
  machine?.dispose();
  rmSync(work, { recursive: true, force: true });
});

describe(`both toolchains, but for ${Object.keys(NORMALISATIONS).join(', ')}`, () => {
  it('build the same members with the same content', async () => {
    const [ours, theirs] = [await componentContent(portable.product.path), await componentContent(apple.product.path)];
    expect(Object.keys(theirs)).toEqual(Object.keys(ours));
    expect(Object.keys(ours)).toHaveLength(5);
    for (const member of Object.keys(ours)) expect(theirs[member], member).toEqual(ours[member]);
  });

  it('report the same counters', () => {
    const { numberOfFiles, installKBytes } = portable.product;
    expect(apple.product).toMatchObject({ numberOfFiles, installKBytes });
  });

  it.each<[string, (plan: ProductPlan) => ProductPlan]>([
    ['mode', (plan) => change(plan, { mode: 0o600 })],
    ['time', (plan) => change(plan, { mtimeSeconds: 1700000001 })],
    ['version', (plan) => ({ ...plan, component: { ...plan.component, version: '9.9.9' } })],
    ['location', (plan) => ({ ...plan, component: { ...plan.component, installLocation: '/Library' } })],
    ['title', (plan) => ({ ...plan, title: 'Another' })],
    ['bundle list', (plan) => ({ ...plan, component: { ...plan.component, bundles: [] } })],
    ['scripts', (plan) => ({ ...plan, component: { ...plan.component, scripts: plan.component.scripts.slice(0, 2) } })],
  ])('are told apart by another %s', async (name, alter) => {
    const path = join(work, `${name}.pkg`);
    await portableTools.packageBuilder.build(alter(portable.plan), path, options);
    expect(await componentContent(path)).not.toEqual(await componentContent(apple.product.path));
  });
});

function change(plan: ProductPlan, facts: { mode?: number; mtimeSeconds?: number }): ProductPlan {
  const payload = plan.component.payload.map((entry) =>
    entry.kind === 'file' && entry.path.endsWith('Info.plist') ? { ...entry, ...facts } : entry,
  );
  return { ...plan, component: { ...plan.component, payload } };
}
