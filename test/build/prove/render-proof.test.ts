import { describe, expect, it } from 'vitest';
import { renderProof } from '../../../build/prove/render-proof.ts';
import type { Check } from '../../../src/base/check.ts';

const check = (id: string, status: Check['status'], reason?: string, subject = 'package'): Check =>
  ({ id, status, subject, ...(reason !== undefined && { reason }) }) as Check;
const SAME = check('same', 'pass');
const OTHER = check('signature', 'pass');
const rendered = (own: readonly Check[], others: readonly Check[], commit: string | null = 'abc') => {
  const all = [...own, ...others];
  const proof = { version: '1.1.0', commit, tools: {}, checks: own } as never;
  return renderProof(
    'a.pkg',
    proof,
    all,
    all.every(({ status }) => status !== 'fail'),
  );
};
const last = (...given: Parameters<typeof rendered>) =>
  rendered(...given)
    .trimEnd()
    .split('\n')
    .at(-1);

describe('a proof as it is read', () => {
  it('ends with the verdict, the sources, and how many checks there were', () => {
    expect(last([SAME], [OTHER])).toBe('PROVEN: a.pkg: made from the sources of 1.1.0, commit abc; 2 checks passed');
    expect(last([SAME], [OTHER], null)).toBe('PROVEN: a.pkg: made from the sources of 1.1.0; 2 checks passed');
    const failed = [check('x', 'fail', 'r'), check('y', 'fail', 'r'), check('x', 'fail', 's')];
    expect(last([SAME], [...failed, OTHER])).toBe('NOT PROVEN: a.pkg: 3 of 5 checks failed: x, y');
  });

  it('shows its own checks, and of all others those that failed, each once', () => {
    const text = rendered([SAME, check('own', 'fail', 'differs')], [OTHER, check('other', 'fail', 'is wrong')]);
    expect(text.match(/\bsame\b/g)).toHaveLength(1);
    // In its line, and in the list of what failed.
    for (const id of ['own', 'other']) expect(text.match(new RegExp(`\\b${id}\\b`, 'g'))).toHaveLength(2);
    expect(text).not.toMatch(/\bsignature\b/);
  });

  it('says what a reason is about, unless it is the package', () => {
    const text = rendered([check('a', 'fail', 'of it all'), check('b', 'fail', 'of a part', 'Payload')], []);
    expect(text).toContain('Payload: of a part');
    expect(text).toContain('of it all');
    expect(text).not.toContain('package: ');
    expect(rendered([check('c', 'pass')], [])).not.toContain('undefined');
  });

  it('says that a rehearsal is no release where Apple’s signatures are asked for', () => {
    const words = 'It was signed in a rehearsal, which no Mac trusts; --trust rehearsal proves it by that authority.';
    const both = check('chain', 'fail', 'trusted: apple; found REHEARSAL Root CA');
    expect(rendered([SAME], [OTHER, both])).toContain(words);
    for (const reason of ['trusted: apple; found another', 'found REHEARSAL Root CA'])
      expect(rendered([SAME], [check('chain', 'fail', reason)])).not.toContain(words);
  });
});
