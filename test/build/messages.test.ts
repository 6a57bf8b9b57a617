import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain, renderExplanation, TABLES } from '../../build/messages/advice.ts';
import { readCorpus } from '../support/apple-corpus.ts';

const corpus = readCorpus('failures.jsonl');
const spoken = corpus.filter(({ message }) => message !== '');
const rows = TABLES.flatMap(({ rows }) => rows);

describe('the tables of messages', () => {
  it('name each cause once', () => {
    expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
  });

  it('have an example of each row in the corpus, of one of its tools', () => {
    const seen = new Set(corpus.map(({ code }) => code));
    expect(rows.filter(({ code }) => !seen.has(code)).map(({ code }) => code)).toEqual([
      ...['KEYCHAIN_NOT_FOUND', 'NOTARY_ROLE', 'NOTARY_UNKNOWN_ID', 'NOTARY_TOO_MANY', 'NOTARY_SERVICE'],
      ...['NOTARY_UPLOAD_EXPIRED', 'CLOCK_SKEW', 'NOTARY_UNREACHABLE', 'LOG_DEVELOPER_ID', 'LOG_NO_CODE'],
    ]);
    expect(corpus.filter(({ code }) => !rows.some((row) => row.code === code))).toEqual([]);
  });

  it('say for each what it means, who must act, what comes next, and where', () => {
    for (const row of rows) {
      expect(row.cause).toMatch(/^[A-Z0-9a-z].{14,}\.$/);
      expect(row.next).not.toMatch(/^$|\.$/);
      expect(row.match.length > 0).toBe(row.kind !== 'silent');
    }
  });
});

describe('explain', () => {
  it.each(spoken.map(({ id, tool, message, code }) => [id, tool, message, code]))(
    'finds %s in what %s says',
    (_id, tool, message, code) => {
      expect(explain(message, tool).map((one) => one.code)).toEqual([code]);
    },
  );

  it('finds them amid other lines, with their paths and names changed', () => {
    for (const { tool, message, code } of spoken) {
      const other = message
        .replaceAll('Escrow Buddy.bundle', '/tmp/build 7/Other.bundle')
        .replaceAll('out.pkg', 'Other-2.0.pkg')
        .replaceAll('TEAMID1234', 'ABCDE12345');
      expect(explain(`some other line\n${other}\nand one more`, tool).map((one) => one.code)).toEqual([code]);
    }
  });

  it('finds the same when the tool is not known', () => {
    const codes = spoken.map(({ message }) => explain(message)[0]?.code);
    expect(codes).toEqual(spoken.map(({ code }) => code));
  });

  it('does not know what nobody has seen', () => {
    expect(explain('Something wholly new went wrong.')).toEqual([]);
    expect(explain('errSecInternalComponent', 'stapler')).toEqual([]);
    expect(explain('')).toEqual([]);
  });

  it('names the file that settles it, and the command to run', () => {
    for (const { message, tool } of spoken) {
      const [one] = explain(message, tool);
      expect([one?.file, existsSync(one?.file as string)]).toEqual([one?.file, true]);
      expect(renderExplanation(one!)).toContain(one?.run === null ? 'next' : `run    ${one?.run}`);
    }
  });
});
