// What both stand-ins of a key service know: which keys there are, and who may use them.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * Returns the files of the keys by address. With one key (KEY_SERVICE_KEY) nobody is asked who they are; with a file of settings
 * (KEY_SERVICE) whoever signs must hold a token of GitHub for this audience, this subject and this role.
 *
 * @param entry what the command line knows of who asks: { token, as, audience, region }
 */
export function keysOf(entry, refuse) {
  const { KEY_SERVICE_KEY: one, KEY_SERVICE: settings } = process.env;
  if (settings === undefined) {
    return {
      'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab': one,
      'https://example-vault.vault.azure.net/keys/installer': one,
    };
  }
  const { keys, secret, subject, as, region } = JSON.parse(readFileSync(settings, 'utf8'));
  const asked = entry();
  const [head, body, signature] = asked.token.split('.');
  if (createHmac('sha256', secret).update(`${head}.${body}`).digest('base64url') !== signature)
    refuse('InvalidIdentityToken');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  if (claims.aud !== asked.audience) refuse('InvalidIdentityToken: incorrect token audience');
  if (claims.sub !== subject || asked.as !== as)
    refuse(`AccessDenied: ${claims.sub} may not be ${asked.as}: sts:AssumeRoleWithWebIdentity`);
  if (asked.region !== undefined && asked.region !== region) refuse('NotFoundException: another region');
  return keys;
}
