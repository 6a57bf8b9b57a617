import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * Returns an RSA key of 2048 bits that all tests share: to make one takes a tenth of a second of the processor.
 *
 * @param number another key for another number
 */
export function rsaPair(number = 0): KeyPairKeyObjectResult {
  const pair = known.get(number) ?? readOrMake(number);
  known.set(number, pair);
  return pair;
}

const known = new Map<number, KeyPairKeyObjectResult>();

function readOrMake(number: number): KeyPairKeyObjectResult {
  const folder = resolve('.build/rsa-pairs');
  const path = join(folder, `${number}.pem`);
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const unfinished = `${path}.${process.pid}`;
    writeFileSync(unfinished, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    renameSync(unfinished, path);
  }
  const privateKey = createPrivateKey(readFileSync(path));
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
