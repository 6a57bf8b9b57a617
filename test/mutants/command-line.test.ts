import { describe, expect, it } from 'vitest';
import { readCommandLine } from './command-line.ts';
import { ROOMS } from './rooms.ts';

describe('the command line of npm run mutants', () => {
  it('asks all rooms when it names none', () => {
    const wanted = readCommandLine([]);
    if ('problem' in wanted) throw new Error(wanted.problem);
    expect(wanted.chosen.map(({ folder }) => folder)).toEqual(ROOMS.map(({ folder }) => folder));
    expect(wanted).toMatchObject({ whole: false, quick: false, sample: undefined, out: '.build/mutants/scores.json' });
    expect(Math.abs(wanted.seed - Date.now() / 86_400_000)).toBeLessThan(2);
  });

  it('takes a room, a folder in one, and each option', () => {
    const argv = ['src/pki/', 'src/pki/cms', '--sample', '1', '--seed', '0', '--whole', '--quick', '--out', 'a.json'];
    const pki = ROOMS.find(({ folder }) => folder === 'src/pki');
    expect(readCommandLine(argv)).toEqual({
      chosen: [
        { room: pki, folder: 'src/pki' },
        { room: pki, folder: 'src/pki/cms' },
      ],
      whole: true,
      quick: true,
      sample: 1,
      seed: 0,
      out: 'a.json',
    });
  });

  it.each([
    [['--help'], /--help/],
    [['src/pk'], /no room for src\/pk; rooms are .*src\/pki/],
    [['--sample', '0'], /--sample takes a whole number from 1 on, not "0"/],
    [['--sample', '1.5'], /not "1\.5"/],
    [['--seed', 'today'], /--seed takes a whole number from 0 on, not "today"/],
    [['--seed'], /--seed/],
  ])('says what is wrong with %j, and what may be written', (argv, problem) => {
    const told = readCommandLine(argv) as { readonly problem: string };
    expect(told.problem).toMatch(problem);
    expect(told.problem).toContain('\nusage: npm run mutants [-- FOLDER ...');
  });
});
