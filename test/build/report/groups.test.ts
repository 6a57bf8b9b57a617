import { describe, expect, it } from 'vitest';
import { signatureLines } from '../../../build/report/inspect-signature.ts';
import { abilityLines, groupChecks } from '../../../build/report/verification/groups.ts';
import type { Check } from '../../../src/base/check.ts';
import { ABILITIES, type Ability, type AbilityName } from '../../../src/verify/abilities.ts';
import type { PackageReport } from '../../../src/verify/expectations.ts';

const NOTHING = {
  checks: [],
  abilities: [],
  installs: [],
  facts: { signer: null, timestamp: null, ticketIssuedAt: null, slices: [] },
};
const groups = (checks: Check[], change: object = {}) =>
  groupChecks({ ...NOTHING, ...change, checks } as unknown as PackageReport).map(({ name, status, answer }) => [
    name,
    status,
    answer,
  ]);
const [pass, fail, skipped] = (['pass', 'fail', 'skipped'] as const).map(
  (status) =>
    (id: string, reason?: string): Check => ({ id, status, ...(reason && { reason }) }),
) as [(id: string, reason?: string) => Check, (id: string) => Check, (id: string, reason?: string) => Check];

describe('the answer to what is asked of a package', () => {
  it.each<[string, Check[], object, unknown[]]>([
    ['no ticket', [skipped('ticket')], {}, ['notarized', 'skipped', 'no ticket']],
    [
      'no ticket, whatever lies behind the archive',
      [skipped('ticket'), pass('trailing-bytes')],
      {},
      ['notarized', 'skipped', 'no ticket'],
    ],
    ['why there is no ticket', [skipped('ticket', 'it has none')], {}, ['notarized', 'skipped', 'it has none']],
    [
      'a ticket',
      [pass('ticket')],
      { facts: { ...NOTHING.facts, ticketIssuedAt: new Date(0) } },
      ['notarized', 'pass', 'ticket of 1970-01-01T00:00:00.000Z'],
    ],
    [
      'nothing, nor that it has code',
      [pass('distribution')],
      { installs: [{ identifier: 'a', version: '1', installLocation: '/', numberOfFiles: 1 }] },
      ['installs', 'pass', 'a 1: nothing but a receipt; no code'],
    ],
    [
      'what it lays down',
      [pass('distribution')],
      {
        installs: [{ identifier: 'a', version: '1', installLocation: '/L', numberOfFiles: 2 }],
        facts: {
          slices: [
            { architecture: 'arm64', teamIdentifier: 'T' },
            { architecture: 'x86_64', teamIdentifier: null },
            { architecture: 'arm64', teamIdentifier: 'T' },
          ],
        },
      },
      ['installs', 'pass', 'a 1: 2 entries below /L; code for arm64, x86_64 by T, nobody'],
    ],
    ['a demand', [pass('policy-team')], {}, ['policy', 'pass', 'its demand is met']],
    ['two demands', [pass('policy-team'), skipped('policy-paths')], {}, ['policy', 'pass', 'its 2 demands are met']],
    [
      'a demand that is not met',
      [fail('policy-team'), pass('policy-paths')],
      {},
      ['policy', 'fail', 'one check failed: policy-team'],
    ],
    [
      'one that fails twice',
      [fail('policy-team'), fail('policy-team')],
      {},
      ['policy', 'fail', 'one check failed: policy-team'],
    ],
    [
      'two that fail',
      [fail('policy-team'), fail('policy-paths')],
      {},
      ['policy', 'fail', '2 checks failed: policy-team, policy-paths'],
    ],
  ])('tells of %s', (_, checks, change, expected) => expect(groups(checks, change)).toEqual([expected]));

  it('is left out where nothing was asked', () => expect(groups([])).toEqual([]));
});

describe('abilities', () => {
  const names = Object.keys(ABILITIES) as AbilityName[];
  const early = names.find((name) => ABILITIES[name].before)!;
  const late = names.find((name) => !ABILITIES[name].before)!;
  const of = (ability: AbilityName, ...found: string[]) => found.map((each) => ({ ability, found: each }) as Ability);

  it('have a line each, those first that need nobody’s consent', () => {
    expect(abilityLines([...of(late, 'a'), ...of(early, 'b'), ...of(late, 'c', 'a')])).toEqual([
      `before anybody has agreed: ${ABILITIES[early].description} (b)`,
      `${ABILITIES[late].description} (a, c)`,
    ]);
    expect(abilityLines([])).toEqual([]);
  });

  it('name six places, without the document, and how many more there are', () => {
    const places = ['x.pkg/PackageInfo: a', 'Distribution: b', 'c', 'd', 'e', 'f'];
    const line = (...found: string[]) => abilityLines(of(late, ...found))[0];
    expect(line(...places)).toBe(`${ABILITIES[late].description} (a, b, c, d, e, f)`);
    expect(line(...places, 'g', 'h')).toBe(`${ABILITIES[late].description} (a, b, c, d, e, f, and 2 more)`);
  });
});

describe('signatures that are shown', () => {
  const cms = {
    style: 'CMS' as const,
    size: 9,
    certificates: ['leaf', 'root'],
    notAfter: '2030-01-02T00:00:00.000Z',
    timestamp: 'then',
  };

  it('have their chain, each further in, with the end of the first', () => {
    expect(
      signatureLines(
        [cms, { ...cms, style: 'RSA', timestamp: null, certificates: [] }] as never,
        { kind: 'stapled', size: 7, ticketIssuedAt: 'now' } as never,
      ),
    ).toEqual([
      '  signature   CMS, 9 bytes, timestamp then',
      '              leaf, until 2030-01-02',
      '               root',
      '  signature   RSA, 9 bytes',
      '  behind it   stapled, 7 bytes, ticket of now',
    ]);
  });

  it('may be none, with nothing behind the archive', () => {
    const lines = ['  signature   none', '  behind it   nothing'];
    expect(signatureLines([], { kind: 'absent', size: 0, ticketIssuedAt: null } as never)).toEqual(lines);
  });
});
