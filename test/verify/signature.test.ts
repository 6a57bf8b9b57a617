import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { CheckList } from '../../src/base/check.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { context, der, octetString, sequence } from '../../src/pki/asn1/der.ts';
import { localSigner, type Signer } from '../../src/pki/identity/signer.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { PackageExpectations } from '../../src/verify/expectations.ts';
import { checkArchiveSignature } from '../../src/verify/signature.ts';
import type { ChecksumStyle } from '../../src/xar/layout.ts';
import type { XarArchive } from '../../src/xar/read.ts';
import type { XarSignature } from '../../src/xar/toc.ts';
import { rehearsalSigner } from '../code-signature/signers.ts';
import { type SignatureChange, tokenMaker, usualSignature } from '../mutation/signing.ts';
import { rsaPair } from '../support/rsa-pairs.ts';
import { edited } from './edited.ts';

let authority: RehearsalAuthority;
let other: RehearsalAuthority;
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
  ({ authority: other } = await rehearsalSigner());
});

const DIGEST = createHash('sha1').update('a table of contents').digest();
const IN_TIME = new Date();
const PORTABLE = { madeBy: 'portable' } as PackageExpectations['ours'];
const APPLE = { madeBy: 'apple' } as PackageExpectations['ours'];
const UNSIGNED = [
  'package-rsa',
  'package-cms',
  'package-timestamp',
  'package-chain',
  'package-role',
  'package-key-info',
];
const NO_CERTIFICATES = ['package-timestamp', 'package-chain', 'package-role', 'package-key-info'];

interface Made extends SignatureChange {
  readonly style?: ChecksumStyle;
  readonly digest?: Buffer;
  /** Changes what the TOC says of the two signatures. */
  readonly toc?: (rsa: XarSignature, cms: XarSignature) => readonly XarSignature[];
  readonly ours?: PackageExpectations['ours'];
  readonly now?: Date;
  readonly allowUnsigned?: boolean;
}

/** Checks an archive that is nothing but a heap with two signatures. */
async function checked({ style = 'sha1', digest = DIGEST, toc = (rsa, cms) => [rsa, cms], ...made }: Made = {}) {
  const { ours = null, now = IN_TIME, allowUnsigned = false, ...change } = made;
  const usual = usualSignature(authority, change);
  const [rsaBytes, cmsBytes] = (await usual.sign(digest)) as [Buffer, Buffer];
  const [rsaRoom, cmsRoom] = usual.rooms as [(typeof usual.rooms)[0], (typeof usual.rooms)[0]];
  const heap = Buffer.concat([rsaBytes, Buffer.concat([cmsBytes], cmsRoom.size)]);
  const archive = {
    access: accessBuffer(heap),
    heapStart: 0,
    checksum: { style, value: digest },
    signatures: toc(
      { element: 'signature', style: 'RSA', range: { offset: 0, size: 256 }, certificates: rsaRoom.certificates },
      { element: 'x-signature', style: 'CMS', range: { offset: 256, size: cmsRoom.size }, certificates: cmsRoom.certificates },
    ),
  } as unknown as XarArchive; // biome-ignore format: short
  const list = new CheckList('a');
  const facts = await checkArchiveSignature(list, archive, { trust: authority.trust, now, ours, allowUnsigned });
  const all = list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`);
  return { facts, all, of: (id: string) => all.filter((line) => line.startsWith(`${id} `)).join('\n'), failed: list.checks.filter(({ status }) => status === 'fail').map(({ id }) => id) };
} // biome-ignore format: short

/** An encoding with one length in a longer form than DER has. */
const inLongForm = (encoded: Buffer) => Buffer.concat([Buffer.from('308300', 'hex'), encoded.subarray(2)]);
const SIGNED_DATA = [1, 0];

describe('a signed archive', () => {
  it('passes, of ours and of others, and tells who signed it when', async () => {
    for (const ours of [PORTABLE, APPLE, null]) {
      const { facts, all } = await checked({ ours });
      const note = `package-chain pass: to "${authority.members.root.certificate.commonName}", which no Mac trusts`;
      expect(all).toEqual([
        'package-signature pass',
        'package-rsa pass',
        'package-cms pass',
        'package-padding pass',
        'package-timestamp pass',
        note,
        'package-role pass',
        'package-key-info pass',
      ]);
      expect(facts.signer?.commonName).toContain('Developer ID Installer');
      expect(facts.timestamp).toBeInstanceOf(Date);
    }
  });

  it('fails with neither signature, unless it may', async () => {
    const none = { toc: () => [] };
    const skipped = UNSIGNED.map((id) => `${id} skipped: the package is not signed`);
    const { all, facts } = await checked(none);
    expect(all).toEqual(['package-signature fail: the package is not signed', ...skipped]);
    expect(facts).toEqual({ signer: undefined, timestamp: undefined });
    expect((await checked({ ...none, allowUnsigned: true })).all).toEqual([
      'package-signature skipped: the package is not signed',
      ...skipped,
    ]);
  });

  it('may have the RSA signature alone, as before 2012', async () => {
    const alone = { toc: (rsa: XarSignature) => [rsa] };
    const { all, of, facts } = await checked(alone);
    expect(all).toEqual([
      'package-signature pass',
      'package-rsa pass',
      'package-cms skipped: there is only the RSA signature, as in packages of before 2012',
      'package-timestamp skipped: the signature has no timestamp',
      expect.stringMatching(/^package-chain pass/),
      'package-role pass',
      'package-key-info pass',
    ]);
    expect(of('package-padding')).toBe('');
    expect([facts.signer?.commonName, facts.timestamp]).toEqual([expect.stringContaining('Installer'), undefined]);
    expect((await checked({ ...alone, now: new Date('2060-01-01') })).failed).toContain('package-chain');
    expect((await checked({ ...alone, ours: APPLE })).failed).toEqual(['package-timestamp']);
  });

  it('is the first of its kind', async () => {
    const { of } = await checked({ toc: (rsa, cms) => [rsa, { ...rsa, style: 'X' }, cms, { ...cms, style: 'Y' }] });
    expect(of('package-rsa')).toBe('package-rsa pass');
    expect(of('package-cms')).toMatch(/^package-cms pass/);
    const turned = await checked({ toc: (rsa, cms) => [{ ...rsa, style: 'X' }, rsa, { ...cms, style: 'Y' }, cms] });
    expect(turned.of('package-rsa')).toBe('package-rsa fail: expected style RSA, found "X"');
    expect(turned.of('package-cms')).toBe('package-cms fail: expected style CMS, found "Y"');
  });

  it('may have the CMS alone', async () => {
    const { of, failed } = await checked({ toc: (_, cms) => [cms] });
    expect(of('package-rsa')).toBe('package-rsa skipped: left out, as where a key signs no SHA-1: macOS takes the CMS');
    expect(failed).toEqual([]);
  });

  it.each<[string, Made, string]>([
    ['of another style', { toc: (rsa, cms) => [rsa, { ...cms, style: 'PGP' }] }, 'expected style CMS, found "PGP"'],
    ['that is none', { cms: () => Buffer.alloc(0) }, ''],
    ['that is cut off', { cms: (cms) => cms.subarray(0, 50) }, ''],
  ])('skips what needs a CMS where there is one %s', async (_, made, words) => {
    const { all, of, facts } = await checked(made);
    expect(of('package-cms')).toMatch(/^package-cms fail: /);
    expect(of('package-cms')).toContain(words);
    expect(all.filter((line) => line.startsWith('package-cms '))).toHaveLength(1);
    expect(all.slice(-4)).toEqual(NO_CERTIFICATES.map((id) => `${id} skipped: the CMS cannot be read`));
    expect(facts.signer).toBeUndefined();
  });

  it('skips what needs a certificate where there is none of its signer', async () => {
    const strangers = { chain: other.chainOf('installer') };
    const { all, facts } = await checked(strangers);
    expect(all.filter((line) => line.startsWith('package-cms '))).toHaveLength(1);
    expect(all.slice(-4)).toEqual(NO_CERTIFICATES.map((id) => `${id} skipped: the certificate of the signer is missing`));
    expect(facts.signer).toBeUndefined();
    const bare = await checked({ toc: (rsa) => [{ ...rsa, certificates: [] }] });
    expect(bare.of('package-rsa')).toBe('package-rsa fail: KeyInfo holds no certificate');
    expect(bare.all.slice(-4)).toEqual(NO_CERTIFICATES.map((id) => `${id} skipped: the certificate of the signer is missing`));
  }); // biome-ignore format: short

  it('fails with certificates that are none', async () => {
    const { of } = await checked({ toc: (rsa, cms) => [{ ...rsa, certificates: [Buffer.from('3000', 'hex')] }, cms] });
    expect(of('package-key-info').split('\n')).toEqual([
      expect.stringMatching(/^package-key-info fail: /),
      'package-key-info fail: the first certificate of signature is not that of the signer',
    ]);
    expect(of('package-rsa')).toBe('package-rsa fail: KeyInfo holds no certificate');
  });
});

describe('the RSA signature', () => {
  const over = (hash: 'sha1' | 'sha256', again = hash) => ({
    rsa: (digest: Buffer, signer: Signer) =>
      signer.sign({ hash: again, digest: createHash(hash).update(digest).digest() }),
  });
  const LEFT = 'it is not over the TOC digest itself but over a digest of it';
  const rsa = async (made: Made) => (await checked(made)).of('package-rsa');

  it('is over the digest of the TOC, whichever that is', async () => {
    const digest = createHash('sha256').update('x').digest();
    const sha256 = (value: Buffer, signer: Signer) => signer.sign({ hash: 'sha256', digest: value });
    expect(await rsa({ style: 'sha256', digest, rsa: sha256 })).toBe('package-rsa pass');
    expect(await rsa({ style: 'sha1', digest, rsa: sha256 })).toBe('package-rsa fail: it is over other bytes than this TOC digest');
  }); // biome-ignore format: short

  it.each(['sha512', 'md5', 'none'] as const)('is over nothing that it can be over for %s', async (style) => {
    expect(await rsa({ style })).toBe('package-rsa fail: it is over other bytes than this TOC digest');
  });

  it('may be over SHA-1 of it in packages of others', async () => {
    const words = 'over SHA-1 of the TOC digest, as productsign of macOS 11 made it';
    expect(await rsa(over('sha1'))).toBe(`package-rsa pass: ${words}`);
    expect(await rsa({ ...over('sha1'), ours: APPLE })).toBe(`package-rsa pass: ${words}`);
    expect(await rsa({ ...over('sha1'), ours: PORTABLE })).toBe(
      `package-rsa fail: ${LEFT} (SHA-1, as productsign of macOS 11 made it)`,
    );
  });

  it('may not be over SHA-256 of it, nor over anything else', async () => {
    expect(await rsa(over('sha256'))).toBe(`package-rsa fail: ${LEFT} (SHA-256, as rcodesign makes it)`);
    const first = Buffer.from([~DIGEST[0]! & 0xff, ...DIGEST.subarray(1)]);
    const last = Buffer.from([...DIGEST.subarray(0, -1), ~DIGEST.at(-1)! & 0xff]);
    for (const digest of [Buffer.alloc(20), first, last])
      expect(await rsa({ rsa: (_, signer) => signer.sign({ hash: 'sha1', digest }) })).toBe(
        'package-rsa fail: it is over other bytes than this TOC digest',
      );
  });

  it('is made with the key of the first certificate, which is an RSA key', async () => {
    const { privateKey } = rsaPair();
    const { commonName } = authority.members.installer.certificate;
    expect(await rsa({ rsa: (digest) => localSigner(privateKey).sign({ hash: 'sha1', digest }) })).toBe(
      `package-rsa fail: it was not made with the key of "${commonName}"`,
    );
    const ticket = authority.members.ticket.certificate;
    expect(await rsa({ keyInfo: [ticket] })).toBe(
      `package-rsa fail: the key of "${ticket.commonName}" is not an RSA key`,
    );
    expect(await rsa({ toc: (one, cms) => [{ ...one, style: 'DSA' }, cms] })).toBe(
      'package-rsa fail: expected style RSA, found "DSA"',
    );
  });
});

describe('the CMS', () => {
  it('is over the digest', async () => {
    expect((await checked({ signedContent: () => Buffer.alloc(20) })).failed).toEqual(['package-cms']);
  });

  it.each<[string, (cms: Buffer) => Buffer, string]>([
    ['in another encoding', inLongForm, 'the encoding is not the one that the parts of the CMS have'],
    [
      'with its content embedded',
      (cms) => edited(cms, [...SIGNED_DATA, 2], ({ children }) => sequence(children[0]?.raw as Buffer, der(context(0), octetString(DIGEST)))),
      'the content is embedded',
    ],
  ])('of ours fails %s, and is taken of others', async (_, cms, words) => {
    expect((await checked({ cms, ours: PORTABLE })).of('package-cms')).toMatch(new RegExp(`^package-cms fail: .*${words}`));
    const { of, failed } = await checked({ cms });
    expect(failed).toEqual([]);
    expect(of('package-cms')).toBe(words.startsWith('the content') ? `package-cms pass: ${words}` : 'package-cms pass');
  }); // biome-ignore format: a table

  it.each([0, 1, 50])('of ours has nothing behind it, not even after %i zeros', async (zeros) => {
    let size = 0;
    const cms = (one: Buffer) => {
      size = one.length;
      return Buffer.concat([one, Buffer.alloc(zeros), Buffer.from([1])]);
    };
    const ours = (await checked({ cms, ours: PORTABLE })).of('package-padding');
    expect(ours).toBe(`package-padding fail: byte ${size + zeros} after the CMS is not zero`);
    expect((await checked({ cms })).of('package-padding')).toMatch(/^package-padding pass: byte \d+ after/);
  });
});

describe('the timestamp', () => {
  const none: Made = { timestamp: 'none' };

  it('must be in ours, and is missed in others', async () => {
    expect((await checked({ ...none, ours: PORTABLE })).failed).toEqual(['package-timestamp']);
    const { of, facts } = await checked(none);
    expect(of('package-timestamp')).toBe('package-timestamp skipped: the signature has no timestamp');
    expect(facts.timestamp).toBeUndefined();
  });

  it('lets a package pass after its certificates expired, and nothing else does', async () => {
    const now = new Date('2060-01-01');
    expect((await checked({ now })).failed).toEqual([]);
    expect((await checked({ ...none, now })).failed).toEqual(['package-chain']);
  });

  it.each<[string, () => Made]>([
    ['over other bytes', () => ({ timestampFault: { kind: 'wrong-imprint' } })],
    ['with a wrong signature', () => ({ timestampFault: { kind: 'wrong-signature' } })],
    ['of a stranger', () => ({ timestamp: tokenMaker(other) })],
    ['that is none', () => ({ timestamp: async (signature) => sequence(octetString(signature)) })],
  ])('%s is refused, and proves no time', async (_, made) => {
    const { failed, facts } = await checked(made());
    expect(failed).toEqual(['package-timestamp']);
    expect(facts.timestamp).toBeUndefined();
  });

  const token =
    (change: (token: Buffer) => Buffer): (() => Made) =>
    () => ({
      timestamp: async (signature) => change(await tokenMaker(authority)(signature)),
    });
  it.each<[string, () => Made, string]>([
    ['in another encoding', token(inLongForm), 'the encoding is not the one that the parts of the token have'],
    [
      'with a certificate more',
      token((one) => edited(one, [...SIGNED_DATA, 3], (node) => der(node.tag, node.content, authority.members.ticketRoot.certificate.der))),
      'its certificate "REHEARSAL Root CA - G3 (REHEARSAL ONLY, trusted by no Mac)" is not part of its chain',
    ],
    [
      'with a certificate more, which the root of its chain issued',
      token((one) => edited(one, [...SIGNED_DATA, 3], (node) => der(node.tag, node.content, authority.members.developerIdAuthority.certificate.der))),
      'its certificate "REHEARSAL Developer ID Certification Authority (REHEARSAL ONLY, trusted by no Mac)" is not part of its chain',
    ],
    [
      'with an unsigned attribute of its own',
      token((one) => edited(one, [...SIGNED_DATA, 4, 0], (node) => der(node.tag, node.content, der(context(1), attribute())))),
      'the token has an unsigned attribute',
    ],
    [
      'beside another unsigned attribute',
      () => ({ cms: (one) => edited(one, [...SIGNED_DATA, 4, 0, 6], (node) => der(node.tag, node.content, attribute())) }),
      'there is an unsigned attribute that is not a timestamp',
    ],
  ])('%s fails in ours and is noted in others', async (_, made, words) => {
    expect((await checked({ ...made(), ours: PORTABLE })).of('package-timestamp')).toMatch(/^package-timestamp fail: /);
    expect((await checked({ ...made(), ours: PORTABLE })).of('package-timestamp')).toContain(words);
    const { of, facts } = await checked(made());
    expect(of('package-timestamp')).toMatch(/^package-timestamp pass: /);
    expect(of('package-timestamp')).toContain(words);
    expect(facts.timestamp).toBeInstanceOf(Date);
  }); // biome-ignore format: a table
});

/** An algorithm whose identifier has an arc of 63 bits, in the list that no signature covers. */
const withLongArc = (cms: Buffer) =>
  edited(cms, [...SIGNED_DATA, 1], ({ tag }) => der(tag, sequence(Buffer.from('060a2a83ffffffffffffff7f', 'hex'))));

it('an identifier of any length is no fault of ours', async () => {
  for (const ours of [null, PORTABLE]) {
    await expect(checked({ cms: withLongArc, ours })).resolves.toBeDefined();
    const timestamp = async (signature: Buffer) => withLongArc(await tokenMaker(authority)(signature));
    await expect(checked({ timestamp, ours })).resolves.toBeDefined();
  }
});

/** An attribute that nobody knows. */
const attribute = () => sequence(Buffer.from('06032a0304', 'hex'), der(0x31, Buffer.from('0500', 'hex')));

describe('certificates', () => {
  it('are those of an installer, or the role fails and the chain does not', async () => {
    const { application } = authority.members;
    const chain = authority.chainOf('application');
    const { failed, of } = await checked({ cmsSigner: application, chain, keyInfo: chain, rsa: (digest) => localSigner(application.privateKey).sign({ hash: 'sha1', digest }) });
    expect(failed).toEqual(['package-role']);
    expect(of('package-chain')).toMatch(/^package-chain pass/);
  }); // biome-ignore format: short

  it('lead to a root that is believed', async () => {
    const chain = other.chainOf('installer');
    const { failed } = await checked({ cmsSigner: other.members.installer, chain });
    expect(failed).toEqual(['package-rsa', 'package-chain']);
    const root = other.members.root.certificate.commonName;
    const words = `package-chain fail: the chain ends at "${root}", which is not a trusted root (trusted: rehearsal)`;
    const of = async (ours: PackageExpectations['ours']) =>
      (await checked({ cmsSigner: other.members.installer, chain, ours })).of('package-chain');
    for (const ours of [null, APPLE, PORTABLE]) expect(await of(ours)).toBe(words);
  });

  it('of ours are the whole chain and no more', async () => {
    const [leaf, intermediate, root] = authority.chainOf('installer');
    const short = [leaf, intermediate] as NonNullable<typeof leaf>[];
    expect((await checked({ chain: short, keyInfo: short })).failed).toEqual([]);
    const ours = await checked({ chain: short, keyInfo: short, ours: PORTABLE });
    expect(ours.of('package-chain')).toBe('package-chain fail: the whole chain is not embedded');
    const stray = authority.members.ticketRoot.certificate;
    const more = [leaf, intermediate, root, stray] as NonNullable<typeof leaf>[];
    const words = `certificate "${stray.commonName}" is not part of the chain`;
    expect((await checked({ chain: more, keyInfo: more })).of('package-chain')).toMatch(`package-chain pass: ${words}; to "`);
    const strayed = await checked({ chain: more, keyInfo: more, ours: PORTABLE });
    expect(strayed.of('package-chain')).toBe(`package-chain fail: ${words}; the whole chain is not embedded`);
  }); // biome-ignore format: short

  it('in the TOC are those of the CMS', async () => {
    const [leaf, intermediate, root] = authority.chainOf('installer') as ReturnType<typeof authority.chainOf>;
    const of = async (keyInfo: unknown[], ours: Made['ours'] = PORTABLE) => {
      const ders = keyInfo.map((one) => (one as { der: Buffer }).der);
      const toc: Made['toc'] = (rsa, cms) => [rsa, { ...cms, certificates: ders }];
      return (await checked({ toc, ours })).of('package-key-info');
    };
    const fail = (words: string) => `package-key-info fail: ${words}`;
    const stranger = other.members.root.certificate;
    const pass = 'package-key-info pass';
    expect(await of([leaf, intermediate, root])).toBe(pass);
    expect(await of([leaf])).toBe(fail('x-signature has 1 certificates, the CMS 3'));
    expect(await of([leaf, intermediate, stranger])).toBe(fail('x-signature has a certificate that the CMS does not have'));
    expect(await of([intermediate, leaf, root])).toBe(fail('the first certificate of x-signature is not that of the signer'));
    expect(await of([])).toBe(
      fail('the first certificate of x-signature is not that of the signer; x-signature has 0 certificates, the CMS 3'),
    );
    for (const ours of [null, APPLE]) {
      expect(await of([leaf], ours)).toBe(pass);
      expect(await of([leaf, stranger], ours)).toBe(pass);
      expect(await of([stranger, leaf], ours)).toBe(fail('the first certificate of x-signature is not that of the signer'));
    }
  }); // biome-ignore format: short
});
