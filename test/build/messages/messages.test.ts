import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { explain, explainNearest, renderExplanation, TABLES } from '../../../build/messages/advice.ts';
import { readCorpus } from '../../support/apple-corpus.ts';

const corpus = [...readCorpus('failures.jsonl'), ...readCorpus('public.jsonl')];
const spoken = corpus.filter(({ message }) => message !== '');
const rows = TABLES.flatMap(({ rows }) => rows);

const notKnown: { readonly message: string; readonly why: string }[] = JSON.parse(
  readFileSync('test/fixtures/apple-failures/not-known.json', 'utf8'),
);

describe('the corpus', () => {
  it('has each message once, and the address where it was seen, unless its text says how it is known', () => {
    const once = new Set(corpus.map(({ tool, message, id }) => `${tool} ${message === '' ? id : message}`));
    expect(once.size).toBe(corpus.length);
    const without = corpus.filter(({ source }) => !/^https:\/\//.test(source ?? ''));
    expect(without.filter(({ seen }) => !/^(quoted|UNCERTAIN)$/.test(seen ?? ''))).toEqual([]);
    expect(readCorpus('public.jsonl').filter(({ source }) => source !== null).length).toBeGreaterThan(120);
  });
});

describe('the tables of messages', () => {
  it('name each cause once', () => {
    expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
  });

  it('have an example of each row in the corpus, of one of its tools', () => {
    const seen = new Set(corpus.map(({ code }) => code));
    expect(rows.filter(({ code }) => !seen.has(code)).map(({ code }) => code)).toEqual([]);
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

  it.each(notKnown.map(({ message, why }) => [message, why]))('does not know %j: %s', (message) => {
    expect(explain(message)).toEqual([]);
    for (const { tools } of TABLES) expect(explain(message, tools[0])).toEqual([]);
  });

  it('says which line it explains, causes before the lines that only repeat that there is one', () => {
    const log = [
      'Error: Process completed with exit code 65.',
      'The staple and validate action failed! Error 65.',
      '\u001b[31mproductsign: error: Failed to sign the product.\u001b[0m',
      'SignData failed: CSSMERR_CSP_NO_USER_INTERACTION',
      'something else',
    ];
    expect(explain(log.join('\r\n')).map(({ code, line }) => [code, line])).toEqual([
      ['PRODUCTSIGN_KEY_ACCESS', log[3]],
      ['PRODUCTSIGN_FAILED', log[2]],
      ['TICKET_NOT_FOUND', log[1]],
      ['CI_LAST_LINE', log[0]],
    ]);
  });

  it('finds words that a terminal has wrapped, in other quotes and another case', () => {
    expect(explain('A timestamp was expected\n  but was not found.')[0]?.code).toBe('TIMESTAMP_MISSING');
    expect(explain('CLOUDKIT QUERY for ‘x’ failed due to ‘record not found’')[0]?.code).toBe('TICKET_NOT_FOUND');
    expect(explain('{\\"status\\" : \\"Invalid\\"}')[0]?.code).toBe('NOTARY_INVALID');
  });

  it('does not know the words of another tool, nor none', () => {
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

describe('explainNearest', () => {
  it.each([
    ['The staple and verify action did not work', 'stapler', 'STAPLE_DONE'],
    ['Could not find a fitting signing identity for “X”', undefined, 'PRODUCTSIGN_NO_IDENTITY'],
    ['The specified keychain was not found', 'codesign', 'KEYCHAIN_NOT_FOUND'],
    ['/tmp/x.pkg: has no ticket stapled', 'stapler', 'STAPLE_MISSING'],
    ['codesign prints nothing for minutes; is the server slow?', 'codesign', 'TIMESTAMP_SLOW'],
  ])('finds for %j of %s: %s', (message, tool, code) => {
    expect(explain(message, tool)).toEqual([]);
    expect(explainNearest(message, tool).map((one) => one.code)).toContain(code);
  });

  it('finds at most three, the nearest first, and none for words of another world', () => {
    const [first, ...others] = explainNearest('MAC verification failed somewhere during import of PKCS12');
    expect(first?.code).toBe('P12_PASSWORD');
    expect(others.length).toBeLessThanOrEqual(2);
    expect(explainNearest('Segfaults and bananas')).toEqual([]);
    expect(explainNearest('')).toEqual([]);
  });
});
