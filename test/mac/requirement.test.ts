import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RequirementSubject } from '../../src/code-signature/requirement/evaluation.ts';
import { evaluateRequirement } from '../../src/code-signature/requirement/evaluation.ts';
import { parseRequirementText } from '../../src/code-signature/requirement/grammar.ts';
import { ofTheDay } from '../support/by-day.ts';
import { writeSealedBundle } from './simulated/sealed-bundle.ts';
import { SimulatedMac, simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE } from './simulated/test-package.ts';

const APPLE_ROOT = '611e5b662c593a08ff58d14ae22452d198df6c60';
const mark = (oid: string) => ({
  sha1: Buffer.alloc(20),
  subject: new Map(),
  extensions: new Set([oid]),
  policies: new Set<string>(),
});

/** The signer of the sealed bundle, as the evaluation of src/code-signature is told of one. */
const SIGNER: RequirementSubject = {
  identifier: 'com.netflix.Escrow-Buddy',
  cdHashes: [],
  certificates: [
    { ...mark('1.2.840.113635.100.6.1.13'), subject: new Map([['subject.OU', 'ABCDE12345']]) },
    mark('1.2.840.113635.100.6.2.6'),
    { ...mark(''), sha1: Buffer.from(APPLE_ROOT, 'hex') },
  ],
  anchoredByApple: true,
  infoPlist: new Map(),
};

/** Pieces of requirements, right and wrong ones, that texts are put together from. */
const PIECES = [
  'anchor apple generic', 'anchor generic apple', 'anchor apple', 'anchor', '=', '==', '!', '(', ')', '[', ']', '*', '~', ';', '-', '<=',
  'and', 'or', 'identifier', '"com.netflix.Escrow-Buddy"', 'com.netflix', 'com.netflix.Escrow-Buddy', 'identifier "com.netflix.Escrow-Buddy"',
  'certificate leaf[subject.OU] = ABCDE12345', 'certificate leaf[subject.OU] = "ABC"*', 'certificate -3[subject.OU] ~ "DE1"', 'certificate leaf[subject.OU] = *"345"',
  'certificate 1[field.1.2.840.113635.100.6.2.6]', 'certificate 1[field.1.2.840.113635.100.6.2.6] exists', 'certificate leaf[field.1.2.3] absent', 'cert root[policy.1.2.3]',
  `certificate root = H"${APPLE_ROOT}"`, `anchor = H"${'0'.repeat(40)}"`, 'H"00"', 'leaf', 'root', 'trusted', 'cert', 'info[a]', 'absent',
  '/* x */', '# x\u0020', '// x', '/*', '"', '"a\\"b"', '"a\\b"', '0x41', '0x4', '12', 'always', 'true', 'never', 'false', 'exists', 'subject.OU',
]; // biome-ignore format: a table

/** Whole requirements, some of which the bundle meets: pieces by chance seldom make one. */
const WHOLE = [
  'anchor apple generic', 'anchor apple', 'identifier "com.netflix.Escrow-Buddy"', 'identifier com.netflix', 'always', 'never',
  'certificate leaf[subject.OU] = ABCDE12345', 'certificate leaf[subject.OU] = "ABC"', 'certificate -3[subject.OU] ~ "DE1"',
  'certificate 1[field.1.2.840.113635.100.6.2.6] exists', 'certificate leaf[field.1.2.3] exists', `certificate root = H"${APPLE_ROOT}"`,
]; // biome-ignore format: a table

describe.skipIf(simulatedMacNeeds.missing)(`the simulated codesign${simulatedMacNeeds.note}`, () => {
  let mac: SimulatedMac;
  beforeAll(async () => {
    mac = await SimulatedMac.start('dash');
    writeSealedBundle(mac.path(BUNDLE), { short: '1.1.0', build: '10100' }, {});
  });
  afterAll(() => mac?.stop());

  const check = async (requirement: string) =>
    (await mac.run(['/usr/bin/codesign', '--verify', '--strict', '-R', `=${requirement}`, BUNDLE])).status;

  /** What codesign has to end with; undefined where src/code-signature cannot tell either. */
  const expected = (requirement: string): number | undefined => {
    try {
      const verdict = evaluateRequirement(parseRequirementText(requirement), SIGNER);
      return verdict === 'true' ? 0 : verdict === 'false' ? 3 : undefined;
    } catch {
      return 1;
    }
  };

  it(`reads and checks requirements as src/code-signature does${ofTheDay}`, async () => {
    const seen = new Map<number, number>();
    const byChance = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 7 });
    const whole = fc
      .tuple(fc.constantFrom(...WHOLE), fc.constantFrom('and', 'or', 'and !', 'or !'), fc.constantFrom(...WHOLE))
      .map((parts): string[] => parts);
    const texts = fc.oneof(byChance, whole).map((pieces) => pieces.join(' '));
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const [found, wanted] = [await check(text), expected(text)];
        // What only a signature can show is unknown here (97), and false where a subject without it is described.
        if (found !== 97) expect(found, text).toBe(wanted ?? found);
        else expect(wanted, text).not.toBe(1);
        seen.set(found, (seen.get(found) ?? 0) + 1);
      }),
      { numRuns: ofTheDay === '' ? 5000 : 400 },
    );
    for (const status of [0, 1, 3]) expect(seen.get(status), `runs that ended with ${status}`).toBeGreaterThan(5);
  });

  it.each([
    ['our own', 'ABCDE12345', 0],
    ["another team's", 'T4SK8ZXCXG', 3],
    ["nobody's", null, 3],
  ])('tells the designated requirement of %s code apart', async (_, team, status) => {
    writeSealedBundle(mac.path(BUNDLE), { short: '1.1.0', build: '10100', team }, {});
    expect(
      await check(
        'identifier "com.netflix.Escrow-Buddy" and anchor apple generic and certificate leaf[subject.OU] = ABCDE12345',
      ),
    ).toBe(status);
    writeSealedBundle(mac.path(BUNDLE), { short: '1.1.0', build: '10100' }, {});
  });
});
