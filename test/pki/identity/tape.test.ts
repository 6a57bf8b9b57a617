import { constants, createHash, generateKeyPairSync, privateEncrypt, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PipelineError } from '../../../src/base/errors.ts';
import type { SignRequest } from '../../../src/pki/identity/signer.ts';
import { askingSigner, replayingSigner } from '../../../src/pki/identity/tape.ts';
import type { Certificate } from '../../../src/pki/x509/certificate.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const { publicKey, privateKey } = rsaPair();
const ec = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const certificateOf = (key: typeof publicKey) =>
  ({ publicKeyInfo: key.export({ type: 'spki', format: 'der' }) }) as unknown as Certificate;
const CERTIFICATE = certificateOf(publicKey);
const HASHES = new Set(['sha1', 'sha256'] as const);

const request = (text: string, hash: SignRequest['hash'] = 'sha256'): SignRequest => ({
  hash,
  digest: createHash(hash).update(text).digest(),
});
const signature = (text: string, hash: SignRequest['hash'] = 'sha256') => sign(hash, Buffer.from(text), privateKey);
const replay = (...tape: readonly Buffer[]) => replayingSigner(CERTIFICATE, tape, HASHES);
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => 'taken',
    (error: PipelineError) => `${error.code}: ${error.message}`,
  );
const WRONG = 'SIGNATURE_WRONG: the recorded signatures are not usable: ';
const other = `${WRONG}signature 1 is not over what is being signed`;

/** A number of the key's size, raised to its private power: a signature with any padding. */
const padded = (hex: string) =>
  privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, Buffer.from(hex, 'hex'));
/** EMSA-PKCS1-v1_5 of RFC 8017, section 9.2, written out: 00 01 FF … 00, DigestInfo of SHA-256, digest. */
const EMSA = (begin: string, filler: string, text = 'a') => {
  const end = `003031300d060960864801650304020105000420${createHash('sha256').update(text).digest('hex')}`;
  return begin + filler.repeat(256 - begin.length / 2 - end.length / 2) + end;
};

describe('replayingSigner', () => {
  it('gives out what was signed, one after the other, each over what is asked', async () => {
    const signer = replay(signature('a'), signature('b', 'sha1'));
    expect(signer.hashes).toBe(HASHES);
    expect(await signer.sign(request('a'))).toEqual(signature('a'));
    expect(await signer.sign(request('b', 'sha1'))).toEqual(signature('b', 'sha1'));
    expect(() => signer.end()).not.toThrow();
    expect(await outcome(signer.sign(request('c')))).toBe(`${WRONG}signature 3 is missing`);
  });

  it('takes no signature in another place, or over another digest', async () => {
    expect(await outcome(replay(signature('b')).sign(request('a')))).toBe(other);
    expect(await outcome(replay(signature('a', 'sha1')).sign(request('a')))).toBe(other);
    const second = replay(signature('a'), signature('a'));
    expect(await outcome(second.sign(request('a')))).toBe('taken');
    expect(await outcome(second.sign(request('b')))).toBe(`${WRONG}signature 2 is not over what is being signed`);
  });

  it('takes the only padding that PKCS #1 v1.5 knows', async () => {
    const made = (hex: string) => outcome(replay(padded(hex)).sign(request('a')));
    expect(EMSA('0001', 'ff')).toHaveLength(512);
    expect(padded(EMSA('0001', 'ff'))).toEqual(signature('a'));
    expect(await made(EMSA('0001', 'ff'))).toBe('taken');
    for (const hex of [EMSA('0000', 'ff'), EMSA('0002', 'ff'), EMSA('0001', 'fe'), EMSA('0101', 'ff'), EMSA('0001ff00', 'ff'), EMSA('0001', 'ff', 'b')])
      expect(await made(hex)).toBe(other);
  }); // biome-ignore format: a table

  it('takes as many bytes as the modulus has, and a number below it', async () => {
    const right = signature('a');
    for (const tape of [right.subarray(1), Buffer.concat([Buffer.alloc(1), right]), Buffer.alloc(0), Buffer.alloc(256, 0xff)])
      expect(await outcome(replay(tape).sign(request('a')))).toBe(other);
  }); // biome-ignore format: a table

  it('says how many were never asked for', async () => {
    const signer = replay(signature('a'), signature('b'));
    const left = (count: number) => `SIGNATURES_LEFT: ${count} signatures are over nothing of this release`;
    const end = () => outcome(Promise.resolve().then(() => signer.end()));
    expect(await end()).toBe(left(2));
    await signer.sign(request('a'));
    expect(await end()).toBe(left(1));
    expect(() => replay().end()).not.toThrow();
  });

  it('needs an RSA key', () => {
    for (const certificate of [certificateOf(ec.publicKey), { publicKeyInfo: Buffer.alloc(3) } as unknown as Certificate]) {
      expect(() => replayingSigner(certificate, [], HASHES)).toThrow('the certificate holds no RSA key');
      expect(() => askingSigner(certificate, [], HASHES)).toThrow('the certificate holds no RSA key');
    }
  }); // biome-ignore format: a table
});

describe('askingSigner', () => {
  it('keeps what it is asked, in order, and answers with zeros as long as the modulus', async () => {
    const asked: SignRequest[] = [];
    const signer = askingSigner(CERTIFICATE, asked, HASHES);
    expect(await signer.sign(request('a'))).toEqual(Buffer.alloc(256));
    expect(await signer.sign(request('b', 'sha1'))).toEqual(Buffer.alloc(256));
    expect(asked).toEqual([request('a'), request('b', 'sha1')]);
    expect(signer.hashes).toBe(HASHES);
    const odd = generateKeyPairSync('rsa', { modulusLength: 1028 });
    expect(await askingSigner(certificateOf(odd.publicKey), [], HASHES).sign(request('a'))).toHaveLength(129);
  });
});
