import { APPLE_CERTIFICATES } from './apple-certificates.ts';
import { type Certificate, parseCertificate } from './certificate.ts';

/** Whom to believe: the roots a chain may end at, and what a name for them is in reports. */
export interface Trust {
  readonly name: 'apple' | 'rehearsal';
  readonly roots: readonly Certificate[];
  /** Known intermediates, used to complete a signing identity that came without them. Never needed to verify. */
  readonly intermediates: readonly Certificate[];
}

let known: Record<keyof typeof APPLE_CERTIFICATES, Certificate> | undefined;

/** Returns Apple's pinned certificates, parsed on first use. */
export function appleCertificates(): Readonly<Record<keyof typeof APPLE_CERTIFICATES, Certificate>> {
  known ??= Object.fromEntries(
    Object.entries(APPLE_CERTIFICATES).map(([name, text]) => [name, parseCertificate(Buffer.from(text, 'base64'))]),
  ) as Record<keyof typeof APPLE_CERTIFICATES, Certificate>;
  return known;
}

/**
 * Returns trust in Apple's three roots, and nothing else.
 *
 * @example verifyChain(leaf, embedded, { trust: appleTrust(), at: genTime, purpose: 'installer' })
 */
export function appleTrust(): Trust {
  const certificates = appleCertificates();
  return {
    name: 'apple',
    roots: [certificates.appleRootCa, certificates.appleRootCaG2, certificates.appleRootCaG3],
    intermediates: [certificates.developerIdCaG2, certificates.developerIdCa, certificates.appleTimestampCa],
  };
}
