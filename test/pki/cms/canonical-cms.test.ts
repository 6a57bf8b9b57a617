import { beforeAll, describe, expect, it } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import type { BundleSigner } from '../../../src/code-signature/sign/sign-bundle.ts';
import { der } from '../../../src/pki/asn1/der.ts';
import { canonicalCms, isDer } from '../../../src/pki/cms/canonical-cms.ts';
import { parseCms } from '../../../src/pki/cms/parse.ts';
import { rehearsalSigner } from '../../code-signature/signers.ts';

/** Returns whether the encoding is the one that its parts have; what cannot be read is not. */
function isCanonical(encoded: Buffer): boolean {
  try {
    return isDer(encoded) && canonicalCms(parseCms(encoded))?.equals(encoded) === true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

describe('canonicalCms', () => {
  let cms: Buffer;
  beforeAll(async () => {
    const { signer } = await rehearsalSigner();
    const { signCms } = signer as Extract<BundleSigner, { kind: 'identity' }>;
    cms = await signCms({ content: Buffer.from('content'), extraSignedAttributes: [] });
  });

  it('gives back a CMS of ours and its token', () => {
    expect(isCanonical(cms)).toBe(true);
    expect(isCanonical(parseCms(cms).timestampToken as Buffer)).toBe(true);
  });

  it('finds a change of the version, which no signature covers', () => {
    const bad = Buffer.from(cms);
    // ContentInfo: SEQUENCE and length 4, OID 11, [0] and length 4, SEQUENCE and length 4, then INTEGER 1.
    expect(bad.toString('hex', 23, 26)).toBe('020101');
    bad[25] = 3;
    expect(parseCms(bad).version).toBe(3);
    expect(isCanonical(bad)).toBe(false);
  });

  it('finds a changed bit in any header of the outer values', () => {
    // Byte 32 begins the name of the digest, which the reader of the CMS checks.
    for (let at = 0; at < 32; at++) {
      const bad = Buffer.from(cms);
      bad[at] = bad[at]! ^ (1 << (at % 8));
      expect(isCanonical(bad), `byte ${at}`).toBe(false);
    }
  });
});

describe('isDer', () => {
  it.each([
    ['nested values', '3006020101300104', false],
    ['values that fit', '3005020101 0500', true],
    ['a long length where a short one would do', '308105 020101 0500', false],
    ['a long length', `308180${'05'.padEnd(4, '0').repeat(64)}`, true],
    ['an indefinite length', '3080 0500 0000', false],
    ['a length beyond the end', '3003 0500', false],
    ['an inner value beyond its outer one', '3003 040200 00', false],
    ['two values', '0500 0500', false],
  ])('checks %s', (_, hex, expected) => {
    expect(isDer(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toBe(expected);
  });

  // X.690, sections 8.1.3 and 10.1: the fewest octets that hold a length.
  it.each<[string, number, boolean]>([
    ['04817f', 0x7f, false],
    ['048180', 0x80, true],
    ['048180', 0x7f, false],
    ['0481ff', 0xff, true],
    ['04820080', 0x80, false],
    ['048200ff', 0xff, false],
    ['04820100', 0x100, true],
    ['04820100', 0xff, false],
    ['0483000100', 0x100, false],
    ['048300ffff', 0xffff, false],
    ['0483010000', 0x10000, true],
    ['048400010000', 0x10000, false],
    ['0485000000007f', 0x7f, false],
    ['0480', 0, false],
    ['0480', 0x80, false],
    ['0400', 0, true],
    ['047f', 0x7f, true],
    ['04', 0, false],
    ['0481', 0, false],
    ['048201', 0, false],
    ['04ff', 0, false],
  ])('takes %s before %i bytes: %s', (head, size, expected) => {
    const value = Buffer.concat([Buffer.from(head, 'hex'), Buffer.alloc(size)]);
    expect(isDer(value)).toBe(expected);
    // Inside another value, with one beside it that it must not reach into.
    const inside = (...values: Buffer[]) => der(0x30, Buffer.concat(values));
    expect(isDer(inside(inside(value), Buffer.from('8400', 'hex')))).toBe(expected);
  });

  it('takes 64 values around another one, and not one more', () => {
    const within = (depth: number) => {
      let value: Buffer = Buffer.from('0500', 'hex');
      for (let at = 0; at < depth; at++) value = der(0x30, value);
      return isDer(value);
    };
    expect([within(1), within(64), within(65), within(500)]).toEqual([true, true, false, false]);
  });
});
