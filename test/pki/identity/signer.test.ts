import { createHash, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { localSigner } from '../../../src/pki/identity/signer.ts';
import { rsaPair } from '../../support/rsa-pairs.ts';

const { publicKey, privateKey } = rsaPair();
const DATA = Buffer.from('what is signed');

describe('localSigner', () => {
  it.each(['sha1', 'sha256'] as const)('gives the same bytes as a signature over the data itself: %s', async (hash) => {
    const digest = createHash(hash).update(DATA).digest();
    const signature = await localSigner(privateKey).sign({ hash, digest });
    expect(signature).toEqual(sign(hash, DATA, privateKey));
    expect(verify(hash, DATA, publicKey, signature)).toBe(true);
  });

  it('refuses a digest of another length', async () => {
    const request = { hash: 'sha256', digest: Buffer.alloc(20) } as const;
    await expect(localSigner(privateKey).sign(request)).rejects.toThrow('sha256 digest of 20 bytes');
  });
});
