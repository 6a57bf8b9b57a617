import { describe, expect, it } from 'vitest';
import { commandAgain, commandAnew, commandToTheEnd, commandWithOther } from '../../build/again.ts';

const checkout = { root: '/p', program: '/p/.build/cli.mjs', cwd: '/p/docs' };

describe('commandAgain', () => {
  it.each([
    ['release', 'npm start -- --resume'],
    ['release --out /tmp/o --replace', 'npm start -- --out /tmp/o --resume'],
    ['release --resume --max-wait 1s', 'npm start -- --resume'],
    ['release --max-wait=1s --until verify', 'npm start -- --until verify --resume'],
    ['build --out /tmp/o', 'npm run -s cli -- build --out /tmp/o'],
    ['notarize --wait 1-2', 'npm run -s cli -- notarize --wait 1-2'],
  ])('%s goes on with %s', (typed, again) => {
    expect(commandAgain({ ...checkout, argv: typed.split(' ') })).toBe(again);
  });

  it('quotes what a shell would take apart', () => {
    expect(commandAgain({ ...checkout, argv: ['build', '--out', "it's here"] })).toBe(
      "npm run -s cli -- build --out 'it'\\''s here'",
    );
  });

  it('names the project when typed elsewhere, and the program in a folder of parts', () => {
    expect(commandAgain({ ...checkout, cwd: '/elsewhere', argv: ['release'] })).toBe(
      'npm --prefix /p start -- --resume',
    );
    const parts = { root: '/parts', program: '/parts/cli.mjs', cwd: '/parts' };
    expect(commandAgain({ ...parts, argv: ['release', '--compiled', '.'] })).toBe(
      'node cli.mjs release --compiled . --resume',
    );
  });
});

describe('the other commands', () => {
  it('run the stages that were left out, as asked', () => {
    const argv = ['release', '--until', 'notarize', '--submit-only', '--rehearsal'];
    expect(commandToTheEnd({ ...checkout, argv })).toBe('npm start -- --rehearsal --resume');
  });

  it('begin anew with nothing of an earlier run', () => {
    const argv = ['release', '--resume', '--release', '--max-wait', '1h', '--replace'];
    expect(commandAnew({ ...checkout, argv })).toBe('npm start -- --release');
  });

  it('say what may stand where it writes, once', () => {
    const argv = ['release', '--resume', '--out', 'a'];
    expect(commandWithOther({ ...checkout, argv }, ['--replace'])).toBe('npm start -- --out a --replace');
    expect(commandWithOther({ ...checkout, argv }, ['--out', 'FOLDER'])).toBe('npm start -- --out FOLDER');
  });
});
