import type { Notary } from '../../notary/notary.ts';
import { notaryApi } from '../../notary/rest/api.ts';
import { restNotary } from '../../notary/rest/rest-notary.ts';
import type { NotaryAccess } from '../toolchain.ts';

/** Returns the notary asked over its REST interface. */
export function portableNotary({ notaryUrl, key, upload }: NotaryAccess): Notary {
  return restNotary(notaryApi({ url: notaryUrl, key }), upload);
}
