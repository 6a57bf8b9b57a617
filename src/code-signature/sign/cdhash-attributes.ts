import { renderPropertyList } from '../../xml/property-list.ts';

/** Apple's signed attributes with the hashes of the code directories. Observed in Developer ID signatures of 2017 and 2020. */
export const CD_HASHES_PLIST_OID = '1.2.840.113635.100.9.1';
export const CD_HASHES_OID = '1.2.840.113635.100.9.2';

const CD_HASHES_PLIST_DER = Buffer.from('06092a864886f763640901', 'hex');
const CD_HASHES_DER = Buffer.from('06092a864886f763640902', 'hex');
/** Object identifier 2.16.840.1.101.3.4.2.1, tag and length included. */
const SHA256_DER = Buffer.from('0609608648016503040201', 'hex');

/**
 * Returns the two signed attributes of a code signature's CMS, each one DER `Attribute`: the property list of cut hashes (9.1) and
 * the full hashes with their algorithm (9.2). The order in the CMS follows from DER's rule for sets.
 *
 * @param digests SHA-256 of each CodeDirectory, 32 bytes, in the order of their slots
 * @see Security-61901 signer.cpp, `signCodeDirectory`
 */
export function encodeCdHashAttributes(digests: readonly Buffer[]): Buffer[] {
  const records = digests.map((digest) => der(0x30, SHA256_DER, der(0x04, digest)));
  return [
    der(0x30, CD_HASHES_PLIST_DER, der(0x31, der(0x04, cdHashesPropertyList(digests)))),
    der(0x30, CD_HASHES_DER, der(0x31, ...records)),
  ];
}

/** Returns the property list of attribute 9.1: each digest cut to 20 bytes. */
export function cdHashesPropertyList(digests: readonly Buffer[]): Buffer {
  return Buffer.from(renderPropertyList(new Map([['cdhashes', digests.map((digest) => digest.subarray(0, 20))]])));
}

/** Returns one DER value. Lengths up to 65535 suffice here. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  if (length < 0x100) return Buffer.concat([Buffer.from([tag, 0x81, length]), content]);
  return Buffer.concat([Buffer.from([tag, 0x82, length >> 8, length & 0xff]), content]);
}
