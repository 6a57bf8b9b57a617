import { describe, expect, it } from 'vitest';
import { ofTheDay } from '../../support/by-day.ts';
import { evidenceOfRelease } from './evidence-subject.ts';

const evidence = evidenceOfRelease();
const { changed, failed, forged } = evidence;

describe(`evidence${ofTheDay}`, () => {
  const sums = (change: (lines: string[]) => string[]) =>
    failed(changed('SHA256SUMS', (text) => `${change(text.trimEnd().split('\n')).join('\n')}\n`));

  it('is refused for byproducts that are not those of the evidence', async () => {
    const byproducts = (change: (list: { name: string; digest: object }[]) => object[]) =>
      forged('provenance.json', ({ predicate: { runDetails } }) => {
        runDetails.byproducts = change(runDetails.byproducts);
      });
    const [one] = JSON.parse(evidence.files.find(({ path }) => path === 'provenance.json')!.data.toString()).subject;
    expect(await byproducts((list) => [...list, one])).toEqual(['evidence-provenance']);
    expect(await byproducts((list) => list.slice(1))).toEqual(['evidence-provenance']);
    expect(await byproducts((list) => list.map((file, at) => (at ? file : { ...file, digest: one.digest })))).toEqual([
      'evidence-provenance',
    ]);
    expect(await forged('provenance.json', (document) => (document.note = ''))).toEqual(['evidence-provenance']);
  });

  it('is refused for lines of digests that are wrong, missing or none', async () => {
    const named = (name: string) => (line: string) => line.endsWith(`  ${name}`);
    expect(await sums((lines) => lines.filter((line) => !line.endsWith('-rehearsal.pkg')))).toContain('evidence-sums');
    for (const name of ['notary-log.json', 'verify-report.json', 'EscrowBuddy.cdx.json'])
      expect(await sums((lines) => lines.filter((line) => !named(name)(line)))).toContain('evidence-sums');
    expect(await sums((lines) => [...lines, 'no digest'])).toContain('evidence-sums');
    expect(
      await sums((lines) =>
        lines.map((line) =>
          named('notary-log.json')(line) ? line.replace(/^./, (c) => (c === '0' ? '1' : '0')) : line,
        ),
      ),
    ).toContain('evidence-sums');
    // The statement names the digest of this list, so that it alone speaks against a list with one line more.
    expect(await sums((lines) => [...lines, `${'0'.repeat(64)}  elsewhere.txt`])).toEqual(['evidence-provenance']);
  });
});
