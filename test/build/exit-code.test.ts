import { describe, expect, it } from 'vitest';
import { EXIT_CODES, errorDocument, exitCodeOf, hintOf, messageOf, renderError } from '../../build/exit-code.ts';
import {
  FormatError,
  InterruptedError,
  NetworkError,
  RefusedError,
  ToolError,
  UsageError,
  VerificationError,
} from '../../src/base/errors.ts';

describe('exitCodeOf', () => {
  it.each([
    [2, new UsageError('A', 'a')],
    [3, new ToolError('A', 'clang', 'a')],
    [4, new RefusedError('A', 'a')],
    [5, new NetworkError('A', 'a')],
    [6, new VerificationError('A', 'a')],
    [6, new FormatError('A', 'XarHeader', 4, 'a')],
    [130, new InterruptedError()],
    [2, Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })],
    [2, Object.assign(new Error('EDQUOT: disk quota exceeded'), { code: 'EDQUOT' })],
    [2, Object.assign(new Error('ELOOP: too many symbolic links'), { code: 'ELOOP' })],
    [1, new TypeError('x is undefined')],
    [1, 'thrown text'],
  ])('%i for %s', (code, error) => expect(exitCodeOf(error)).toBe(code));
});

describe('renderError', () => {
  it('says what to do next, and shows no stack for what is not a bug', () => {
    const text = renderError(new UsageError('A', 'the file is wrong', { hint: 'Mend it.' }), false);
    expect(text).toBe('error: the file is wrong\nnext: Mend it.\n');
  });

  it('asks for a report of a bug, with the stack', () => {
    const text = renderError(new TypeError('x is undefined'), false);
    expect(text).toContain('next: This is a bug.');
    expect(text).toContain('exit-code.test.ts');
  });
});

describe('the last line', () => {
  const ways = { again: 'go --resume', anew: 'go' };
  const full = (code: string) => Object.assign(new Error(`${code}: no space left`), { code });
  it.each<[string, unknown, string | null]>([
    ['Ctrl-C', new InterruptedError(), 'To go on: go --resume'],
    ['no network, or a wait that is over', new NetworkError('A', 'a', { hint: 'wait' }), 'To go on: go --resume'],
    [
      'a tool that failed',
      new ToolError('A', 'clang', 'a', { hint: 'go --resume, then look' }),
      'To go on: go --resume',
    ],
    ['a full disk', full('ENOSPC'), 'To go on: go --resume'],
    ['a full share of a disk', full('EDQUOT'), 'To go on: go --resume'],
    ['a refusal that may be lifted', new RefusedError('NOTARY_AGREEMENT', 'a'), 'Once that is mended: go --resume'],
    ['a package that is refused', new RefusedError('NOTARY_INVALID', 'a', { hint: 'h' }), 'Once that is mended: go'],
    ['a package that would be', new RefusedError('NOTARY_PREDICTED', 'a'), 'Once that is mended: go'],
    ['what was typed wrong', new UsageError('A', 'a', { hint: 'h' }), null],
    ['a package that fails', new VerificationError('A', 'a', { hint: 'h' }), null],
  ])('after %s is the command that comes to the end', (_, error, line) => {
    expect(renderError(error, false, ways).trimEnd().split('\n').at(-1)).toBe(line ?? 'next: h');
    expect(errorDocument(error, ways).error.again).toBe(line?.replace(/.*: /, '') ?? null);
  });

  it('is not said twice', () => {
    const error = new NetworkError('A', 'a', { hint: 'Later: go --resume' });
    expect(renderError(error, false, ways)).toBe('error: a\nnext: Later: go --resume\n');
  });
});

describe("an error with words of Apple's tools", () => {
  const refused = new RefusedError('CERTIFICATE_REVOKED', 'spctl ended with 3:\nX.pkg: CSSMERR_TP_CERT_REVOKED');
  const failed = new ToolError(
    'TOOL_FAILED',
    '/usr/bin/codesign',
    'codesign ended with 1:\nX: errSecInternalComponent',
  );

  it('says what they stand for, whatever its class', () => {
    expect(renderError(refused, false)).toContain('\n  means  Its owner or Apple revoked the certificate');
    expect(renderError(failed, false)).toContain('\n  run    npm start -- --toolchain portable\n');
    expect(errorDocument(failed).error.known).toMatchObject([{ tool: 'codesign', code: 'CODESIGN_KEY_ACCESS' }]);
  });

  it('gives the next step once', () => {
    const [known] = errorDocument(failed).error.known;
    const error = new ToolError('CODESIGN_KEY_ACCESS', 'codesign', failed.message, { hint: known?.next as string });
    expect(renderError(error, false).split(known?.next as string)).toHaveLength(2);
  });

  it('says each cause once, although the notary speaks as a service and in its log', () => {
    const error = new NetworkError('NOTARY_UNREACHABLE', 'the notary did not answer: read ECONNRESET');
    expect(errorDocument(error).error.known.map(({ code }) => code)).toEqual(['NETWORK_LOST']);
  });

  it('raises no alarm for what is harmless, nor for the words of another tool', () => {
    const harmless = new ToolError(
      'TOOL_FAILED',
      'codesign',
      'codesign ended with 1:\nX: replacing existing signature',
    );
    expect(errorDocument(harmless).error.known).toEqual([]);
    const other = new ToolError('TOOL_FAILED', 'stapler', 'stapler ended with 1:\nerrSecInternalComponent');
    expect(errorDocument(other).error.known).toEqual([]);
  });
});

describe('errorDocument', () => {
  it('is what --json prints', () => {
    expect(errorDocument(new FormatError('FORMAT_INVALID', 'XarHeader', 4, 'expected 28, found 27'))).toEqual({
      schema: 1,
      error: {
        code: 'FORMAT_INVALID',
        message: 'XarHeader, offset 4: expected 28, found 27',
        hint: expect.stringContaining('Fetch or build it anew.'),
        exitCode: 6,
        known: [],
        again: null,
      },
    });
  });
});

describe('each kind of error', () => {
  const bug = new TypeError('x is undefined');
  const missing = Object.assign(new Error('ENOENT: no such file'), {
    code: 'ENOENT',
    path: '/none/x',
    syscall: 'open',
  });
  const damaged = new FormatError('FORMAT_INVALID', 'XarHeader', 4, 'a');
  const BUG = 'This is a bug. Please report it with the lines below; they hold no secret.';
  const DAMAGED = 'The file is damaged, or not what its name says. Fetch or build it anew.';

  it('has an exit code that --help explains', () => {
    for (const error of [bug, missing, damaged, new UsageError('A', 'a'), new InterruptedError()])
      expect(Object.keys(EXIT_CODES)).toContain(String(exitCodeOf(error)));
    expect(Object.keys(EXIT_CODES).map(Number)).toEqual([0, 1, 2, 3, 4, 5, 6, 130]);
  });

  it.each<[unknown, string, string, string | null]>([
    [bug, 'TypeError', 'x is undefined', BUG],
    ['thrown text', 'BUG', 'thrown text', BUG],
    [null, 'BUG', 'null', BUG],
    [damaged, 'FORMAT_INVALID', 'XarHeader, offset 4: a', DAMAGED],
    [new FormatError('X', 'Y', 0, 'a', { hint: 'h' }), 'X', 'Y, offset 0: a', 'h'],
    [new UsageError('A', 'a', { hint: 'h' }), 'A', 'a', 'h'],
    [new UsageError('A', 'a'), 'A', 'a', null],
    [missing, 'ENOENT', expect.stringContaining('/none') as never, expect.any(String) as never],
  ])('%s has code, message and hint', (error, code, message, hint) => {
    const document = errorDocument(error).error;
    expect([document.message, document.hint, document.again]).toEqual([message, hint, null]);
    // An error of the language has no code: it is a bug.
    expect(document.code).toBe(code === 'TypeError' ? 'BUG' : code);
    expect([messageOf(error), hintOf(error)]).toEqual([message, hint]);
  });

  it('shows its stack and causes where it is a bug, or where more is asked for', () => {
    const cause = new Error('deep');
    const bare = Object.assign(new Error('bare', { cause }), { stack: undefined });
    const error = new UsageError('A', 'a', { hint: 'h', cause: bare });
    expect(renderError(error, false)).toBe('error: a\nnext: h\n');
    const lines = renderError(error, true).split('\n');
    expect(lines.slice(0, 2)).toEqual(['error: a', 'next: h']);
    expect(lines.filter((line) => line.startsWith('caused by: '))).toEqual([
      'caused by: bare',
      'caused by: Error: deep',
    ]);
    expect(lines.some((line) => /^ +at .*exit-code\.test/.test(line))).toBe(true);
    expect(renderError('thrown text', true)).toBe(`error: thrown text\nnext: ${BUG}\n`);
    const nothing = Object.assign(new TypeError('x'), { stack: undefined });
    expect(renderError(nothing, false)).toBe(`error: x\nnext: ${BUG}\n\n`);
  });

  it.each([
    [new RefusedError('UPLOAD_X', 'HTTP status code: 403'), 1],
    [new RefusedError('NOTARY_X', 'HTTP status code: 403'), 1],
    [new RefusedError('OTHER_X', 'HTTP status code: 403'), 0],
    [new NetworkError('A', 'curl ended with 6:\nCould not resolve host'), 1],
    [new NetworkError('A', 'Could not resolve host'), 0],
    [new TypeError('curl ended with 6:\nCould not resolve host'), 0],
    [new ToolError('A', '/usr/bin/codesign', 'errSecInternalComponent'), 1],
  ])('%s: words of a tool are explained where it was the tool that spoke', (error, count) => {
    expect(errorDocument(error).error.known).toHaveLength(count);
  });
});
