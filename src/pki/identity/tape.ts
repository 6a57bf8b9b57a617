import { constants, type KeyObject, publicDecrypt } from 'node:crypto';
import { VerificationError } from '../../base/errors.ts';
import type { Certificate } from '../x509/certificate.ts';
import { publicKeyOf } from '../x509/signature-algorithms.ts';
import { DIGEST_INFO_PREFIX, type Signer, type SignRequest } from './signer.ts';

/** A signer without a key: it gives out recorded signatures, one after the other, each once it was found right. */
export interface ReplayingSigner extends Signer {
  /** Throws VerificationError `SIGNATURES_LEFT` when some were never asked for. */
  end(): void;
}

/**
 * Returns a signer that gives out the signatures of a tape.
 *
 * An RSA signature of PKCS #1 v1.5 is the only number below the modulus whose power is the padded digest, so a tape that is
 * accepted to its end holds nothing but what the certificate's key makes of these very requests: no bit of it was free.
 *
 * @param hashes digests the key signs
 * @throws VerificationError `SIGNATURE_WRONG` from `sign`
 * @see RFC 8017, section 8.2.2
 */
export function replayingSigner(
  certificate: Certificate,
  tape: readonly Buffer[],
  hashes: Signer['hashes'],
): ReplayingSigner {
  const key = rsaKeyOf(certificate);
  let next = 0;
  return {
    hashes,
    async sign(request) {
      const signature = tape[next++];
      if (!signature) throw wrong(`signature ${next} is missing`);
      if (!isSignatureOf(signature, request, key)) throw wrong(`signature ${next} is not over what is being signed`);
      return signature;
    },
    end() {
      if (next === tape.length) return;
      throw new VerificationError(
        'SIGNATURES_LEFT',
        `${tape.length - next} signatures are over nothing of this release`,
      );
    },
  };
}

/**
 * Returns a signer without a key: it keeps what it is asked to sign, in order, in `asked`, and answers with zeros of the right length.
 *
 * What is built with it has the form of the signed thing and no signature; what is asked for depends on no signature.
 */
export function askingSigner(certificate: Certificate, asked: SignRequest[], hashes: Signer['hashes']): Signer {
  const bits = rsaKeyOf(certificate).asymmetricKeyDetails?.modulusLength ?? 0;
  return {
    hashes,
    async sign(request) {
      asked.push(request);
      return Buffer.alloc(Math.ceil(bits / 8));
    },
  };
}

function rsaKeyOf(certificate: Certificate): KeyObject {
  const key = publicKeyOf(certificate.publicKeyInfo);
  if (key?.asymmetricKeyType !== 'rsa') throw wrong('the certificate holds no RSA key');
  return key;
}

function isSignatureOf(signature: Buffer, { hash, digest }: SignRequest, key: KeyObject): boolean {
  const modulusBits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (signature.length !== Math.ceil(modulusBits / 8)) return false;
  try {
    const padded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
    const end = Buffer.concat([DIGEST_INFO_PREFIX[hash], digest]);
    const filler = Buffer.alloc(signature.length - end.length - 3, 0xff);
    return padded.equals(Buffer.concat([Buffer.from([0, 1]), filler, Buffer.from([0]), end]));
  } catch {
    // A number that is not below the modulus.
    return false;
  }
}

function wrong(problem: string): VerificationError {
  return new VerificationError('SIGNATURE_WRONG', `the recorded signatures are not usable: ${problem}`, {
    hint: 'Sign anew. When it happens again, treat the key as stolen until you know why.',
  });
}
