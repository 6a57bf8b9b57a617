import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { appleCertificates, appleTrust } from '../../../src/pki/x509/apple-roots.ts';

/** SHA-256 fingerprint, serial number and last second of validity, as `openssl x509` prints them for Apple's files. */
const PUBLISHED = {
  appleRootCa: ['B0B1730ECBC7FF4505142C49F1295E6EDA6BCAED7E2C68C5BE91B5A11001F024', '2', '2035-02-09T21:40:36.000Z'],
  appleRootCaG2: [
    'C2B9B042DD57830E7D117DAC55AC8AE19407D38E41D88F3215BC3A890444A050',
    '1E0E5B58367A3E0',
    '2039-04-30T18:10:09.000Z',
  ],
  appleRootCaG3: [
    '63343ABFB89A6A03EBB57E9B3F5FA7BE7C4F5C756F3017B3A8C488C3653E9179',
    '2DC5FC88D2C54B95',
    '2039-04-30T18:19:06.000Z',
  ],
  developerIdCa: [
    '7AFC9D01A62F03A2DE9637936D4AFE68090D2DE18D03F29C88CFB0B1BA63587F',
    '187AA9A8C296210C',
    '2027-02-01T22:12:15.000Z',
  ],
  developerIdCaG2: [
    'F16CD3C54C7F83CEA4BF1A3E6A0819C8AAA8E4A1528FD144715F350643D2DF3A',
    '7FB4003FCD97497ACB834D92A48A7873C2845D43',
    '2031-09-17T00:00:00.000Z',
  ],
  appleTimestampCa: [
    '66285E2E374D00A8BA3D8D3D04393A48BD16554B284BC88DABEC85B479ADCD6B',
    '7D4C57639FF3F0B7',
    '2027-04-05T12:02:44.000Z',
  ],
} as const;

describe('appleCertificates', () => {
  it.each(Object.keys(PUBLISHED) as (keyof typeof PUBLISHED)[])('%s is the one Apple published', (name) => {
    const certificate = appleCertificates()[name];
    expect([certificate.sha256, certificate.serialNumber, certificate.notAfter.toISOString()]).toEqual(PUBLISHED[name]);
  });

  it('reads the same facts as OpenSSL', () => {
    for (const certificate of Object.values(appleCertificates())) {
      const theirs = new X509Certificate(certificate.der);
      expect(certificate.isAuthority).toBe(theirs.ca);
      expect(theirs.subject.split('\n')).toContain(`CN=${certificate.commonName}`);
      expect(certificate.notBefore.getTime()).toBe(Date.parse(theirs.validFrom));
      expect(certificate.sha1).toBe(theirs.fingerprint.replaceAll(':', ''));
    }
  });
});

describe('appleTrust', () => {
  it('has the three roots, and no intermediate among them', () => {
    const names = appleTrust().roots.map(({ commonName }) => commonName);
    expect(names).toEqual(['Apple Root CA', 'Apple Root CA - G2', 'Apple Root CA - G3']);
    expect(appleTrust().roots.every((root) => root.subject.der.equals(root.issuer.der))).toBe(true);
  });
});
