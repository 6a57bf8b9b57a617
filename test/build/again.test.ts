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

describe('a command that is typed again', () => {
  const elsewhere = (cwd: string, ...argv: string[]) => commandAgain({ ...checkout, cwd, argv });

  it.each([
    ['/p', 'npm start -- --resume'],
    ['/p/a..b', 'npm start -- --resume'],
    ['/p/a/..b', 'npm start -- --resume'],
    ['/', 'npm --prefix /p start -- --resume'],
    ['/q', 'npm --prefix /p start -- --resume'],
    ['/pq', 'npm --prefix /p start -- --resume'],
  ])('from %s is %s', (cwd, again) => expect(elsewhere(cwd, 'release')).toBe(again));

  it('names the project for other commands too, and quotes it', () => {
    expect(elsewhere('/q', 'verify', 'a b')).toBe("npm --prefix /p run -s cli -- verify 'a b'");
    const typed = { root: '/my p', program: '/my p/.build/cli.mjs', cwd: '/q', argv: ['release'] };
    expect(commandAgain(typed)).toBe("npm --prefix '/my p' start -- --resume");
    const parts = { root: '/my parts', program: '/my parts/cli.mjs', cwd: '/', argv: ['verify', 'x'] };
    expect(commandAgain(parts)).toBe("node 'my parts/cli.mjs' verify x");
  });

  it.each<[typeof commandAgain, string, string]>([
    [commandAgain, 'release --resume', 'npm start -- --resume'],
    [commandAgain, 'release --until verify', 'npm start -- --until verify --resume'],
    [commandAgain, 'release --max-wait 1s --out o', 'npm start -- --out o --resume'],
    [commandAgain, 'release --max-wait=1s --out o', 'npm start -- --out o --resume'],
    [commandAgain, 'release --out o --max-wait', 'npm start -- --out o --resume'],
    [commandAgain, 'release --replace o', 'npm start -- o --resume'],
    [commandAgain, 'verify --resume x', 'npm run -s cli -- verify --resume x'],
    [commandAnew, 'release', 'npm start'],
    [commandAnew, 'release --resume --until verify --submit-only', 'npm start -- --until verify --submit-only'],
    [commandAnew, 'build --replace --max-wait 1s x', 'npm run -s cli -- build x'],
    [commandToTheEnd, 'release', 'npm start -- --resume'],
    [commandToTheEnd, 'release --until=verify --submit-only x', 'npm start -- x --resume'],
    [commandToTheEnd, 'release --until verify --replace --max-wait 1s x', 'npm start -- x --resume'],
  ])('%o of %s is %s', (command, typed, expected) => {
    expect(command({ ...checkout, argv: typed.split(' ') })).toBe(expected);
  });

  it.each([
    ['release --out=a --replace', ['--out', 'b'], 'npm start -- --out b'],
    ['release --out a --resume', ['--resume'], 'npm start -- --out a --resume'],
    ['release --out a --max-wait 1s', ['--replace'], 'npm start -- --out a --max-wait 1s --replace'],
    ['build', ['--replace', '--out'], 'npm run -s cli -- build --replace --out'],
  ])('%s with %j is %s', (typed, options, expected) => {
    expect(commandWithOther({ ...checkout, argv: typed.split(' ') }, options)).toBe(expected);
  });
});
