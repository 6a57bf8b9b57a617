import { describe, expect, it } from 'vitest';
import { createProgress, formatSeconds } from '../../../build/report/progress.ts';

function record(isTTY: boolean, color = true, verbose = false) {
  const written: string[] = [];
  const stream = { isTTY, columns: 80, write: (text: string) => written.push(text) };
  return { progress: createProgress({ stream, verbose, color }), text: () => written.join('') };
}

describe('createProgress', () => {
  it('writes one plain line a stage where there is no terminal', () => {
    const { progress, text } = record(false);
    progress.begin('compile');
    progress.end('compile', 'done', 'clang 14', 0.42);
    expect(text()).toMatch(/^✓ compile {11}clang 14 +0\.4 s\n$/);
  });

  it('writes no escape sequence on a terminal with NO_COLOR', () => {
    const { progress, text } = record(true, false);
    progress.begin('compile').update('half-way');
    progress.end('compile', 'failed', 'no', 1);
    expect(text()).not.toContain('\x1b');
    expect(text()).toContain('half-way');
  });

  it('rewrites the line on a terminal, and leaves only the result', () => {
    const { progress, text } = record(true);
    progress.begin('notarize').update('In Progress');
    progress.note('warning', 'slow');
    progress.end('notarize', 'done', 'Accepted', 61);
    const last = text().split('\r\x1b[K').at(-1) as string;
    expect(text()).toContain('In Progress');
    expect(last).toContain('Accepted');
    expect(last).toContain('1 min 01 s');
    expect(last).not.toContain('In Progress');
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
