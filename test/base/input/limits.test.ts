import { describe, expect, it } from 'vitest';
import {
  beyond,
  bomBytesOf,
  codeBytesOf,
  entriesOf,
  LIMITS,
  nestedPackageBytesOf,
  packageDocumentBytesOf,
  SMALL_PACKAGE,
  signaturesOf,
  WORK,
  WorkBudget,
} from '../../../src/base/input/limits.ts';

describe('LIMITS', () => {
  it('are those for which the bombs of test/bench were measured: one that moves is measured again', () => {
    expect(SMALL_PACKAGE).toBe(20_971_520);
    expect(LIMITS).toEqual({
      tocBytes: 4_194_304,
      xmlElements: 100_000,
      propertyListElements: 320_000,
      xmlAttributes: 100_000,
      xmlDepth: 64,
      documentBytes: 16_777_216,
      packageDocumentBytes: 4_194_304,
      bomBytes: 12_582_912,
      bomBlocks: 100_000,
      bomBytesPerBlock: 24,
      components: 1000,
      entries: 60_000,
      pathBytesPerEntry: 300,
      memberPathBytes: 1024,
      links: 20_000,
      linkBytesPerLink: 100,
      certificates: 50,
      asn1Values: 4000,
      cmsBytes: 12_288,
      ticketDigests: 20_000,
      codeBytes: 100_663_296,
      loadCommandBytes: 4_194_304,
      superBlobBytes: 33_554_432,
      slices: 204,
      signatures: 1000,
      bundleDepth: 8,
      packageDepth: 2,
      nestedPackageBytes: 33_554_432,
      scriptBytes: 16_777_216,
      appleDoubleBytes: 1_048_576,
    });
    const speeds = { stored: 0.3, gzip: 1, xz: 4, bzip2: 20, hash: 0.5 };
    expect(WORK).toEqual({ ...speeds, search: 4, fixups: 40, cms: 200, largeCms: 400 });
  });

  it.each([
    ['entries', entriesOf, 60_000, 200 * 60_001, 60_001],
    ['bytes of code', codeBytesOf, 100_663_296, 25_165_825, 100_663_300],
    ['bytes of a package inside', nestedPackageBytesOf, 33_554_432, 16_777_217, 33_554_434],
    ['bytes of a Bom', bomBytesOf, 12_582_912, 12_582_913, 12_582_913],
    ['bytes of a document', packageDocumentBytesOf, 4_194_304, 419_430_500, 4_194_305],
    ['signatures', signaturesOf, 1000, 20_020_000, 1001],
  ])('of %s grow with a large package, in whole numbers', (_, limitOf, least, size, limit) => {
    expect([limitOf(0), limitOf(size), limitOf(size + 0.5)]).toEqual([least, limit, expect.any(Number)]);
    expect(limitOf(size - Math.ceil(size / limit))).toBe(least);
    if (![codeBytesOf, nestedPackageBytesOf, bomBytesOf].includes(limitOf)) expect(limitOf(size + 1)).toBe(limit);
  });
});

describe('WorkBudget', () => {
  it.each([
    [0, 1_073_741_824],
    [21_474_836, 1_073_741_824],
    [21_474_837, 1_073_741_850],
    [100_000_000, 5_000_000_000],
  ])('of a package of %i bytes is %i bytes in all, the last one included', (size, total) => {
    const budget = new WorkBudget(size);
    budget.spend(total / 4, 2);
    budget.spend(total / 2, 1);
    budget.spend(0, WORK.xz);
    expect(() => budget.spend(1, 0.5)).toThrow(
      `flat package, offset 0: expected at most ${total} bytes decoded in all (xz counts 4 times, bzip2 20 times), found more`,
    );
  });
});

describe('beyond', () => {
  it('names the limit, and says what an honest package does', () => {
    expect(beyond('Bom', 'blocks', 7)).toMatchObject({
      code: 'SIZE_LIMIT',
      format: 'Bom',
      offset: 0,
      message: 'Bom, offset 0: expected at most 7 blocks, found more',
      hint: expect.stringContaining('pkgutil --check-signature'),
    });
  });
});
