import { beforeAll, describe, expect, it } from 'vitest';
import { der, sequence } from '../../../src/pki/asn1/der.ts';
import { openRehearsalAuthority, type RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { cmsDifference } from '../../../src/verify/own-form/own-cms.ts';
import { type SignatureChange, usualSignature } from '../../mutation/signing.ts';
import { edited } from '../edited.ts';

let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
});

/** As long as the digest of a table of contents. */
const CONTENT = Buffer.from('what is signed, here');
const cmsOf = async (change: SignatureChange = {}) =>
  (await usualSignature(authority, change).sign(CONTENT))[1] as Buffer;
const attribute = (last: string) =>
  sequence(Buffer.from(`06032a03${last}`, 'hex'), der(0x31, Buffer.from('0500', 'hex')));
/** ContentInfo, [0], SignedData; then the set of certificates, or the SignerInfo with its signed attributes. */
const CERTIFICATES = [1, 0, 3];
const SIGNED_ATTRIBUTES = [1, 0, 4, 0, 3];

describe('cmsDifference', () => {
  it('finds none in what our signer makes, with and without a timestamp or attributes', async () => {
    expect(await cmsDifference(await cmsOf(), CONTENT)).toBeUndefined();
    expect(await cmsDifference(await cmsOf({ timestamp: 'none' }), CONTENT)).toBeUndefined();
    expect(await cmsDifference(Buffer.concat([await cmsOf(), Buffer.alloc(9)]), CONTENT)).toBeUndefined();
    const attributes = [attribute('04'), attribute('05')];
    expect(await cmsDifference(await cmsOf({ attributes }), CONTENT, attributes)).toBeUndefined();
  });

  it('names the first byte, expected and found', async () => {
    const cms = await cmsOf();
    const other = Buffer.from('what is signed, hern');
    expect(await cmsDifference(cms, other)).toMatch(/^byte \d+ of the CMS: expected [0-9a-f]{8}, found [0-9a-f]{8}$/);
    const [, at = 0, , found] = /byte (\d+) of the CMS: expected (\w+), found (\w+)/.exec((await cmsDifference(cms, other)) ?? '') ?? [];
    expect(cms.toString('hex', Number(at), Number(at) + 4)).toBe(found);
  }); // biome-ignore format: short

  it('counts the attributes that are too many', async () => {
    const attributes = [attribute('04'), attribute('05')];
    expect(await cmsDifference(await cmsOf({ attributes }), CONTENT)).toMatch(/^2 signed attribute more than we write; byte/);
    expect(await cmsDifference(await cmsOf({ attributes }), CONTENT, [attribute('04')])).toMatch(/^1 signed attribute more/);
    expect(await cmsDifference(await cmsOf(), CONTENT, [attribute('04')])).toMatch(/^byte \d+/);
  }); // biome-ignore format: short

  it('refuses certificates in another order', async () => {
    const words = 'the certificates of the CMS are not in the order leaf, intermediate, root';
    const [leaf, intermediate, root] = authority.chainOf('installer').map((one) => one.der) as [Buffer, Buffer, Buffer];
    const inOrder = async (...all: Buffer[]) => {
      const cms = edited(await cmsOf(), CERTIFICATES, ({ tag }) => der(tag, ...all));
      return cmsDifference(cms, CONTENT);
    };
    expect(await inOrder(leaf, intermediate, root)).toBeUndefined();
    for (const all of [[intermediate, leaf, root], [leaf, root, intermediate], [root, leaf, intermediate], [leaf, root]])
      expect(await inOrder(...all)).toBe(words);
    expect(await inOrder(leaf, intermediate)).toBeUndefined();
  }); // biome-ignore format: short

  it('needs the certificate of the signer and a time', async () => {
    const words = 'the CMS names no time, or has not the certificate of its signer';
    const cms = await cmsOf();
    const others = edited(cms, CERTIFICATES, ({ tag }) => der(tag, authority.members.root.certificate.der));
    expect(await cmsDifference(others, CONTENT)).toBe(words);
    const signingTime = Buffer.from('06092a864886f70d010905', 'hex');
    const timeless = edited(cms, SIGNED_ATTRIBUTES, ({ tag, children }) =>
      der(tag, ...children.map(({ raw }) => raw).filter((raw) => !raw.includes(signingTime))),
    );
    expect(await cmsDifference(timeless, CONTENT)).toBe(words);
  });

  it('throws at what is no CMS', async () => {
    await expect(cmsDifference(Buffer.from('3000', 'hex'), CONTENT)).rejects.toThrow(/ContentInfo|CMS/);
  });
});
