import { describe, expect, it } from 'vitest';
import { SMOKE_IMAGES, verdictProblems } from '../../../../build/github/release/verdicts.ts';
import { RELEASE_JOBS } from '../../../github/policy/sealed-jobs.ts';
import { verdict } from './verdicts.ts';

const PACKAGE = { name: 'Escrow.Buddy-1.1.0.pkg', sha256: 'a'.repeat(64), team: 'ABCDE12345' };
const lines = (edit: (one: Record<string, unknown>, image: string) => object | undefined = (one) => one) =>
  SMOKE_IMAGES.map((image) => edit(verdict(image, PACKAGE), image))
    .filter((one) => one !== undefined)
    .map((one) => `${JSON.stringify(one)}\n`)
    .join('');
const on = (wanted: string, change: object) => lines((one, image) => (image === wanted ? { ...one, ...change } : one));

describe('verdictProblems', () => {
  it('is content when each Mac installed this very package', () => {
    expect(verdictProblems(lines(), PACKAGE)).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['no Mac', '', 'macos-26: no verdict'],
    [
      'a Mac that told nothing',
      lines((one, image) => (image === 'xcode-27' ? undefined : one)),
      'xcode-27: no verdict',
    ],
    ['an empty output', lines().replace(/^.*"macos-15-intel".*$/m, ''), 'macos-15-intel: no verdict'],
    ['a Mac twice', lines() + lines(), 'macos-15: named twice'],
    [
      'another package',
      on('macos-26', { package: { ...PACKAGE, sha256: 'b'.repeat(64) } }),
      'macos-26: tried a package with sha256 b',
    ],
    ['another team', on('macos-26', { package: { ...PACKAGE, team: 'OTHERTEAM0' } }), 'team OTHERTEAM0'],
    ['a development build', on('macos-26', { package: { ...PACKAGE, team: null } }), 'team null'],
    ['another name', on('macos-26', { package: { ...PACKAGE, name: 'x.pkg' } }), 'name x.pkg'],
    [
      'Gatekeeper left out',
      on('macos-15', { tried: ['package-signature', 'ticket', 'install', 'load-arm64', 'install-again', 'uninstall'] }),
      'macos-15: did not try gatekeeper',
    ],
    ['nothing tried', on('macos-15', { tried: [] }), 'macos-15: did not try load-arm64'],
    ['a failure', on('macos-15', { verdict: 'fail' }), 'line 1 is not a verdict'],
    ['a Mac that nobody asked', on('macos-15', { image: 'macos-14' }), 'line 1 is not a verdict'],
    ['a field more', on('macos-15', { note: 'x' }), 'line 1 is not a verdict'],
    ['no macOS', on('macos-15', { macOS: null }), 'line 1 is not a verdict'],
    ['another schema', on('macos-15', { schema: 2 }), 'line 1 is not a verdict'],
    ['no JSON', `${lines()}pass\n`, 'line 6 is not a verdict'],
  ])('refuses %s', (_, text, words) => {
    expect(verdictProblems(text, PACKAGE).join('\n')).toContain(words);
  });

  it('asks for the images that release.yml tries', () => {
    const { matrix } = RELEASE_JOBS.smoke!.strategy as unknown as { matrix: { include: { image: string }[] } };
    expect(matrix.include.map(({ image }) => image)).toEqual([...SMOKE_IMAGES]);
    expect(Object.keys(RELEASE_JOBS.smoke!.outputs as object)).toEqual([...SMOKE_IMAGES]);
  });
});
