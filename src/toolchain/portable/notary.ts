import { notaryApi } from '../../notary/api.ts';
import type { Notary } from '../../notary/notary.ts';
import { restNotary } from '../../notary/rest-notary.ts';
import type { NotaryAccess } from '../toolchain.ts';

/** Returns the notary asked over its REST interface. */
export function portableNotary({ notaryUrl, key, upload }: NotaryAccess): Notary {
  return restNotary(notaryApi({ url: notaryUrl, key }), upload);
}
