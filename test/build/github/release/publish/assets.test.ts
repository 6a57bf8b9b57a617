import { describe, expect, it } from 'vitest';
import { assetDifferences, assetSetProblems } from '../../../../../build/github/release/assets.ts';
import { readConfig } from '../../../../../build/plan/config.ts';

describe('assetSetProblems', () => {
  const whole = [
    'Escrow.Buddy-1.1.0.pkg',
    'EscrowBuddy-1.1.0-mdm-kit.zip',
    'SHA256SUMS',
    'release.json',
    'EscrowBuddy.intoto.jsonl',
    'EscrowBuddy.cdx.json',
    'verify-report.json',
    'report.html',
    'smoke-verdicts.jsonl',
  ];

  it.each(whole)('misses %s', async (name) => {
    const config = await readConfig('.');
    const others = whole.filter((other) => other !== name);
    expect(assetSetProblems(others, config, '1.1.0')).toEqual([`missing for a release: ${name}`]);
  });

  it('takes the whole set, with or without a log of the notary, and nothing else', async () => {
    const config = await readConfig('.');
    expect(assetSetProblems(whole, config, '1.1.0')).toEqual([]);
    expect(assetSetProblems([...whole, 'notary-log.json'], config, '1.1.0')).toEqual([]);
    expect(assetSetProblems([...whole, 'other.pkg'], config, '1.1.0')).toEqual(['no asset of a release: other.pkg']);
  });
});

describe('assetDifferences', () => {
  const ours = [{ name: 'a', path: 'a', size: 1, sha256: '0'.repeat(64) }];
  const listed = { name: 'a', state: 'uploaded', size: 1, digest: `sha256:${'0'.repeat(64)}` };

  it.each([
    ['nothing', [listed], []],
    ['a missing asset', [], ['a: there 0 times instead of once']],
    ['an asset more', [listed, { ...listed, name: 'b' }], ['b: not one of ours']],
    ['an unfinished upload', [{ ...listed, state: 'starter' }], ['a: state starter']],
    ['no digest', [{ ...listed, digest: null }], [`a: digest null, ours is sha256:${'0'.repeat(64)}`]],
    ['another size', [{ ...listed, size: 2 }], ['a: 2 bytes, ours has 1']],
    ['an asset twice', [listed, listed], ['a: there 2 times instead of once']],
  ])('tells %s', (_, found, problems) => expect(assetDifferences(ours, found)).toEqual(problems));
});
