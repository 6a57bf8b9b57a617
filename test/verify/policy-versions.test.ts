import { describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import type { OpenPackage } from '../../src/package/open-package.ts';
import { judgePolicy } from '../../src/verify/policy.ts';

const judged = (minimumMacOS: string, ...minimumSystemVersions: string[]) => {
  const list = new CheckList('package');
  const opened = { distribution: { minimumSystemVersions } } as unknown as OpenPackage;
  judgePolicy(list, { minimumMacOS }, { opened, teamIdentifier: null, slices: [], components: [] });
  return list.checks[0];
};

describe('the policy on versions of macOS', () => {
  it('takes versions as numbers', () => {
    expect(judged('11.0', '11', '10.14.4')?.status).toBe('pass');
    expect(judged('9.10', '9.9')?.status).toBe('pass');
    expect(judged('10.14', '10.14.4')).toMatchObject({
      reason: 'Installer asks for macOS 10.14.4, expected 10.14 at most',
    });
  });

  it.each(['10.14.4b', '', 'eleven', '11.'])('does not pass a package that demands macOS %j', (version) => {
    expect(judged('26.0', version)).toMatchObject({
      status: 'fail',
      reason: `Installer asks for macOS ${version}, expected 26.0 at most`,
    });
  });
});
