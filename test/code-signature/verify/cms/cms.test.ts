import { createPublicKey, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeCdHashAttributes } from '../../../../src/code-signature/sign/cdhash-attributes.ts';
import { integer } from '../../../../src/pki/asn1/der.ts';
import { cmsAttribute } from '../../../../src/pki/cms/cms.ts';
import { encodeTimestampRequest, parseTimestampResponse } from '../../../../src/pki/timestamp/timestamp-token.ts';
import { appleCertificates, appleTrust } from '../../../../src/pki/x509/apple-roots.ts';
import type { Certificate } from '../../../../src/pki/x509/certificate.ts';
import { makeCertificate } from '../../../../src/rehearsal/certificate-maker.ts';
import { rehearsalTimestampAuthority } from '../../../../src/rehearsal/timestamp-authority.ts';
import { standingClock } from '../../../support/standing-clock.ts';
import { NOW } from '../../signers.ts';
import {
  authority,
  chainOf,
  digest,
  directory,
  EVERYBODY,
  lengthened,
  made,
  STAMP,
  said,
  stamped,
  token,
  verify,
  type Who,
} from './made-cms.ts';

describe('codeCmsVerifier', () => {
  it('passes what our signer makes, and tells what it says', async () => {
    const cms = await made();
    for (const who of EVERYBODY)
      expect(verify(cms, who).checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
        'code-cms pass',
        'code-timestamp pass',
        'code-cdhash-attributes pass',
        'code-chain pass',
      ]);
    const verdict = verify(cms);
    expect(verdict).toMatchObject({
      anchoredByApple: false,
      signerName: chainOf()[0]?.commonName,
      teamIdentifier: 'REHEARSAL0',
      signingTime: NOW,
      timestamp: NOW,
    });
    expect(verdict.certificates.map(({ sha1 }) => sha1.toString('hex').toUpperCase())).toEqual(
      chainOf().map(({ sha1 }) => sha1),
    );
    expect([...(verdict.certificates[0]?.extensions ?? [])]).toContain('1.2.840.113635.100.6.1.13');
    expect(verdict.certificates[0]?.policies.size).toBe(0);
  });

  it('tells the fields of a subject by Apple’s names, the first of each', async () => {
    const publicKey = createPublicKey(authority.members.application.privateKey);
    const subject = [
      ['2.5.4.3', 'cn'],
      ['2.5.4.10', 'o'],
      ['2.5.4.11', 'ou'],
      ['2.5.4.11', 'ou 2'],
      ['2.5.4.6', 'US'],
      ['0.9.2342.19200300.100.1.1', 'uid'],
      ['2.5.4.7', 'city'],
    ] as const;
    const plan = {
      publicKey,
      notBefore: NOW,
      notAfter: new Date(NOW.getTime() + 1000),
      authority: false,
      keyUsage: 0x80,
    };
    const leaf = makeCertificate({ ...plan, subject }, authority.members.developerIdAuthority);
    const { certificates, teamIdentifier } = verify(await made({ leaf, certificates: [leaf] }));
    expect([...(certificates[0]?.subject ?? [])]).toEqual([
      ['subject.CN', 'cn'],
      ['subject.O', 'o'],
      ['subject.OU', 'ou'],
      ['subject.C', 'US'],
      ['subject.UID', 'uid'],
    ]);
    expect(teamIdentifier).toBe('ou');
    const none = makeCertificate({ ...plan, subject: subject.slice(0, 1) }, authority.members.developerIdAuthority);
    expect(verify(await made({ leaf: none, certificates: [none] })).teamIdentifier).toBeNull();
  });

  it('knows a chain of Apple’s by its root', async () => {
    const { developerIdCaG2 } = appleCertificates();
    const cms = await made({ leaf: developerIdCaG2, certificates: [developerIdCaG2] });
    expect(verify(cms, 'exact', undefined, appleTrust())).toMatchObject({
      anchoredByApple: true,
      signerName: 'Developer ID Certification Authority',
    });
    expect(verify(cms).anchoredByApple).toBe(false);
  });

  it('knows a root of Apple’s by more than its name', async () => {
    const { subject } = appleCertificates().appleRootCaG2;
    const { privateKey } = authority.members.application;
    const plan = {
      subject: subject.attributes.map(({ type, value }) => [type, value] as const),
      publicKey: createPublicKey(privateKey),
      notBefore: NOW,
      notAfter: new Date(NOW.getTime() + 1000),
      authority: true,
      keyUsage: 0x86,
    };
    const forged = makeCertificate(plan, { certificate: undefined, privateKey });
    expect(forged.subject.der).toEqual(subject.der);
    const verdict = verify(await made({ leaf: forged, certificates: [forged] }), 'others', undefined, appleTrust());
    expect(verdict).toMatchObject({ anchoredByApple: false, signerName: 'Apple Root CA - G2' });
    expect(verdict.checks.find(({ id }) => id === 'code-chain')?.reason).toContain('not a trusted root');
  });

  it('says no more where there is nothing to check', async () => {
    const cms = await made();
    const nothing = {
      certificates: [],
      anchoredByApple: false,
      signerName: null,
      teamIdentifier: null,
      signingTime: null,
      timestamp: null,
    };
    expect(verify(Buffer.concat([cms, Buffer.alloc(3)]))).toMatchObject({
      ...nothing,
      checks: [
        { id: 'code-cms', status: 'fail', reason: `BlobWrapper, offset ${8 + cms.length}: 3 bytes after the CMS` },
      ],
    });
    expect(verify(cms, 'exact', [])).toEqual({ ...nothing, checks: [] });
    const stranger = verify(await made({ certificates: chainOf().slice(1) }));
    expect(stranger).toMatchObject(nothing);
    expect(stranger.checks.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'code-cms fail',
      'code-timestamp pass',
      'code-cdhash-attributes pass',
    ]);
    const odd = verify(await made({ attributes: [cmsAttribute('1.2.840.113549.1.9.5', integer(1))] }));
    expect(odd.checks.map(({ id, status }) => `${id} ${status}`)[0]).toBe('code-cms fail');
  });

  it('wants the only encoding there is in what is ours', async () => {
    const twice = (signature: Buffer) => [cmsAttribute(STAMP, token(signature), token(signature))];
    const long = [
      ...encodeCdHashAttributes([digest('directory')]),
      cmsAttribute('1.2.3', Buffer.from('04810161', 'hex')),
    ];
    // Another length; a second token, which nobody looks at; a longer length within what is signed.
    for (const cms of [lengthened(await made()), await made({ unsigned: twice }), await made({ attributes: long })]) {
      expect(said('code-cms', cms)).toBe('fail: the encoding is not the one that the parts of the CMS have');
      for (const who of ['demanding', 'others'] as const) expect(said('code-cms', cms, who)).toBe('pass');
    }
    expect(said('code-cms', await made(), 'exact', [directory('other')])).toBe(
      'fail: the signed sha256 digest is missing or is not that of the content',
    );
  });
});

describe('the chain of code', () => {
  it('is embedded whole in ours, and nothing beside it where that counts', async () => {
    const ticket = authority.members.ticket.certificate;
    const stray = await made({ certificates: [...chainOf(), ticket] });
    const words = `the embedded certificate "${ticket.commonName}" is not part of the chain`;
    expect(EVERYBODY.map((who) => said('code-chain', stray, who))).toEqual([
      `fail: ${words}; the whole chain is not embedded`,
      `fail: ${words}`,
      `pass: ${words}`,
    ]);
    const short = await made({ certificates: chainOf().slice(0, 2) });
    expect(EVERYBODY.map((who) => said('code-chain', short, who))).toEqual([
      'fail: the whole chain is not embedded',
      'pass',
      'pass',
    ]);
  });

  it('may have expired in code of others without a timestamp', async () => {
    const bare = await made({ unsigned: () => [] });
    const [leaf] = chainOf() as [Certificate];
    const late = new Date(leaf.notAfter.getTime() + 1000);
    const early = new Date(leaf.notBefore.getTime() - 1000);
    const at = (when: Date, who: Who, cms = bare) => said('code-chain', cms, who, undefined, undefined, when);
    expect(at(late, 'others')).toMatch(/^pass: .*expired .*: macOS tolerates it in code without a timestamp/);
    expect(at(early, 'others')).toMatch(/^pass: .*is valid from .*: macOS tolerates it/);
    expect([at(late, 'demanding'), at(early, 'demanding')]).toEqual([
      expect.stringMatching(/^fail: .*expired/),
      expect.stringMatching(/^fail: .*valid from/),
    ]);
    // With a timestamp that is trusted its time counts; with one that is not, now, and nothing is tolerated.
    const tsa = rehearsalTimestampAuthority(authority, standingClock(NOW));
    const fault = {
      kind: 'signer',
      signer: authority.members.installer,
      chain: authority.chainOf('installer'),
    } as const;
    const strange = await made({
      unsigned: (signature) => [
        cmsAttribute(
          STAMP,
          parseTimestampResponse(tsa.issueToken(encodeTimestampRequest(signature, randomBytes(8)), fault))
            .token as Buffer,
        ),
      ],
    });
    expect(at(late, 'others', await made())).toBe('pass');
    expect(at(late, 'others', strange)).toMatch(/^fail: .*expired/);
    expect(
      said('code-chain', bare, 'others', undefined, {
        ...authority.trust,
        roots: [authority.members.ticketRoot.certificate],
      }),
    ).toMatch(/^fail: .*not a trusted root/);
  });
});

describe('the timestamp of code', () => {
  const NOT = 'an unsigned attribute that is not a timestamp';
  it.each<[string, (signature: Buffer) => Buffer[], string, string]>([
    ['as usual', (signature) => stamped(signature), 'pass', 'pass'],
    [
      'missing',
      () => [],
      'fail: the signature has no timestamp',
      'skipped: the signature has no timestamp: macOS takes it all the same, the notary does not',
    ],
    ['another attribute', () => [cmsAttribute('1.2.3', integer(1))], `fail: ${NOT}`, `fail: ${NOT}`],
    [
      'another one beside it',
      (signature) => [...stamped(signature), cmsAttribute('1.2.3', integer(1))],
      `fail: ${NOT}`,
      `fail: ${NOT}`,
    ],
    [
      'over something else',
      () => stamped(Buffer.from('x')),
      'fail: the token is over other bytes than this signature',
      'fail: the token is over other bytes than this signature',
    ],
    [
      'in another encoding',
      (signature) => [cmsAttribute(STAMP, lengthened(token(signature)))],
      'fail: the encoding is not the one that the parts of the token have',
      'fail: the encoding is not the one that the parts of the token have',
    ],
    [
      'no token',
      () => [cmsAttribute(STAMP, integer(1))],
      'fail: CMS SignedData, offset 0: expected ContentInfo (tag 0x30), found tag 0x02',
      'fail: CMS SignedData, offset 0: expected ContentInfo (tag 0x30), found tag 0x02',
    ],
  ])('%s', async (what, unsigned, strict, lenient) => {
    const cms = await made({ unsigned });
    expect(EVERYBODY.map((who) => said('code-timestamp', cms, who))).toEqual([strict, strict, lenient]);
    const right = ['as usual', 'in another encoding'].includes(what);
    expect(verify(cms, 'others').timestamp).toEqual(right ? NOW : null);
  });

  it('brings no certificate beside its chain where that counts', async () => {
    const chain = [...authority.chainOf('timestamp'), authority.members.ticket.certificate];
    const tsa = rehearsalTimestampAuthority(authority, standingClock(NOW));
    const fault = { kind: 'signer', signer: authority.members.timestamp, chain } as const;
    const unsigned = (signature: Buffer) => [
      cmsAttribute(
        STAMP,
        parseTimestampResponse(tsa.issueToken(encodeTimestampRequest(signature, randomBytes(8)), fault))
          .token as Buffer,
      ),
    ];
    const words = `the token's certificate "${authority.members.ticket.certificate.commonName}" is not part of its chain`;
    const cms = await made({ unsigned });
    expect(EVERYBODY.map((who) => said('code-timestamp', cms, who))).toEqual([
      `fail: ${words}`,
      `fail: ${words}`,
      `pass: ${words}`,
    ]);
  });
});
