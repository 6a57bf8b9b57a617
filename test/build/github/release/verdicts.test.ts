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

  // As release.yml runs them: test/mac-runner/smoke.sh says what it tries.
  const TRIED = ['package-signature', 'ticket', 'gatekeeper', 'install', 'install-again', 'uninstall'];
  it.each(['macos-15', 'macos-15-intel', 'macos-26', 'macos-26-intel', 'xcode-27'])(
    'asks %s for everything',
    (image) => {
      expect(
        verdictProblems(
          lines((one, at) => (at === image ? undefined : one)),
          PACKAGE,
        ),
      ).toEqual([`${image}: no verdict`]);
      const load = `load-${image.endsWith('-intel') ? 'x86_64' : 'arm64'}`;
      const all = [...TRIED, load];
      expect(verdictProblems(on(image, { tried: [...all, 'more'] }), PACKAGE)).toEqual([]);
      for (const id of all) {
        const tried = all.filter((one) => one !== id);
        const problems = [`${image}: did not try ${id}`];
        expect(verdictProblems(on(image, { tried }), PACKAGE)).toEqual(problems);
        // What was left out with a reason was left out.
        expect(verdictProblems(on(image, { tried, skipped: [{ id, reason: 'a' }] }), PACKAGE)).toEqual(problems);
      }
    },
  );

  const mac = (change: object) => on('macos-15', { macOS: { version: '15.7', build: '24G84', ...change } });
  const packed = (change: object) => on('macos-15', { package: { ...PACKAGE, ...change } });
  it.each<[string, string]>([
    ['a version of one number', mac({ version: '27' })],
    ['a version of three', mac({ version: '15.7.1' })],
    ['a build of a preview', mac({ build: '25A5279m' })],
    ['what was skipped', on('macos-15', { skipped: [{ id: 'a', reason: 'b' }] })],
    ['another word of csrutil', on('macos-15', { sip: 'enabled' })],
    ['an empty line', lines().replaceAll('\n', '\n\n')],
  ])('takes %s', (_, text) => expect(verdictProblems(text, PACKAGE)).toEqual([]));

  it.each<[string, string]>([
    ...['', 'x15.7', '15.7x', '15.', '15.7.1.2', '.7'].map((version): [string, string] => [
      `the version ${version}`,
      mac({ version }),
    ]),
    ...['', 'x24G84', '24G84xy', '24g84', 'G84', '24G', '24G84M'].map((build): [string, string] => [
      `the build ${build}`,
      mac({ build }),
    ]),
    ['a word more of macOS', mac({ more: 1 })],
    ...['a'.repeat(63), 'a'.repeat(65), 'A'.repeat(64), `${'a'.repeat(63)}g`].map((sha256): [string, string] => [
      `the digest ${sha256}`,
      packed({ sha256 }),
    ]),
    ['a word more of the package', packed({ more: 1 })],
    ['a name that is none', packed({ name: 1 })],
    ['a team that is none', packed({ team: 1 })],
    ['another processor', on('macos-15', { architecture: 'arm64e' })],
    ['no word of csrutil', on('macos-15', { sip: null })],
    ['something tried that is none', on('macos-15', { tried: [1] })],
    ['something skipped that is none', on('macos-15', { skipped: ['a'] })],
    ['something skipped without a reason', on('macos-15', { skipped: [{ id: 'a' }] })],
    ['a word more of what was skipped', on('macos-15', { skipped: [{ id: 'a', reason: 'b', more: 1 }] })],
    ...['schema', 'image', 'macOS', 'architecture', 'sip', 'package', 'tried', 'skipped', 'verdict'].map(
      (key): [string, string] => [`no ${key}`, on('macos-15', { [key]: undefined })],
    ),
  ])('does not take %s', (_, text) =>
    expect(verdictProblems(text, PACKAGE)).toEqual(['line 1 is not a verdict', 'macos-15: no verdict']),
  );

  it('asks for the images that release.yml tries', () => {
    const { matrix } = RELEASE_JOBS.smoke!.strategy as unknown as { matrix: { include: { image: string }[] } };
    expect(matrix.include.map(({ image }) => image)).toEqual([...SMOKE_IMAGES]);
    expect(Object.keys(RELEASE_JOBS.smoke!.outputs as object)).toEqual([...SMOKE_IMAGES]);
  });
});
