import { describe, expect, it } from 'vitest';
import type { OpenPackage } from '../../../src/package/open-package.ts';
import { versionProblems } from '../../../src/verify/policy/versions.ts';
import { element } from '../../../src/xml/xml.ts';

const checked = (minimumMacOS: string, ...minima: string[]) => {
  const root = element('installer-gui-script', {}, [
    element('volume-check', {}, [
      element(
        'allowed-os-versions',
        {},
        minima.map((min) => element('os-version', { min })),
      ),
    ]),
  ]);
  const opened = { distribution: { root }, components: [] } as unknown as OpenPackage;
  return versionProblems(minimumMacOS, opened, { code: [], versions: [] }, []).filter((problem) => problem !== false);
};

describe('the policy on versions of macOS', () => {
  it('takes versions as numbers', () => {
    expect(checked('11.0', '11', '10.14.4')).toEqual([]);
    expect(checked('9.10', '9.9')).toEqual([]);
    expect(checked('10.14', '10.14.4')).toEqual(['Installer asks for macOS 10.14.4, expected 10.14 at most']);
  });

  it.each(['10.14.4b', '', 'eleven', '11.'])('does not pass a package that demands macOS %j', (version) => {
    expect(checked('26.0', version)).toEqual([`Installer names the version ${JSON.stringify(version)}, which is none`]);
  });
});
