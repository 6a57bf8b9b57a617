import fc from 'fast-check';

/**
 * Any character of Unicode; for `fc.string({ unit: character })`.
 *
 * fast-check's own units for that take a second of the processor before the first string is there.
 */
export const character: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 0xd7ff }) },
    { weight: 2, arbitrary: fc.integer({ min: 0xe000, max: 0x10ffff }) },
    { weight: 2, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
  )
  .map((code) => String.fromCodePoint(code));

/** A character as people see one: also a letter with its accent behind it, a flag, a family. */
export const grapheme: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: character },
  {
    weight: 1,
    arbitrary: fc.constantFrom('e\u0301', '\u1112\u1161\u11ab', '👩‍👩‍👧', '🇫🇷', 'A\u030a', '\u0915\u094d\u0937'),
  },
);
