import { createPrivateKey, type KeyObject } from 'node:crypto';
import { UsageError } from '../../base/errors.ts';
import type { Secret } from '../../base/secret.ts';

/** A team key of App Store Connect, with which the notary is called. */
export interface NotaryKey {
  /** EC P-256, private. */
  readonly key: KeyObject;
  /** The ten characters in the name of the downloaded file, `AuthKey_<id>.p8`. */
  readonly keyId: string;
  /** UUID of the team in App Store Connect. */
  readonly issuerId: string;
}

/** A key as secret stores, files and people hand it over. */
export interface NotaryKeyInput {
  /** The .p8 (PEM, however its lines were broken), its base64, or the base64 inside of it. */
  readonly key: Secret;
  readonly keyId: string;
  readonly issuerId: string;
}

const KEY_PAGE = 'https://appstoreconnect.apple.com/access/integrations/api';

/**
 * Returns a key that can sign tokens for the notary.
 *
 * Secret stores, shells and web forms lose the line ends of a PEM file, escape them, or quote the whole; all of that is mended.
 *
 * @throws UsageError `NOTARY_KEY_EMPTY`, `NOTARY_KEY_FORMAT`, `NOTARY_KEY_KIND`, `NOTARY_KEY_ID` or `NOTARY_ISSUER_ID`; no message
 *   holds a part of the key
 * @example readNotaryKey({ key: new Secret(pem), keyId: 'ABC1234567', issuerId: '57246542-96fe-1a63-e053-0824d011072a' })
 */
export function readNotaryKey(input: NotaryKeyInput): NotaryKey {
  const keyId = input.keyId.trim();
  const issuerId = input.issuerId.trim().toLowerCase();
  if (!/^[A-Z0-9]{10}$/.test(keyId)) {
    throw problem('NOTARY_KEY_ID', 'the key id of the notary key must have 10 capital letters or digits', {
      hint: `It stands beside the key on ${KEY_PAGE} and in the name of its file, AuthKey_<id>.p8.`,
    });
  }
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(issuerId)) {
    throw problem('NOTARY_ISSUER_ID', 'the issuer id of the notary key must be a UUID', {
      hint: `It stands above the list of team keys on ${KEY_PAGE}. Individual keys have none and cannot be used.`,
    });
  }
  return { key: readKey(input.key.reveal()), keyId, issuerId };
}

function readKey(given: string): KeyObject {
  const text = given.replace(/^\uFEFF/, '').trim();
  if (text === '') throw problem('NOTARY_KEY_EMPTY', 'the notary key is empty', { hint: WHERE_FROM });
  const key = parsePkcs8(keyBody(text));
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return key;
  throw problem('NOTARY_KEY_KIND', `the notary key must be an EC key on P-256, found ${details?.namedCurve ?? type}`, {
    hint: WHERE_FROM,
  });
}

const WHERE_FROM = `Give the .p8 file of a team key, as downloaded once from ${KEY_PAGE}: its text, or its base64.`;
const LABEL = /-----BEGIN ([A-Z ]+?)-----([\s\S]*?)(?:-----END|$)/;

/** Returns the base64 between the PEM's lines, whatever was done to them. */
function keyBody(text: string): string {
  const pem =
    LABEL.exec(unescaped(text)) ?? LABEL.exec(unescaped(Buffer.from(packed(text), 'base64').toString('latin1')));
  if (!pem) return packed(text);
  const [, label, body] = pem as unknown as [string, string, string];
  if (label === 'PRIVATE KEY') return packed(body);
  throw problem('NOTARY_KEY_FORMAT', `the notary key must be a PEM of kind PRIVATE KEY, found ${label}`, {
    hint: WHERE_FROM,
  });
}

/** `\n` and `\r` as two characters each, as JSON and some shells leave them. */
const unescaped = (text: string) => text.replace(/(\\+r)?\\+n/g, '\n');
const packed = (text: string) => unescaped(text).replace(/[\s"']/g, '');

function parsePkcs8(base64: string): KeyObject {
  try {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new Error('no base64');
    return createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
  } catch {
    // The cause is left out: OpenSSL's words may quote what they choked on.
    throw problem(
      'NOTARY_KEY_FORMAT',
      'the notary key is not a PKCS#8 key: it was cut off, or another file was given',
      {
        hint: WHERE_FROM,
      },
    );
  }
}

function problem(code: string, message: string, details: { hint: string }): UsageError {
  return new UsageError(code, message, details);
}
