import { describe, expect, it } from 'vitest';
import type { OpenPackage } from '../../../src/package/open-package.ts';
import type { Ability } from '../../../src/verify/abilities.ts';
import type { CodeDemands } from '../../../src/verify/policy/code-facts.ts';
import { versionProblems } from '../../../src/verify/policy/versions.ts';
import { parseXml } from '../../../src/xml/xml.ts';

interface Made {
  /** Inside the Distribution; none without. */
  readonly xml?: string;
  readonly attributes?: string;
  readonly components?: readonly (readonly [folder: string, minimumSystemVersion: string | undefined])[];
  readonly code?: readonly CodeDemands[];
  readonly versions?: readonly { readonly from: string; readonly version: string }[];
  readonly abilities?: readonly Ability['ability'][];
}

function problems(wanted: string, { xml, attributes = '', components = [], code = [], versions = [], abilities = [] }: Made) {
  const root = xml === undefined ? undefined : parseXml(`<installer-gui-script ${attributes}>${xml}</installer-gui-script>`, 'x');
  const opened = {
    distribution: root && { root },
    components: components.map(([folder, minimumSystemVersion]) => ({ folder, info: { minimumSystemVersion } })),
  } as unknown as OpenPackage;
  const able = abilities.map((ability) => ({ ability, before: false, found: `the ${ability}` }));
  return versionProblems(wanted, opened, { code, versions }, able).filter((problem) => problem !== false);
} // biome-ignore format: short

const minima = (...all: string[]) => ({
  xml: `<volume-check><allowed-os-versions>${all.map((min) => `<os-version min="${min}"/>`).join('')}</allowed-os-versions></volume-check>`,
});

describe('the policy on versions of macOS', () => {
  it('asks nothing of a package that says nothing', () => {
    expect(problems('11.0', {})).toEqual([]);
    expect(problems('11.0', { xml: '' })).toEqual([]);
    expect(problems('11.0', { xml: '<os-version/>', components: [['', undefined]] })).toEqual([]);
  });

  it('takes versions as numbers', () => {
    expect(problems('11.0', minima('11', '10.14.4'))).toEqual([]);
    expect(problems('9.10', minima('9.9'))).toEqual([]);
    expect(problems('10.14', minima('10.14.4'))).toEqual(['Installer asks for macOS 10.14.4, expected 10.14 at most']);
  });

  it('asks for every version, wherever it stands', () => {
    expect(problems('11.0', minima('11.0', '11.1', '12.0'))).toEqual([
      'Installer asks for macOS 11.1, expected 11.0 at most',
      'Installer asks for macOS 12.0, expected 11.0 at most',
    ]);
    expect(problems('11.0', { xml: '<os-version min="12"/>' })).toHaveLength(1);
  });

  it('asks for it in whatever capitals it stands', () => {
    expect(problems('11.0', { xml: '<OS-Version MIN="12"/>' })).toEqual([
      'Installer asks for macOS 12, expected 11.0 at most',
    ]);
    expect(problems('11.0', { xml: '<x><os-version Before="11"/></x>' })).toEqual([
      'Installer refuses macOS 11 and later',
    ]);
    expect(problems('11.0', { xml: '<Required-Bundles><bundle id="b"/></Required-Bundles>' })).toHaveLength(1);
    expect(problems('11.0', { xml: '', attributes: 'MinSpecVersion="3"' })).toHaveLength(1);
  });

  it.each(['10.14.4b', '', 'eleven', '11.'])('does not pass a package that demands macOS %j', (version) => {
    const none = `names the version ${JSON.stringify(version)}, which is none`;
    expect(problems('26.0', minima(version))).toEqual([`Installer ${none}`]);
    expect(problems('26.0', { xml: `<os-version before="${version}"/>` })).toEqual([`Installer ${none}`]);
    expect(problems('26.0', { versions: [{ from: 'Info', version }] })).toEqual([`Info ${none}`]);
  });

  it.each([
    ['10.14', ['Installer refuses macOS 10.14 and later']],
    ['10.15', ['Installer refuses macOS 10.15 and later']],
    ['10.16', []],
  ])('asks before which one it is refused: %s', (before, expected) => {
    expect(problems('10.15', { xml: `<os-version min="10.13" before="${before}"/>` })).toEqual(expected);
  });

  it('asks each component and each Info.plist', () => {
    const components = [['a.pkg', '11.0'], ['b.pkg', '12.0'], ['', '13.0']] as const; // biome-ignore format: short
    expect(problems('11.0', { components })).toEqual([
      'PackageInfo of b.pkg asks for macOS 12.0, expected 11.0 at most',
      'PackageInfo of the component asks for macOS 13.0, expected 11.0 at most',
    ]);
    const versions = ['11.0', '12.0'].map((version) => ({ from: 'A', version }));
    expect(problems('11.0', { versions })).toEqual(['A asks for macOS 12.0, expected 11.0 at most']);
  });

  it.each<[string, string, number | null, string[]]>([
    ['11.0', 'x86_64', 0x0b0000, []],
    ['11.0', 'x86_64', 0x0b0100, ['t asks for macOS 11.1, expected 11.0 at most']],
    ['11.0', 'x86_64', 0x0c0000, ['t asks for macOS 12.0, expected 11.0 at most']],
    ['10.15', 'x86_64', 0x0b0000, ['t asks for macOS 11.0, expected 10.15 at most']],
    // Apple silicon begins with macOS 11: a slice for it can ask for no less.
    ['10.15', 'arm64', 0x0b0000, []],
    ['10.15', 'arm64e', 0x0b0000, []],
    ['10.15', 'arm64', 0x0c0000, ['t asks for macOS 12.0, expected 11.0 at most']],
    ['10.15', 'not-arm64', 0x0b0000, ['t asks for macOS 11.0, expected 10.15 at most']],
    ['11', 'arm64', 0x0c0000, ['t asks for macOS 12.0, expected 11 at most']],
    ['12.0', 'arm64', 0x0c0000, []],
    ['12.0', 'arm64', null, ['t does not say on which macOS it runs']],
  ])('on macOS %s asks code for %s', (wanted, architecture, minimumOs, expected) => {
    expect(problems(wanted, { code: [{ name: 't', architecture, minimumOs, teamIdentifier: null }] })).toEqual(
      expected,
    );
  });

  it.each([
    ['', true],
    ['minSpecVersion="1"', true],
    ['minSpecVersion="1.5"', true],
    ['minSpecVersion="2"', true],
    ['minSpecVersion="2.1"', false],
    ['minSpecVersion="3"', false],
    ['minSpecVersion="x"', false],
  ])('knows the formats up to 2: %s', (attributes, passes) => {
    const version = /"(.*)"/.exec(attributes)?.[1];
    const expected = passes ? [] : [`Installer is asked for the format ${version}, which none knows`];
    expect(problems('11.0', { xml: '', attributes })).toEqual(expected);
  });

  it('is not met by a bundle that the Mac must have, nor by JavaScript', () => {
    expect(
      problems('11.0', { xml: '<x><required-bundles><bundle id="b"/><bundle id="c"/></required-bundles></x>' }),
    ).toEqual([
      'Installer refuses a Mac without the bundle b, which is not known here',
      'Installer refuses a Mac without the bundle c, which is not known here',
    ]);
    expect(problems('11.0', { abilities: ['javaScript', 'scripts'] })).toEqual([
      'JavaScript may refuse any macOS, which cannot be known: the javaScript',
    ]);
  });
});
