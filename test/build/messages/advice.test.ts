import { describe, expect, it } from 'vitest';
import { explain, explainNearest, renderExplanation } from '../../../build/messages/advice.ts';

const one = (text: string, tool?: string) => explain(text, tool)[0]!;

describe('an explanation', () => {
  it('has the command of this pipeline where the table names one, and none else', () => {
    expect(one('errSecInternalComponent', 'codesign').run).toMatch(/^npm /);
    const without = one('Service is disabled', 'launchctl');
    expect([without.run, without.file]).toEqual([null, 'scripts/postinstall.sh']);
    expect(Object.keys(without)).not.toContain('match');
  });

  it('is shown with what was printed, its code, meaning, person, next step, command and file', () => {
    const lines = renderExplanation(one('x: errSecInternalComponent', 'codesign'), '> ').split('\n');
    expect(lines.map((line) => line.slice(0, 11).trimEnd())).toEqual([
      ...['> codesign:', '>   code', '>   means', '>   who', '>   next', '>   run', '>   file'],
    ]);
    expect([lines[0], lines[1]]).toEqual(['> codesign: x: errSecInternalComponent', '>   code   CODESIGN_KEY_ACCESS']);
  });

  it('is shown without a command where there is none, and says what is harmless', () => {
    const text = renderExplanation(one('Boot-out failed: 3: No such process', 'launchctl'));
    expect(text).not.toMatch(/^ {2}run /m);
    expect(text).toMatch(/^ {2}means .*\(harmless\)$/m);
    expect(renderExplanation(one('Service is disabled', 'launchctl'))).not.toContain('(harmless)');
  });

  it('of a message that is only like a known one is headed by its code, and names it once', () => {
    const [near] = explainNearest('The staple and verify action did not work', 'stapler');
    const lines = renderExplanation(near!).split('\n');
    expect([near?.line, lines[0]]).toEqual([undefined, `stapler: ${near?.code}`]);
    expect(lines.filter((line) => /^ {2}code /.test(line))).toEqual([]);
  });

  it('of words that any tool may print names no tool', () => {
    expect(renderExplanation(one('errSecAuthFailed')).split('\n')[0]).toBe('errSecAuthFailed');
  });
});
