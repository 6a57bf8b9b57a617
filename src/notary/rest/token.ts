import { SignJWT } from 'jose';
import { type Clock, systemClock } from '../../base/clock.ts';
import { Secret } from '../../base/secret.ts';
import type { NotaryKey } from './credentials.ts';

/** Makes tokens for the notary. */
export interface TokenMaker {
  /** Returns a token that is valid for some minutes yet; the same one as long as it is. */
  token(): Promise<Secret>;
  /** Forgets the token, so that the next one is new: the service did not accept it. */
  renew(): void;
}

/** A clock up to half a minute ahead of Apple's still makes tokens that are not from the future. */
const BACKDATE_SECONDS = 30;
/** Apple answers 401 to a token that is valid for more than 20 minutes. Source: App Store Connect API, "Generating Tokens". */
const LIFETIME_SECONDS = 15 * 60;
/** A token is not used in its last minutes: the call it is for takes time, and clocks differ. */
const RESERVE_SECONDS = 3 * 60;

/**
 * Returns a maker of App Store Connect tokens: ES256, for the audience `appstoreconnect-v1`, without a scope.
 *
 * @example request({ headers: { Authorization: new Secret(`Bearer ${(await maker.token()).reveal()}`) }, ... })
 * @see https://developer.apple.com/documentation/appstoreconnectapi/generating-tokens-for-api-requests
 */
export function tokenMaker({ key, keyId, issuerId }: NotaryKey, clock: Clock = systemClock): TokenMaker {
  let current: { token: Secret; expires: number } | undefined;
  return {
    async token() {
      const now = Math.floor(clock.now().getTime() / 1000);
      if (current && now < current.expires - RESERVE_SECONDS) return current.token;
      const issuedAt = now - BACKDATE_SECONDS;
      const expires = issuedAt + LIFETIME_SECONDS;
      const token = await new SignJWT()
        .setProtectedHeader({ alg: 'ES256', kid: keyId, typ: 'JWT' })
        .setIssuer(issuerId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expires)
        .setAudience('appstoreconnect-v1')
        .sign(key);
      current = { token: new Secret(token), expires };
      return current.token;
    },
    renew() {
      current = undefined;
    },
  };
}
