import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, privateEncrypt, randomBytes, sign } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { testAuthority } from '../../support/test-authority.ts';

const MESSAGE_DIGEST = '06092a864886f70d010904';
const scratch = mkdtempSync(join(tmpdir(), 'every-signature-'));
const NAMES = ['Product.pkg', 'extras/Guard.pkg', 'extras/Uninstall.pkg', 'extras/Request.pkg'];
const digestOf = (hash: 'sha1' | 'sha256', bytes: Buffer) => createHash(hash).update(bytes).digest();
let authority: RehearsalAuthority;
const keyOf = (role: 'application' | 'installer'): KeyObject => authority.members[role].privateKey;

/** Attributes that name the digest of a content, as CMS has them, and the key's signature over them. Source: RFC 5652, 5.4 and 11.2. */
function signedAttributes(
  content: Buffer,
  key: KeyObject,
  more: readonly Buffer[] = [],
  head = '302f06092a864886f70d01090431220420',
) {
  const type = Buffer.from('301806092a864886f70d010903310b06092a864886f70d010701', 'hex');
  const message = Buffer.concat([Buffer.from(head, 'hex'), digestOf('sha256', content)]);
  const inner = Buffer.concat([type, message, ...more]);
  const behind = (tag: number) => Buffer.concat([Buffer.from([tag, 0x81, inner.length]), inner]);
  const signature = sign('sha256', behind(0x31), key);
  return { signature, attributes: behind(0xa0), bytes: Buffer.concat([behind(0xa0), randomBytes(19), signature]) };
}
/** Signed attributes, and the signature so many bytes behind their beginning; last before it may stand some bytes. */
function apart({ attributes, signature }: ReturnType<typeof signedAttributes>, distance: number, last = '') {
  const end = Buffer.from(last, 'hex');
  return [attributes, Buffer.alloc(distance - attributes.length - end.length), end, signature];
}
function codeDirectory(): Buffer {
  const bytes = Buffer.concat([Buffer.from('fade0c0200000000', 'hex'), randomBytes(300)]);
  bytes.writeUInt32BE(bytes.length, 4);
  return bytes;
}
/** A signature of code with two parts. Source: cs_blobs.h, CS_SuperBlob. */
function codeSignature(directory: Buffer, cms: Buffer): Buffer {
  const head = Buffer.from('fade0cc00000000000000002000000000000001c0001000000000000', 'hex');
  head.writeUInt32BE(head.length + directory.length + cms.length, 4);
  head.writeUInt32BE(head.length + directory.length, 24);
  return Buffer.concat([head, directory, cms]);
}

/** What this look sees of a release: packages by name, and what each key signed, in order. */
interface Release {
  readonly packages: Buffer[];
  readonly ofCode: Buffer[];
  readonly ofPackages: Buffer[];
}
async function release(): Promise<Release> {
  const slices = [codeDirectory(), codeDirectory()].map((directory) => {
    const { signature, bytes } = signedAttributes(directory, keyOf('application'));
    return { signature, bytes: Buffer.concat([randomBytes(40), codeSignature(directory, bytes), randomBytes(30)]) };
  });
  const payload = gzipSync(Buffer.concat(slices.map(({ bytes }) => bytes)));
  const ofPackages: Buffer[] = [];
  const packages: Buffer[] = [];
  for (const name of NAMES) {
    const toc = randomBytes(200);
    const head = Buffer.alloc(28);
    head.writeBigUInt64BE(BigInt(toc.length), 8);
    const checksum = digestOf('sha1', toc);
    const first = await localSigner(keyOf('installer')).sign({ hash: 'sha1', digest: checksum });
    const second = signedAttributes(checksum, keyOf('installer'));
    ofPackages.push(first, second.signature);
    const rest = [checksum, first, second.bytes, ...(name === 'Product.pkg' ? [payload] : []), randomBytes(50)];
    packages.push(Buffer.concat([head, toc, ...rest]));
  }
  return { packages, ofCode: slices.map(({ signature }) => signature), ofPackages };
}
beforeAll(async () => {
  authority = await testAuthority(join(scratch, 'authority'));
  good = await release();
  other = await release();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let good: Release;
let other: Release;

const certificateOf = (role: 'application' | 'installer') => authority.members[role].certificate.der.toString('base64');

let at = 0;
function look({ packages, ofCode, ofPackages }: Release, env: Record<string, string> = {}) {
  const folder = join(scratch, String(++at));
  mkdirSync(join(folder, 'extras'), { recursive: true });
  for (const [index, bytes] of packages.entries()) writeFileSync(join(folder, NAMES[index]!), bytes);
  writeFileSync(join(folder, 'Product.pkg.sha256'), 'not a package');
  const signed = (role: 'application' | 'installer', signatures: readonly Buffer[]) => {
    const certificate = certificateOf(role);
    return JSON.stringify({ schema: 1, certificate, signatures: signatures.map((one) => one.toString('base64')) });
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, ['build/look/every-signature.mjs', folder], {
    encoding: 'utf8',
    env: { APPLICATION: signed('application', ofCode), INSTALLER: signed('installer', ofPackages), ...env },
  });
  return { status, printed: stdout + stderr };
}
const differs = (words: string | RegExp) => ({
  status: 6,
  printed: typeof words === 'string' ? expect.stringContaining(words) : expect.stringMatching(words),
});
/** A package with something more in it. */
const carrying = (bytes: Buffer, ...more: Buffer[]) => Buffer.concat([bytes, ...more]);

describe('every signature that a key made', () => {
  it('is found in the packages, those of the code in what is compressed', () => {
    expect(look(good)).toEqual({ status: 0, printed: 'every signature is in the 4 packages\n' });
  });

  it('may leave SHA-1 out, as a key service does', () => {
    const modern = { ...good, ofPackages: good.ofPackages.filter((_, index) => index % 2 === 1) };
    expect(look(modern).status).toBe(0);
    expect(look({ ...good, ofPackages: good.ofPackages.slice(1) })).toEqual(
      differs('INSTALLER: 4 signatures over SHA-256 and 3 over SHA-1 were found'),
    );
  });

  it('is missed when it is over something else', () => {
    const foreign = other.ofCode[0]!;
    const words = `a signature that no package needs: ${foreign.toString('base64').slice(0, 24)}`;
    expect(look({ ...good, ofCode: [...good.ofCode, foreign] })).toEqual(differs(`APPLICATION: ${words}`));
    expect(look({ ...good, ofCode: [good.ofCode[0]!, foreign] })).toEqual(differs(`APPLICATION: ${words}`));
    const more = { ...good, ofPackages: [...good.ofPackages, other.ofPackages[0]!] };
    expect(look(more)).toEqual(differs('INSTALLER: a signature that no package needs'));
  });

  it('is not taken for one because it lies somewhere in a package', () => {
    const [product, ...extras] = good.packages as [Buffer, ...Buffer[]];
    const foreign = other.ofPackages[1]!;
    // In the place of a signature that older Macs look at, behind the package, and among what is compressed.
    const swapped = Buffer.from(product);
    foreign.copy(swapped, product.indexOf(good.ofPackages[0]!));
    const replaced = [foreign, ...good.ofPackages.slice(1)];
    expect(look({ ...good, packages: [swapped, ...extras], ofPackages: replaced })).toEqual(
      differs(/no package needs/),
    );
    const older = Buffer.from(product);
    other.ofPackages[0]!.copy(older, product.indexOf(good.ofPackages[0]!));
    expect(
      look({ ...good, packages: [older, ...extras], ofPackages: [other.ofPackages[0]!, ...good.ofPackages.slice(1)] }),
    ).toEqual(differs(/no package needs/));
    expect(look({ ...good, packages: [carrying(product, foreign), ...extras], ofPackages: replaced })).toEqual(
      differs(/no package needs/),
    );
    const hidden = other.ofCode[0]!;
    const packages = [carrying(product, gzipSync(hidden)), ...extras];
    expect(look({ ...good, packages, ofCode: [good.ofCode[0]!, hidden] })).toEqual(differs(/no package needs/));
  });

  it('is not taken for one because its attributes lie beside it: their content must be there', () => {
    const [product, ...extras] = good.packages as [Buffer, ...Buffer[]];
    const { signature, bytes } = signedAttributes(codeDirectory(), keyOf('application'));
    const packages = [carrying(product, gzipSync(bytes)), ...extras];
    expect(look({ ...good, packages, ofCode: [good.ofCode[0]!, signature] })).toEqual(differs(/no package needs/));
  });

  /** A package of which everything is as it was, but that carries other attributes and what the key signed of them. */
  const withAttributes = ({ signature, bytes }: { signature: Buffer; bytes: Buffer }): Release => {
    const [product, ...extras] = good.packages as [Buffer, ...Buffer[]];
    return {
      ...good,
      packages: [carrying(product, bytes), ...extras],
      ofPackages: [good.ofPackages[0]!, signature, ...good.ofPackages.slice(2)],
    };
  };
  const checksum = () => digestOf('sha1', good.packages[0]!.subarray(28, 228));
  const attribute = (head: string, content: Buffer) =>
    Buffer.concat([Buffer.from(head, 'hex'), digestOf('sha256', content)]);
  const stranger = Buffer.from('a program of somebody else');

  /** Another one than lies in the package already: RSA makes the same of the same. */
  const another = () =>
    signedAttributes(checksum(), keyOf('installer'), [Buffer.from('300a06035504033103040161', 'hex')]);

  it.each<[string, (made: ReturnType<typeof signedAttributes>) => Buffer[]]>([
    ['is over the same content, with other attributes', (made) => [made.bytes]],
    ['lies there again, far from its attributes', (made) => [made.bytes, Buffer.alloc(5000), made.signature]],
    ['lies there before, without its attributes', (made) => [made.signature, made.bytes]],
    ['lies as far from them as it may', (made) => apart(made, 4096)],
    ['has what looks like longer ones beside it', (made) => apart(made, 300, 'a080a084')],
    ['has what looks like the first ones far from it', (made) => [Buffer.from([0xa0]), ...apart(made, 4095)]],
  ])('takes one that %s', (_, place) => {
    const made = another();
    const whole = withAttributes({ ...made, bytes: Buffer.concat(place(made)) });
    expect(look(whole)).toMatchObject({ status: 0 });
  });

  it.each<[string, (made: ReturnType<typeof signedAttributes>) => Buffer[]]>([
    ['lies too far from its attributes', (made) => apart(made, 4097)],
    ['has other ones as far from it as they may lie', ({ signature }) => [Buffer.alloc(4096, 'a'), signature]],
    ['has what looks like the first ones there', (made) => [Buffer.from([0xa0]), Buffer.alloc(4095), made.signature]],
  ])('takes none that %s', (_, place) => {
    const made = another();
    const whole = withAttributes({ ...made, bytes: Buffer.concat(place(made)) });
    expect(look(whole)).toEqual(differs('INSTALLER: a signature that no package needs'));
  });

  it.each<[string, string]>([
    ['an attribute that is a SET', '312f06092a864886f70d01090431220420'],
    ['a value of another kind', '302f06092a864886f70d01090431220c20'],
  ])('is over nothing where the digest is in %s', (_, head) => {
    const made = signedAttributes(checksum(), keyOf('installer'), [], head);
    expect(look(withAttributes(made))).toEqual(differs('INSTALLER: a signature that no package needs'));
  });

  it('says by which digest it was made', () => {
    const made = another();
    // SHA3-256, of the same size. Source: the NIST's identifier 2.16.840.1.101.3.4.2.8.
    const named = Buffer.from('3031300d060960864801650304020805000420', 'hex');
    const set = Buffer.concat([Buffer.from([0x31]), made.attributes.subarray(1)]);
    const signature = privateEncrypt(keyOf('installer'), Buffer.concat([named, digestOf('sha256', set)]));
    const whole = withAttributes({ signature, bytes: Buffer.concat(apart({ ...made, signature }, 300)) });
    expect(look(whole)).toEqual(differs('INSTALLER: a signature that no package needs'));
  });

  it.each<[string, string]>([
    ['lies in the value of another attribute', '30360603550403312f06092a864886f70d01090431220420'],
    ['is in a second attribute of the same name', '302f06092a864886f70d01090431220420'],
    ['is in a second one whose value begins as an attribute', `303a${MESSAGE_DIGEST}312d${MESSAGE_DIGEST}0420`],
    ['is under the name in another form', '30300681092a864886f70d01090431220420'],
    ['is under a name without an end', '30300680092a864886f70d01090431220420'],
    ['is in something that is no attribute', '312f06092a864886f70d01090431220420'],
  ])('is over something else when the right digest %s', (_, head) => {
    const hiding = signedAttributes(stranger, keyOf('installer'), [attribute(head, checksum())]);
    expect(look(withAttributes(hiding))).toEqual(differs('INSTALLER: a signature that no package needs'));
    const hidden = signedAttributes(checksum(), keyOf('installer'), [attribute(head, stranger)]);
    const others = head.startsWith('3036') ? { status: 0 } : differs('INSTALLER: a signature that no package needs');
    expect(look(withAttributes(hidden))).toMatchObject(others);
  });

  it('is wanted in each package: two in one are not one in each', () => {
    const { signature, bytes } = another();
    const [product, ...extras] = good.packages as [Buffer, ...Buffer[]];
    const ofPackages = [...good.ofPackages.slice(0, 3), signature, ...good.ofPackages.slice(4)];
    expect(look({ ...good, packages: [carrying(product, bytes), ...extras], ofPackages })).toEqual(
      differs('INSTALLER: two signatures of one kind are in one place'),
    );
  });

  it('is found beside what begins as a signature of code does, and is none', () => {
    const [product, ...extras] = good.packages as [Buffer, ...Buffer[]];
    /** Size and place of the first part, as they are told, in so many bytes. */
    const odd = (size: number, place: number, bytes: number) => {
      const head = Buffer.alloc(bytes);
      head.writeUInt32BE(0xfade0cc0, 0);
      if (bytes >= 8) head.writeUInt32BE(size, 4);
      if (bytes >= 20) head.writeUInt32BE(place, 16);
      return gzipSync(head);
    };
    const none = [
      odd(24, 22, 24),
      odd(24, 20, 24),
      odd(24, 2 ** 32 - 1, 24),
      odd(0, 20, 20),
      odd(24, 20, 19),
      odd(9, 9, 8),
      odd(0, 0, 4),
    ];
    expect(look({ ...good, packages: [carrying(product, ...none), ...extras] })).toMatchObject({ status: 0 });
  });

  it('is not taken for one where a signature of code hides another', () => {
    const [product, ...extras] = good.packages as [Buffer, ...Buffer[]];
    const { bytes } = signedAttributes(codeDirectory(), keyOf('application'));
    const foreign = codeDirectory();
    const evil = signedAttributes(foreign, keyOf('application'));
    const hiding = codeSignature(codeDirectory(), Buffer.concat([bytes, codeSignature(foreign, evil.bytes)]));
    const packages = [carrying(product, gzipSync(hiding)), ...extras];
    expect(look({ ...good, packages, ofCode: [good.ofCode[0]!, evil.signature] })).toEqual(
      differs('APPLICATION: a signature that no package needs'),
    );
  });

  it('is wanted: none, or fewer than the slices, is told', () => {
    expect(look({ ...good, ofCode: [] })).toEqual(differs('APPLICATION: 0 signatures over SHA-256'));
    expect(look({ ...good, ofCode: [good.ofCode[0]!, good.ofCode[0]!] })).toEqual(
      differs('APPLICATION: 1 signatures over SHA-256'),
    );
  });

  it.each<[string, () => Record<string, string>]>([
    ['no variable', () => ({ APPLICATION: '' })],
    ['another text', () => ({ INSTALLER: '{}' })],
    ['no signatures', () => ({ INSTALLER: JSON.stringify({ certificate: certificateOf('installer') }) })],
    ['no certificate', () => ({ INSTALLER: JSON.stringify({ certificate: 'AAAA', signatures: [] }) })],
  ])('is not looked for with %s', (_, env) => expect(look(good, env())).toMatchObject({ status: 2 }));

  it.each([[[]], [['a', 'b']]])('is looked for in one folder, not in %j', (argv) => {
    const found = spawnSync(process.execPath, ['build/look/every-signature.mjs', ...argv], { encoding: 'utf8' });
    const words = 'every signature: use: every-signature.mjs FOLDER\n';
    expect([found.status, found.stdout, found.stderr]).toEqual([2, '', words]);
  });

  it('is not looked for where there are no packages', () => {
    expect(look({ ...good, packages: [] })).toMatchObject({
      status: 2,
      printed: expect.stringContaining('no packages are in'),
    });
  });

  it('is refused when the key of the certificate did not make it', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const strange = sign('sha256', Buffer.from('x'), privateKey);
    expect(look({ ...good, ofCode: [good.ofCode[0]!, strange] })).toEqual(differs(/no package needs/));
  });
});
