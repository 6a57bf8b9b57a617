import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto';

const made: KeyPairKeyObjectResult[] = [];

/**
 * Returns a pair of RSA keys of 2048 bits, which no certificate of the tests' authority holds: the same for all files of a process,
 * since making one takes a tenth of a second.
 *
 * @param nth another number, another pair
 */
export function rsaKeys(nth = 0): KeyPairKeyObjectResult {
  made[nth] ??= generateKeyPairSync('rsa', { modulusLength: 2048 });
  return made[nth];
}
