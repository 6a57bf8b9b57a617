import { afterEach, describe, expect, it, vi } from 'vitest';
import { createProgress, formatSeconds } from '../../../build/report/progress.ts';

function record(isTTY: boolean, color = true, verbose = false, columns = 80) {
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { progress: createProgress({ stream, verbose, color }), text: () => written.join('') };
}

describe('createProgress', () => {
  it('writes one plain line a stage where there is no terminal', () => {
    const { progress, text } = record(false);
    progress.begin('compile');
    progress.end('done', 'clang 14', 0.42);
    expect(text()).toMatch(/^✓ compile {11}clang 14 +0\.4 s\n$/);
  });

  it('writes no escape sequence on a terminal with NO_COLOR', () => {
    const { progress, text } = record(true, false);
    progress.begin('compile').update('half-way');
    progress.end('failed', 'no', 1);
    expect(text()).not.toContain('\x1b');
    expect(text()).toContain('half-way');
  });

  it('rewrites the line on a terminal, and leaves only the result', () => {
    const { progress, text } = record(true);
    progress.begin('notarize').update('In Progress');
    progress.note('warning', 'slow');
    progress.end('done', 'Accepted', 61);
    const last = text().split('\r\x1b[K').at(-1) as string;
    expect(text()).toContain('In Progress');
    expect(last).toContain('Accepted');
    expect(last).toContain('1 min 01 s');
    expect(last).not.toContain('In Progress');
  });

  it('counts the stages', () => {
    const { progress, text } = record(false);
    progress.begin('sign-code', '3/10');
    progress.end('done', 'ad-hoc', 0.1);
    expect(text()).toMatch(/^✓ {2}3\/10 sign-code {9}ad-hoc +0\.1 s\n$/);
  });

  it.each([60, 80, 120])('writes no line longer than a terminal of %d columns, and loses no word', (columns) => {
    const { progress, text } = record(true, false, false, columns);
    const words =
      'Accepted: 2efe2717-52ef-43a5-96dc-0797e4ca1041, the log says nothing of any of the 13 files it looked at';
    progress.begin('notarize', '7/10');
    progress.end('done', words, 61);
    progress.note('warning', `The wait is over. ${words}`);
    const lines = text().split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(columns);
    for (const word of words.split(' ')) expect(text()).toContain(word);
    expect(text()).toContain('\n! The wait is over.');
  });

  it('cuts what a running stage says at the edge of the terminal', () => {
    const { progress, text } = record(true, true, false, 60);
    progress.begin('notarize', '7/10').update('In Progress, 2efe2717-52ef-43a5-96dc-0797e4ca1041, asked again in 10 s');
    const drawn = text().split('\r\x1b[K').at(-1) as string;
    expect(drawn).toContain('…');
    expect(drawn.length).toBeLessThanOrEqual(60);
    progress.close();
  });

  it.each([
    [undefined, 100],
    [101, 100],
    [99, 99],
    [40, 40],
    [39, 40],
  ])('ends the line of a stage at column 100, or at the last of %s', (columns, length) => {
    const written: string[] = [];
    const stream = { isTTY: true, columns, write: (text: string) => written.push(text) };
    const progress = createProgress({ stream, verbose: false, color: false });
    progress.begin('compile');
    progress.end('done', 'x', 0.4);
    expect(written.join('').trimEnd()).toHaveLength(length);
  });

  it('keeps what a stage did on its line as long as it fits', () => {
    const ended = (words: string) => {
      const { progress, text } = record(true, false);
      progress.begin('compile');
      progress.end('done', words, 0.4);
      return text().split('\n');
    };
    // 80 columns, less a mark, the name, the time and what is between them.
    expect(ended('x'.repeat(48))).toEqual([expect.stringMatching(/^✓ compile {11}x{48} {7}0\.4 s$/), '']);
    expect(ended('x'.repeat(49))).toEqual([expect.stringMatching(/^✓ compile +0\.4 s$/), `    ${'x'.repeat(49)}`, '']);
  });

  it('cuts what a running stage says only where it does not fit', () => {
    vi.useFakeTimers();
    const drawn = (length: number) => {
      const { progress, text } = record(true, true, false, 60);
      progress.begin('compile').update('x'.repeat(length));
      progress.close();
      return text().split('\r\x1b[K').at(-2);
    };
    expect(drawn(33)).toMatch(/^. compile {11}x{33} 0\.0 s$/);
    expect(drawn(34)).toMatch(/^. compile {11}x{32}… 0\.0 s$/);
    vi.useRealTimers();
  });

  it('has the colours of what it says: green, red, dim, yellow', () => {
    const { progress, text } = record(true, true, true);
    // Source: ECMA-48, select graphic rendition.
    for (const [outcome, color] of [
      ['done', 32],
      ['failed', 31],
      ['skipped', 2],
    ] as const) {
      // biome-ignore format: short
      progress.begin('compile');
      progress.end(outcome, '', 0);
      expect(text().split('\r\x1b[K').at(-1)).toMatch(new RegExp(`^\\x1b\\[${color}m.\\x1b\\[0m `));
    }
    for (const [kind, color] of [
      ['warning', 33],
      ['fact', 0],
      ['detail', 2],
    ] as const) {
      // biome-ignore format: short
      progress.note(kind, 'words');
      expect(text()).toMatch(new RegExp(`\\x1b\\[${color}m. words\\x1b\\[0m\n$`));
    }
  });

  it('keeps detail for --verbose', () => {
    const quiet = record(false);
    quiet.progress.note('detail', 'argv');
    expect(quiet.text()).toBe('');
    const verbose = record(false, true, true);
    verbose.progress.note('detail', 'argv');
    expect(verbose.text()).toBe('  argv\n');
  });
});

it.each([
  [0.04, '0.0 s'],
  [59.94, '59.9 s'],
  [60, '1 min 00 s'],
  [125.4, '2 min 05 s'],
])('formatSeconds(%d) is %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

describe('a stage that takes long', () => {
  afterEach(() => vi.useRealTimers());
  const started = (isTTY: boolean) => {
    vi.useFakeTimers();
    const shown = record(isTTY);
    return { ...shown, stage: shown.progress.begin('notarize') };
  };

  it('is told of each minute where there is no terminal, and no more once it has ended', () => {
    const { progress, text, stage } = started(false);
    vi.advanceTimersByTime(59_999);
    expect(text()).toBe('');
    vi.advanceTimersByTime(1);
    stage.update('In Progress');
    vi.advanceTimersByTime(60_000);
    const lines = () =>
      text()
        .split('\n')
        .map((line) => line.trim().replace(/ +/g, ' '));
    const told = [
      'notarize still running after 1 min 00 s',
      'notarize In Progress',
      'notarize In Progress, still running after 2 min 00 s',
    ];
    expect(lines().slice(0, -1)).toEqual(told);
    progress.end('done', 'Accepted', 120);
    vi.advanceTimersByTime(120_000);
    expect(lines().slice(0, -1)).toEqual([...told, expect.stringMatching(/^✓ notarize Accepted/)]);
  });

  it('is drawn again ten times a second on a terminal, with the time that it takes', () => {
    const { progress, text } = started(true);
    const drawn = () => text().split('\r\x1b[K').slice(1);
    expect(drawn()).toHaveLength(1);
    vi.advanceTimersByTime(99);
    expect(drawn()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(drawn()).toEqual([
      expect.stringMatching(/notarize .* 0\.0 s$/),
      expect.stringMatching(/notarize .* 0\.1 s$/),
    ]);
    progress.close();
    vi.advanceTimersByTime(1_000);
    expect(drawn().slice(2)).toEqual(['']);
  });

  it('gives way to a note, and is drawn again below it', () => {
    const { progress, text } = started(true);
    progress.note('fact', 'submission id');
    expect(text()).toMatch(/\r\x1b\[K\x1b\[0m {2}submission id\x1b\[0m\n\r\x1b\[K. notarize/);
    progress.close();
  });
});
