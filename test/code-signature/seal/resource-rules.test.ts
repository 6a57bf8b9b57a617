import { describe, expect, it } from 'vitest';
import {
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
});
