import { describe, expect, it } from 'vitest';
import type { BundleEntry } from '../../../src/code-signature/bundle-entry.ts';
import {
  matchesDigests,
  parseCodeResources,
  sealable,
  sealResources,
} from '../../../src/code-signature/seal/code-resources.ts';
import { RULES_1, RULES_2, ruleFor } from '../../../src/code-signature/seal/resource-rules.ts';
import { sampleBundle } from '../sample.ts';

const file = (path: string): BundleEntry => ({ path, mode: 0o644, data: Buffer.from(path) });

describe('ruleFor', () => {
  it.each([
    ['Info.plist', 'omit', 20],
    ['PkgInfo', 'omit', 20],
    ['version.plist', 'resource', 20],
    ['Resources/a.sh', 'resource', 20],
    ['Resources/.DS_Store', 'omit', 2000],
    ['Resources/en.lproj/a.strings', 'resource', 1000],
    ['Resources/Base.lproj/a.nib', 'resource', 1010],
    ['Resources/en.lproj/locversion.plist', 'omit', 1100],
    ['a.plist', 'nested', 10],
    ['MacOS/helper', 'nested', 10],
    ['XPCServices/a.xpc', 'nested', 10],
    ['MacOS/a.dSYM/x', 'resource', 11],
    ['Other/a', 'resource', 1],
  ])('decides about %s: %s', (path, kind, weight) => {
    expect(ruleFor(path, RULES_2)).toMatchObject({ kind, weight });
  });

  it('leaves what version 1 does not know', () => {
    expect(ruleFor('Other/a', RULES_1)).toBeNull();
    expect(ruleFor('Resources/en.lproj/a', RULES_1)).toMatchObject({ optional: true });
  });
});

describe('sealResources', () => {
  it('reads back as what was sealed', () => {
    const seal = parseCodeResources(sealResources(sampleBundle(), 'Escrow Buddy'));
    expect([...(seal.files2 ?? [])].map(([path, { kind }]) => [path, kind])).toEqual([
      ['Resources/AuthDBSetup.sh', 'file'],
      ['Resources/AuthDBTeardown.sh', 'file'],
      ['Resources/en.lproj/InfoPlist.strings', 'file'],
      ['Resources/link.sh', 'symlink'],
    ]);
    expect([...seal.files.keys()]).not.toContain('Resources/link.sh');
    expect(seal.files2?.get('Resources/en.lproj/InfoPlist.strings')).toMatchObject({ optional: true, sha1: null });
    expect(seal.foreignRules).toEqual([]);
  });

  it('does not depend on the order of the files', () => {
    const forth = sealResources(sampleBundle(), 'Escrow Buddy');
    expect(sealResources(sampleBundle().reverse(), 'Escrow Buddy').equals(forth)).toBe(true);
  });

  it('refuses files in places for code', () => {
    for (const path of ['Contents/settings.plist', 'Contents/MacOS/helper', 'Contents/Helpers/a']) {
      expect(() => sealResources([...sampleBundle(), file(path)], 'Escrow Buddy')).toThrow(
        'only signed code may lie here',
      );
    }
  });
});

describe('sealable', () => {
  it('leaves out the executable, the signature, the staple and what lies beside Contents', () => {
    const names = ['Contents/MacOS/x', 'Contents/_CodeSignature/CodeResources', 'Contents/CodeResources', 'x'];
    expect(sealable([...names, 'Contents/Resources/CodeResources'].map(file), 'x').map(({ path }) => path)).toEqual([
      'Resources/CodeResources',
    ]);
  });
});

describe('parseCodeResources', () => {
  const text = sealResources(sampleBundle(), 'Escrow Buddy').toString();
  it.each([
    ['a hash of another size', text.replace(/(<data>\s+)[A-Za-z0-9+/]{27}=/, '$1AAAA'), 'expected 20 bytes'],
    ['a dictionary without hash', text.replace('<key>hash2</key>', '<key>hash3</key>'), 'has no hash'],
    [
      'no dictionary',
      text.replace(/<key>files<\/key>\n\t<dict>[\s\S]*?\n\t<\/dict>/, '<key>files</key><true/>'),
      'expected a dictionary',
    ],
  ])('refuses %s', (_, bad, problem) => {
    expect(bad).not.toBe(text);
    expect(() => parseCodeResources(Buffer.from(bad))).toThrow(problem);
  });

  const sealed = (value: string) => {
    const data = Buffer.from(
      `<plist version="1.0"><dict><key>files2</key><dict><key>a</key>${value}</dict></dict></plist>`,
    );
    try {
      return parseCodeResources(data).files2?.get('a');
    } catch (error) {
      return (error as Error).message.replace(/^CodeResources, offset 0: /, '');
    }
  };
  const bytes = (size: number) => `<data>${Buffer.alloc(size, 1).toString('base64')}</data>`;
  const dictionary = (...pairs: string[]) =>
    `<dict>${pairs.map((pair) => pair.replace(/^(\w+) /, '<key>$1</key>')).join('')}</dict>`;

  it.each<[string, unknown]>([
    [bytes(20), { kind: 'file', sha1: Buffer.alloc(20, 1), sha256: null, optional: false }],
    [bytes(19), "expected 20 bytes of hash for 'a'"],
    [bytes(32), "expected 20 bytes of hash for 'a'"],
    ['<true/>', "expected data or a dictionary for 'a'"],
    ['<string>x</string>', "expected data or a dictionary for 'a'"],
    [dictionary('symlink <string>b</string>'), { kind: 'symlink', target: 'b' }],
    [dictionary('symlink <true/>'), "'a' has no hash"],
    [dictionary(`cdhash ${bytes(20)}`, 'requirement <string>r</string>'), { kind: 'nested', cdHash: Buffer.alloc(20, 1), requirement: 'r' }],
    [dictionary(`cdhash ${bytes(32)}`, 'requirement <string>r</string>'), "expected 20 bytes of hash for 'a'"],
    [dictionary('cdhash <true/>', 'requirement <string>r</string>'), "expected 20 bytes of hash for 'a'"],
    [dictionary('requirement <string>r</string>'), "'a' has no hash"],
    [dictionary(`cdhash ${bytes(20)}`), "'a' has no hash"],
    [dictionary(`hash ${bytes(20)}`), { kind: 'file', sha1: Buffer.alloc(20, 1), sha256: null, optional: false }],
    [dictionary(`hash2 ${bytes(32)}`), { kind: 'file', sha1: null, sha256: Buffer.alloc(32, 1), optional: false }],
    [dictionary(`hash ${bytes(20)}`, `hash2 ${bytes(32)}`, 'optional <true/>'), { kind: 'file', sha1: Buffer.alloc(20, 1), sha256: Buffer.alloc(32, 1), optional: true }],
    [dictionary(`hash2 ${bytes(32)}`, 'optional <string>true</string>'), { kind: 'file', sha1: null, sha256: Buffer.alloc(32, 1), optional: false }],
    [dictionary(`hash2 ${bytes(20)}`), "expected 32 bytes of hash for 'a'"],
    [dictionary(`hash ${bytes(32)}`), "expected 20 bytes of hash for 'a'"],
  ])('reads %s', (value, expected) => expect(sealed(value)).toEqual(expected)); // biome-ignore format: a table

  it('never matches a pattern that codesign does not write', () => {
    const bad = text.replace('^version.plist$', '(a+)+$');
    expect(parseCodeResources(Buffer.from(bad)).foreignRules).toEqual(['(a+)+$']);
  });
});

describe('matchesDigests', () => {
  const [right, wrong] = ['right', 'wrong'].map((text) => Buffer.from(text)) as [Buffer, Buffer];

  it.each<[Buffer | null, Buffer | null, boolean]>([
    [right, right, true],
    [right, null, true],
    [null, right, true],
    [right, wrong, false],
    [wrong, right, false],
    [wrong, null, false],
    [null, wrong, false],
  ])('asks for every digest that is sealed: SHA-1 %s, SHA-256 %s', (sha1, sha256, expected) => {
    const sealed = { kind: 'file', sha1, sha256, optional: false } as const;
    expect(matchesDigests(sealed, { sha1: right, sha256: right })).toBe(expected);
  });
});
