import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain, explainLines, FAILURES, renderFailure } from '../../build/catalogue.ts';

interface Reported {
  readonly id: string;
  readonly tool: string;
  readonly severity: string;
  readonly message: string;
  readonly who: string;
}

const corpus: Reported[] = readFileSync('test/fixtures/apple-failures/failures.jsonl', 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));
const spoken = corpus.filter(({ message }) => message !== '');

describe('the catalogue', () => {
  it(`knows all ${corpus.length} failures of the corpus, of the right tool and kind`, () => {
    expect(corpus).toHaveLength(115);
    const known = new Map(FAILURES.map((failure) => [failure.id, failure]));
    expect(corpus.map(({ id, tool, severity }) => [id, tool, severity])).toEqual(
      corpus.map(({ id }) => [id, known.get(id)?.tool, known.get(id)?.kind]),
    );
  });

  it.each(spoken.map(({ id, tool, message }) => [id, tool, message]))(
    'finds %s among what %s says',
    (id, tool, message) => {
      expect(explain(message, tool)?.id).toBe(id);
    },
  );

  it('finds them amid other lines, and with their paths and names changed', () => {
    for (const { id, tool, message } of spoken) {
      const other = message
        .replaceAll('Escrow Buddy.bundle', '/tmp/build 7/Other.bundle')
        .replaceAll('out.pkg', 'Other-2.0.pkg')
        .replaceAll('TEAMID1234', 'ABCDE12345');
      expect(explain(`some other line\n${other}\nand one more`, tool)?.id).toBe(id);
    }
  });

  it('finds the same cause when the tool is not known', () => {
    const differing = spoken.filter(({ id, message }) => explain(message)?.id !== id);
    // The notary's web service and notarytool say the same; each has its own line, with the same act.
    expect(differing.map(({ id, message }) => [id, explain(message)?.who])).toEqual(
      differing.map(({ id, who }) => [id, who]),
    );
    expect(differing.length).toBeLessThanOrEqual(3);
  });

  it('raises no alarm for what is harmless', () => {
    const harmless = corpus.filter(({ severity }) => severity === 'harmless');
    expect(harmless.length).toBe(3);
    for (const { message, tool } of harmless) {
      expect(explainLines(message, tool)).toEqual([]);
      expect(explainLines(message)).toEqual([]);
    }
  });

  it('does not know what nobody has seen', () => {
    expect(explain('Something wholly new went wrong.')).toBeUndefined();
    expect(explain('errSecInternalComponent', 'stapler')).toBeUndefined();
    expect(explain('')).toBeUndefined();
  });

  it('says for each what it means, who must act, what comes next, and where', () => {
    for (const failure of FAILURES) {
      expect(failure.meaning.length).toBeGreaterThan(15);
      expect(failure.next).not.toBe('');
      const workflow = failure.file.startsWith('.github/') && !existsSync('.github');
      expect([failure.id, workflow || existsSync(failure.file)]).toEqual([failure.id, true]);
      expect(renderFailure(failure)).toContain(failure.meaning);
    }
    expect(new Set(FAILURES.map(({ id }) => id)).size).toBe(FAILURES.length);
  });
});
