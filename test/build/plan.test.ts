import { describe, expect, it } from 'vitest';
import { bundleVersionOf, makePlan } from '../../build/plan.ts';

describe('bundleVersionOf', () => {
  it.each([
    ['1.1.0', 10100],
    ['1.0.99', 10099],
    ['12.34.56', 123456],
  ])('%s is %i', (version, number) => expect(bundleVersionOf(version)).toBe(number));

  it.each(['1.1', '1.1.0-beta', '01.1.0', '1.100.0', '', 'v1.1.0'])('refuses %j', (version) =>
    expect(() => bundleVersionOf(version)).toThrow(/allowed is x\.y\.z/),
  );
});

describe('makePlan', () => {
  const plan = (sourceDateEpoch: string | undefined) =>
    makePlan({ root: process.cwd(), outFolder: '/tmp/out', sourceDateEpoch });

  it('takes the time of the last commit unless told', async () => {
    expect((await plan('1700000000')).sourceDateEpoch).toBe(1700000000);
    expect((await plan(undefined)).sourceDateEpoch).toBeGreaterThan(1700000000);
  });

  it.each(['yesterday', '-1', '4294967296', '1.5'])('refuses SOURCE_DATE_EPOCH=%s', async (epoch) => {
    await expect(plan(epoch)).rejects.toMatchObject({ code: 'EPOCH_INVALID' });
  });
});
