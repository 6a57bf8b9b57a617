import { constants, createHash, privateEncrypt, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSignedRole, renderSignedRole } from '../../../build/signing/record.ts';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { needs } from '../../support/needs.ts';
import { checkSignatures } from '../../support/sealed-step.ts';
import { placeCertificates, type Role } from '../../support/stored-keys.ts';
import { testAuthority } from '../../support/test-authority.ts';

const HASHES = ['sha256', 'sha1', 'sha256'] as const;
const REQUESTS = HASHES.map((hash, index) => ({
  hash,
  digest: createHash(hash).update(String(index)).digest(),
}));
const DIGESTS = REQUESTS.map(({ digest }) => digest.toString('hex')).join(' ');
let scratch: string;
let authority: RehearsalAuthority;
let good: readonly Buffer[];
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'check-'));
  authority = await testAuthority(join(scratch, 'authority'));
  placeCertificates(scratch, authority);
  const signer = localSigner(authority.members.installer.privateKey);
  good = await Promise.all(REQUESTS.map((request) => signer.sign(request)));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const text = (signatures: readonly Buffer[]) => signatures.map((one) => `${one.toString('base64')}\n`).join('');
const at = (name: string) => join(scratch, name);
/** Checks what stands in a file. */
function checked(content: string | Buffer, change: { readonly role?: string; readonly digests?: string } = {}) {
  rmSync(at('signatures'), { force: true });
  rmSync(at('out.json'), { force: true });
  writeFileSync(at('signatures'), content);
  const { role = 'installer', digests = DIGESTS } = change;
  const { status, printed } = checkSignatures(scratch, role as Role, {
    digests,
    signatures: at('signatures'),
    out: at('out.json'),
  });
  return { status, printed, out: existsSync(at('out.json')) ? readFileSync(at('out.json'), 'utf8') : undefined };
}

const openssl = needs('openssl');
describe.skipIf(openssl.missing)(`check-signatures.sh${openssl.note}`, () => {
  it('writes what the certificate’s key signed, in the one form that is taken, and tells each digest', () => {
    const { status, printed, out } = checked(text(good));
    expect(status, printed).toBe(0);
    const certificate = authority.members.installer.certificate.der;
    expect(out).toBe(renderSignedRole({ certificate, signatures: good }));
    expect(parseSignedRole(out ?? '').signatures).toEqual(good);
    expect(printed.match(/signed \w+/g)).toEqual(DIGESTS.split(' ').map((digest) => `signed ${digest}`));
  });

  it('takes one digest with another signature never, and says nothing of what it was given', () => {
    const secret = 'Geheim-0815-Losung';
    const { status, printed, out } = checked(`${secret}\n${text(good.slice(1))}`);
    expect([status, out]).toEqual([6, undefined]);
    expect(printed).not.toContain(secret);
  });

  it.each<[string, () => string | Buffer]>([
    ['no file content', () => ''],
    ['one fewer', () => text(good.slice(0, 2))],
    ['one more, over something else', () => text([...good, randomPadding()])],
    ['one twice', () => text([...good, good[2]!])],
    ['another order', () => text([good[2]!, good[1]!, good[0]!])],
    ['a bit changed', () => text([flipped(good[0]!), ...good.slice(1)])],
    ['the signature of another hash', () => text([good[1]!, good[1]!, good[2]!])],
    ['random padding (PSS)', () => text([randomPadding(), ...good.slice(1)])],
    ['other bytes under the padding', () => text([underPadding(), ...good.slice(1)])],
    ['a zero byte in front', () => text([Buffer.concat([Buffer.of(0), good[0]!]), ...good.slice(1)])],
    ['the modulus added', () => text([plusModulus(good[0]!), ...good.slice(1)])],
    ['no line end', () => text(good).trimEnd()],
    ['a line more', () => `${text(good)}\n`],
    ['words behind', () => `${text(good)}key`],
    ['a blank in front', () => ` ${text(good)}`],
    ['a blank behind', () => text(good).replace('\n', ' \n')],
    ['line ends of another system', () => text(good).replaceAll('\n', '\r\n')],
    ['a zero byte behind', () => Buffer.concat([Buffer.from(text(good)), Buffer.of(0)])],
    ['base64 in two lines', () => text(good).replace(/^(.{64})/, '$1\n')],
    [
      'spare bits of base64',
      () => text(good).replace(/([A-Za-z0-9+/])(={1,2}\n)/, (_, letter, rest) => next(letter) + rest),
    ],
    ['no equals signs', () => text(good).replace(/=+\n/, '\n')],
    ['the other alphabet', () => text(good).replaceAll('+', '-').replaceAll('/', '_')],
    ['signatures of the other role', () => text(good.map(() => othersSignature()))],
  ])('refuses %s', (_, content) => {
    const { status, out } = checked(content());
    expect([status, out]).toEqual([6, undefined]);
  });

  it.each<[string, { role?: string; digests?: string }, string]>([
    ['no role', { role: 'notary' }, '--role is application or installer'],
    ['digests that are none', { digests: `${DIGESTS}; touch x` }, '--digests is not from 1 to 8'],
    ['more than slices', { role: 'application' }, '--digests is not from 1 to 2'],
    ['no digests', { digests: '' }, '--digests is not from 1 to 8'],
  ])('refuses %s', (_, change, words) => {
    expect(checked(text(good), change)).toMatchObject({
      status: 2,
      printed: expect.stringContaining(words),
      out: undefined,
    });
  });

  it('refuses a link, and a project without the certificate', () => {
    rmSync(at('link'), { force: true });
    writeFileSync(at('signatures'), text(good));
    symlinkSync(at('signatures'), at('link'));
    const given = { digests: DIGESTS, signatures: at('link'), out: at('linked.json') };
    expect(checkSignatures(scratch, 'installer', given)).toMatchObject({ status: 6 });
    const elsewhere = mkdtempSync(join(scratch, 'elsewhere-'));
    expect(checkSignatures(elsewhere, 'installer', { ...given, signatures: at('signatures') })).toMatchObject({
      status: 2,
      printed: expect.stringContaining('there is no certificates/installer.pem'),
    });
    expect(existsSync(at('linked.json'))).toBe(false);
  });

  const key = () => authority.members.installer.privateKey;
  const randomPadding = () =>
    sign('sha256', Buffer.from('0'), { key: key(), padding: constants.RSA_PKCS1_PSS_PADDING });
  const underPadding = () =>
    privateEncrypt({ key: key(), padding: constants.RSA_PKCS1_PADDING }, Buffer.from('a piece of the key'));
  const othersSignature = () => sign('sha256', Buffer.from('0'), authority.members.application.privateKey);
  const next = (letter: string) => String.fromCharCode(letter.charCodeAt(0) + 1);

  function flipped(signature: Buffer): Buffer {
    const changed = Buffer.from(signature);
    changed[100] = (changed[100] as number) ^ 1;
    return changed;
  }

  /** The same number modulo n. */
  function plusModulus(signature: Buffer): Buffer {
    const info = authority.members.installer.certificate.publicKeyInfo;
    const modulus = info.subarray(info.length - 5 - 256, info.length - 5);
    const sum = BigInt(`0x${signature.toString('hex')}`) + BigInt(`0x${modulus.toString('hex')}`);
    const hex = sum.toString(16);
    return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  }
});
