import { describe, expect, it } from 'vitest';
import {
  FLAT_RULES_1,
  FLAT_RULES_2,
  RULES_1,
  RULES_2,
  ruleFor,
  rulesFromPropertyList,
  rulesToPropertyList,
} from '../../../src/code-signature/seal/resource-rules.ts';
import type { PropertyListValue } from '../../../src/xml/property-list.ts';

describe('the rules of a seal', () => {
  it.each<[string, string, string | null]>([
    ['Resources/a', 'resource', 'resource'],
    ['Resources/en.lproj/a', 'resource?', 'resource?'],
    ['Resources/Base.lproj/a', 'resource', 'resource'],
    ['Resources/en.lproj/locversion.plist', 'omit', 'omit'],
    ['version.plist', 'resource', 'resource'],
    ['Info.plist', 'omit', null],
    ['PkgInfo', 'omit', null],
    ['embedded.provisionprofile', 'resource', null],
    ['.DS_Store', 'omit', null],
    ['Resources/x/.DS_Store', 'omit', 'resource'],
    ['MacOS/helper', 'nested', null],
    ['MacOS/helper.dSYM/a', 'resource', null],
    ['top', 'nested', null],
    ['other/a', 'resource', null],
    ['Library/Spotlight/a', 'nested', null],
    ['Library/Other/a', 'resource', null],
  ])('say of %s that it is %s, and %s in version 1', (path, expected, first) => {
    const said = (rules: typeof RULES_2) => {
      const found = ruleFor(path, rules);
      return found && `${found.kind}${found.optional ? '?' : ''}`;
    };
    expect([said(RULES_2), said(RULES_1)]).toEqual([expected, first]);
  });

  it.each<[string, string]>([
    ['a', 'resource'],
    ['MacOS/a', 'resource'],
    ['en.lproj/a', 'resource?'],
    ['Base.lproj/a', 'resource'],
    ['en.lproj/locversion.plist', 'omit'],
    ['x/.DS_Store', 'omit'],
    ['Info.plist', 'omit'],
    ['PkgInfo', 'omit'],
  ])('of a flat bundle say of %s that it is %s', (path, expected) => {
    const found = ruleFor(path, FLAT_RULES_2);
    expect(found && `${found.kind}${found.optional ? '?' : ''}`).toBe(expected);
  });

  it('are read back as they are written', () => {
    for (const rules of [RULES_1, RULES_2, FLAT_RULES_2])
      expect(rulesFromPropertyList(rulesToPropertyList(rules))).toEqual({ rules, foreign: [] });
  });

  it('take nothing that codesign does not write', () => {
    const read = (pattern: string, value: PropertyListValue) =>
      rulesFromPropertyList(new Map([[pattern, value]])).foreign;
    expect(read('^PkgInfo$', new Map([['omit', true]]))).toEqual([]);
    expect(read('^Resources/', new Map([['omit', true]]))).toEqual(['^Resources/']);
    expect(read('^.*', false)).toEqual(['^.*']);
    expect(read('^.*', 'true')).toEqual(['^.*']);
    expect(read('^PkgInfo$', true)).toEqual(['^PkgInfo$']);
  });

  it('weigh 1 where nothing is said', () => {
    const read = (value: PropertyListValue) => rulesFromPropertyList(new Map([['^PkgInfo$', value]])).rules;
    const omit = { pattern: '^PkgInfo$', kind: 'omit', optional: false };
    expect(read(new Map([['omit', true]]))).toEqual([{ ...omit, weight: 1 }]);
    expect(read(new Map<string, PropertyListValue>([['omit', true], ['weight', 7], ['optional', true]]))).toEqual([{ ...omit, weight: 7, optional: true }]);
    expect(rulesFromPropertyList(new Map([['^Resources/', true]])).rules[0]?.weight).toBe(1);
  }); // biome-ignore format: short

  // bundlediskrep.cpp of Security-61901: a bundle with a folder `Contents`, and one without.
  it('weigh what codesign has them weigh', () => {
    const weights = (rules: typeof RULES_2) => Object.fromEntries(rules.map(({ pattern, weight }) => [pattern, weight]));
    const localized = (folder: string) => ({
      [`^${folder}.*\\.lproj/`]: 1000,
      [`^${folder}Base\\.lproj/`]: 1010,
      [`^${folder}.*\\.lproj/locversion.plist$`]: 1100,
    });
    const common = {
      '^.*': 1,
      '.*\\.dSYM($|/)': 11,
      '^(.*/)?\\.DS_Store$': 2000,
      '^Info\\.plist$': 20,
      '^PkgInfo$': 20,
      '^version\\.plist$': 20,
      '^embedded\\.provisionprofile$': 20,
    };
    const code = '(Frameworks|SharedFrameworks|PlugIns|Plug-ins|XPCServices|Helpers|MacOS|Library/(Automator|Spotlight|LoginItems))';
    expect(weights(RULES_1)).toEqual({ '^version.plist$': 1, '^Resources/': 1, ...localized('Resources/') });
    expect(weights(RULES_2)).toEqual({ ...common, '^[^/]+$': 10, [`^${code}/`]: 10, '^Resources/': 20, ...localized('Resources/') });
    expect(weights(FLAT_RULES_1)).toEqual({ '^.*': 1, '^version.plist$': 1, ...localized('') });
    expect(weights(FLAT_RULES_2)).toEqual({ ...common, ...localized('') });
  }); // biome-ignore format: a table
});
