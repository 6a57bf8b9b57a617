import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FormatError } from '../../src/base/errors.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { cmsRoom, type PackageSigning, signPackage } from '../../src/package/sign-product.ts';
import { parseCms } from '../../src/pki/cms/parse.ts';
import { localSigner } from '../../src/pki/identity/signer.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { readHeap, readXar, type XarArchive } from '../../src/xar/read.ts';
import { buildTrailer } from '../../src/xar/trailer.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { tokenMaker } from '../mutation/signing.ts';
import { sharedAuthority } from '../rehearsal/shared-authority.ts';
import { OpensslFolder, openssl, run } from '../support/openssl.ts';
import { collect, readWhole } from '../support/xar.ts';

const ENTRIES = [
  deflatedFile('Distribution', Buffer.from('text')),
  directory('a.pkg', [
    storedFile('Payload', Buffer.alloc(300_000, 'payload')),
    deflatedFile('Bom', Buffer.from('bom')),
  ]),
];
const DAY = 24 * 3600 * 1000;

let folder: string;
let authority: RehearsalAuthority;
let unsigned: Buffer;
let signing: PackageSigning;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sign-product-'));
  authority = await sharedAuthority();
  unsigned = await collect(emitXar(layoutXar(ENTRIES, { creationTime: 1_700_000_000 })));
  const { certificate, privateKey } = authority.members.installer;
  const identity = { certificate, chain: authority.chainOf('installer'), signer: localSigner(privateKey) };
  signing = { identity, signingTime: new Date(), timestamp: tokenMaker(authority) };
});
afterAll(() => rmSync(folder, { recursive: true }));

async function sign(source: Buffer, options: Partial<PackageSigning> = {}): Promise<Buffer> {
  const path = join(folder, 'signed.pkg');
  await signPackage(accessBuffer(source), path, { ...signing, ...options });
  return readFileSync(path);
}

async function slots(archive: XarArchive): Promise<{ rsa: Buffer; cms: Buffer }> {
  const [rsa, cms] = await Promise.all(archive.signatures.map(({ range }) => readHeap(archive, range)));
  return { rsa: rsa!, cms: cms! };
}

describe('signPackage', () => {
  it('keeps every member and pads the CMS with zero bytes', async () => {
    const { archive, contents } = await readWhole(await sign(unsigned));
    expect(contents).toEqual((await readWhole(unsigned)).contents);
    const { cms } = await slots(archive);
    expect(cms.subarray(parseCms(cms).encodedSize).every((byte) => byte === 0)).toBe(true);
    expect(archive.signatures.map(({ certificates }) => certificates)).toEqual(
      [0, 1].map(() => authority.chainOf('installer').map(({ der }) => der)),
    );
  });

  it('replaces an old signature and drops its staple: the same as signing the unsigned package', async () => {
    const once = await sign(unsigned);
    const stapled = Buffer.concat([once, buildTrailer(Buffer.from('s8ch ticket'))]);
    const again = await sign(stapled);
    const [first, second] = [await readXar(accessBuffer(once)), await readXar(accessBuffer(again))];
    expect(second.checksum.value.equals(first.checksum.value)).toBe(true);
    expect(second.trailing.size).toBe(0);
    expect(again.length).toBe(once.length);
  });

  it('can sign a file in its place', async () => {
    const path = join(folder, 'in-place.pkg');
    writeFileSync(path, unsigned);
    const { size, tocDigest } = await signPackage(accessBuffer(unsigned), path, signing);
    expect(readFileSync(path)).toHaveLength(size);
    expect((await readXar(accessBuffer(readFileSync(path)))).checksum.value.toString('hex')).toBe(tocDigest);
  });

  it('leaves the RSA element out where the key signs no SHA-1', async () => {
    const { identity } = signing;
    const signer = { ...identity.signer, hashes: new Set(['sha256'] as const) };
    const archive = await readXar(accessBuffer(await sign(unsigned, { identity: { ...identity, signer } })));
    expect(archive.signatures.map(({ style }) => style)).toEqual(['CMS']);
  });

  // SHA-1 and SHA-256 go into a DigestInfo that the signer knows; libxar knows SHA-512 too.
  it.each([
    ['sha1', 20, ['RSA', 'CMS']],
    ['sha256', 32, ['RSA', 'CMS']],
    ['sha512', 64, ['CMS']],
  ] as const)('signs a TOC digest of %s, of %i bytes, with %j', async (checksum, size, styles) => {
    const source = await collect(emitXar(layoutXar(ENTRIES, { creationTime: 0, checksum })));
    const archive = await readXar(accessBuffer(await sign(source)));
    expect(archive.checksum).toMatchObject({ style: checksum, value: { length: size } });
    expect(archive.signatures.map(({ style }) => style)).toEqual(styles);
    const certificates = authority.chainOf('installer').map(({ der }) => der);
    // A key of 2,048 bits signs with 256 bytes.
    expect(archive.signatures.map(({ range }) => range.size)).toEqual(
      styles.map((style) => (style === 'RSA' ? 256 : cmsRoom(certificates))),
    );
  });

  it('refuses a TOC digest of MD5, which guards nothing', async () => {
    const source = await collect(emitXar(layoutXar(ENTRIES, { creationTime: 0, checksum: 'md5' })));
    await expect(sign(source)).rejects.toMatchObject({ code: 'XAR_CHECKSUM_WEAK', format: 'XarToc', offset: 0 });
  });

  it.each([
    ['an elliptic curve', generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey],
    ['no kind that is known', undefined],
  ])('makes room for the CMS alone with a key of %s', async (_, key) => {
    const { identity } = signing;
    const publicKeyInfo = key ? key.export({ format: 'der', type: 'spki' }) : Buffer.from('3000', 'hex');
    const certificate = { ...identity.certificate, publicKeyInfo };
    const archive = await readXar(accessBuffer(await sign(unsigned, { identity: { ...identity, certificate } })));
    expect(archive.signatures.map(({ style }) => style)).toEqual(['CMS']);
  });

  it('asks the key for one signature after the other, first over the digest itself', async () => {
    const asked: string[] = [];
    let busy = 0;
    const signer = {
      ...signing.identity.signer,
      async sign(request: Parameters<PackageSigning['identity']['signer']['sign']>[0]) {
        expect(busy++).toBe(0);
        asked.push(`${request.hash} ${request.digest.toString('hex')}`);
        await new Promise(setImmediate);
        busy--;
        return signing.identity.signer.sign(request);
      },
    };
    const path = join(folder, 'told.pkg');
    const options = { ...signing, timestamp: undefined, identity: { ...signing.identity, signer } };
    const told = await signPackage(accessBuffer(unsigned), path, options);
    expect(asked).toEqual([`sha1 ${told.tocDigest}`, expect.stringMatching(/^sha256 /)]);
    const data = readFileSync(path);
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect(told).toMatchObject({ kind: 'signed-product', path, size: data.length, sha256 });
  });

  it('refuses a signature that does not fit, and leaves the file as it was', async () => {
    const path = join(folder, 'too-large.pkg');
    writeFileSync(path, unsigned);
    const timestamp = async () => Buffer.concat([Buffer.from([0x04, 0x82, 0x27, 0x10]), Buffer.alloc(10_000)]);
    const error = await signPackage(accessBuffer(unsigned), path, { ...signing, timestamp }).catch(
      (e: FormatError) => e,
    );
    expect(error).toMatchObject({ code: 'XAR_SIGNATURE_SIZE' });
    expect(readFileSync(path).equals(unsigned)).toBe(true);
    expect(readdirSync(folder).filter((name) => name.endsWith('.unfinished'))).toEqual([]);
  });
});

describe('cmsRoom', () => {
  // 8 KiB for what is no certificate, in units of 512 bytes.
  it.each([
    [[], 8192],
    [[1], 8704],
    [[512], 8704],
    [[513], 9216],
    [[500, 12, 1], 9216],
  ])('of certificates of %j bytes is %i', (sizes, room) => {
    expect(cmsRoom(sizes.map((size) => Buffer.alloc(size)))).toBe(room);
  });
});

describe('a signed package, checked by openssl', () => {
  const files = new OpensslFolder();
  let archive: XarArchive;
  let digest: string;
  let root: string;
  beforeAll(async () => {
    archive = await readXar(accessBuffer(await sign(unsigned)));
    digest = files.put('digest', archive.checksum.value);
    root = files.putPem('root.pem', authority.members.root.certificate);
  });

  it.skipIf(openssl.missing)(`has a right CMS over the TOC digest${openssl.note}`, async () => {
    const { cms } = await slots(archive);
    const encoded = cms.subarray(0, parseCms(cms).encodedSize);
    // Apple's marks are critical and mean nothing to openssl.
    const flags = ['-inform', 'DER', '-binary', '-purpose', 'any', '-ignore_critical'];
    const verify = (content: string) =>
      run(['cms', '-verify', ...flags, '-in', files.put('cms', encoded), '-content', content, '-CAfile', root]);
    expect(verify(digest).output).toContain('Verification successful');
    expect(verify(files.put('other', Buffer.alloc(20, 1))).status).not.toBe(0);
  });

  it.skipIf(openssl.missing)(
    `has an RSA signature whose DigestInfo holds the TOC digest itself${openssl.note}`,
    async () => {
      const { rsa } = await slots(archive);
      const key = files.put(
        'key.pem',
        run(['x509', '-in', files.putPem('leaf.pem', authority.members.installer.certificate), '-pubkey', '-noout'])
          .output,
      );
      const argv = ['pkeyutl', '-verify', '-pubin', '-inkey', key, '-in', digest, '-sigfile', files.put('rsa', rsa)];
      const { output } = run([...argv, '-pkeyopt', 'digest:sha1', '-pkeyopt', 'rsa_padding_mode:pkcs1']);
      expect(output).toContain('Signature Verified Successfully');
    },
  );

  it.skipIf(openssl.missing)(`has a timestamp over the signature of the CMS${openssl.note}`, async () => {
    const { cms } = await slots(archive);
    const { timestampToken, signature } = parseCms(cms);
    const token = files.put('token', timestampToken as Buffer);
    const data = files.put('signature', signature);
    const { output } = run(['ts', '-verify', '-token_in', '-in', token, '-data', data, '-CAfile', root]);
    expect(output).toContain('Verification: OK');
  });

  it.skipIf(openssl.missing)(`embeds a chain that leads to the root${openssl.note}`, () => {
    const [leaf, intermediate] = authority.chainOf('installer');
    const argv = [
      '-CAfile',
      root,
      '-untrusted',
      files.putPem('intermediate.pem', intermediate!),
      files.putPem('leaf.pem', leaf!),
    ];
    const { output } = run([
      'verify',
      '-ignore_critical',
      '-attime',
      String(Math.floor((Date.now() + DAY) / 1000)),
      ...argv,
    ]);
    expect(output).toContain(': OK');
  });
});
