import { describe, expect, it } from 'vitest';
import { notaryProblem } from '../../../src/notary/rest/api-problem.ts';

const problem = (status: number, body = '', more: { id?: string; skewMs?: number } = {}) =>
  notaryProblem({ status, headers: new Headers({ 'retry-after': '7' }), body: Buffer.from(body) } as never, {
    purpose: 'ask',
    host: 'notary.invalid',
    now: new Date(0),
    skewMs: null,
    ...more,
  });

describe('an answer of the notary that is none', () => {
  // RFC 9110, section 15.
  it.each([
    [302, 'NOTARY_PROXY'],
    [399, 'NOTARY_PROXY'],
    [400, 'NOTARY_REFUSED_REQUEST'],
    [401, 'NOTARY_UNAUTHENTICATED'],
    [403, 'NOTARY_FORBIDDEN'],
    [404, 'NOTARY_REFUSED_REQUEST'],
    [407, 'NOTARY_PROXY'],
    [408, 'NOTARY_BUSY'],
    [409, 'NOTARY_REFUSED_REQUEST'],
    [421, 'NOTARY_BUSY'],
    [422, 'NOTARY_REFUSED_REQUEST'],
    [429, 'NOTARY_BUSY'],
    [499, 'NOTARY_REFUSED_REQUEST'],
    [500, 'NOTARY_BUSY'],
    [503, 'NOTARY_BUSY'],
  ])('%i is %s', (status, code) => expect(problem(status).code).toBe(code));

  it('404 about a submission is an id that it does not know', () =>
    expect(problem(404, '', { id: 'x' }).code).toBe('NOTARY_UNKNOWN_ID'));

  it.each([
    [60_000, /^Check that/],
    [60_001, /^The clock of this machine is 60 s ahead/],
    [-60_000, /^Check that/],
    [-60_001, /^The clock of this machine is 60 s behind/],
    [3_600_499, /^The clock of this machine is 3600 s ahead/],
    [3_600_500, /^The clock of this machine is 3601 s ahead/],
  ])('401 with a clock %i ms ahead names its cause', (skewMs, hint) =>
    expect(problem(401, 'Unauthenticated', { skewMs }).hint).toMatch(hint),
  );

  it.each([
    ['its code', { code: 'REQUIRED_AGREEMENTS_MISSING', title: 'x' }],
    ['its detail', { code: 'x', title: 'y', detail: 'An Agreement is missing' }],
  ])('403 asks for the agreement that %s names', (_, error) =>
    expect(problem(403, JSON.stringify({ errors: [error] })).code).toBe('NOTARY_AGREEMENT'),
  );

  it('is quoted in title and detail, as plain text, and not when it is a page', () => {
    const said = (body: string) => problem(400, body).message.replace(/^.*status code: 400/, '');
    expect(said(JSON.stringify({ errors: [{ title: 'Wrong', detail: 'too long' }] }))).toBe('. Wrong too long');
    expect(said(JSON.stringify({ errors: [{ title: 7 }] }))).toBe('');
    expect(said(' plain words \n')).toBe('. plain words');
    expect(said(' <html>no</html>')).toBe('');
  });

  it('is read to 64 KiB, and no further', () => {
    const withCodeBehind = (size: number) => JSON.stringify({ errors: [{ x: 'x'.repeat(size), code: 'AGREEMENT' }] });
    expect(problem(403, withCodeBehind(65_000)).code).toBe('NOTARY_AGREEMENT');
    expect(problem(403, withCodeBehind(66_000)).code).toBe('NOTARY_FORBIDDEN');
  });
});
