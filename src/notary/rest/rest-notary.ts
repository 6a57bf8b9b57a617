import type { Notary } from '../notary.ts';
import type { NotaryApi } from './api.ts';
import { UploadExpiredError, type UploadOptions, uploadObject } from './upload.ts';

/** Uploads whose keys expired on the way are begun anew this often. */
const UPLOAD_ROUNDS = 3;

/**
 * Returns the notary behind its REST interface: a submission gets its id first, so that even a run killed amid the upload knows it.
 *
 * @example restNotary(notaryApi({ url, key }))
 */
export function restNotary(api: NotaryApi, upload: UploadOptions = {}): Notary {
  return {
    async submit({ name, data, sha256 }, { announced, tell, warn, signal }) {
      for (let round = 1; ; round++) {
        const submission = await api.submit({ name, sha256 }, signal);
        await announced(submission.id);
        tell(`uploading ${data.length} bytes`);
        try {
          return await uploadObject(submission, data, sha256, { ...upload, signal });
        } catch (error) {
          if (!(error instanceof UploadExpiredError) || round === UPLOAD_ROUNDS) throw error;
          warn(`the upload keys of submission ${submission.id} have expired; a new submission is begun`);
        }
      }
    },
    status: api.status,
    history: api.history,
    log: api.log,
    clockSkewMs: api.clockSkewMs,
  };
}
