import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { accessBuffer } from '../../src/base/random-access.ts';
import type { NotaryLog } from '../../src/notary/log.ts';
import { notaryApi } from '../../src/notary/rest/api.ts';
import { restNotary } from '../../src/notary/rest/rest-notary.ts';
import { type NotarizedFile, notarize, type SubmissionRecord } from '../../src/notary/submission.ts';
import { staplePackage } from '../../src/notary/ticket/staple.ts';
import { openRehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { type RehearsalOptions, type RehearsalServices, startRehearsalServices } from '../../src/rehearsal/services.ts';
import { readXar } from '../../src/xar/read.ts';
import { builtPackage } from '../support/built-package.ts';
import { standingClock } from '../support/standing-clock.ts';

/** What a rehearsed notarization left behind. */
export interface Rehearsed {
  /** Undefined: it came to its end, and the package is stapled. */
  readonly error: any;
  /** Everything that was said, recorded or thrown. */
  readonly output: string;
  readonly warned: readonly string[];
  readonly records: readonly SubmissionRecord[];
  readonly services: RehearsalServices;
  /** Milliseconds that the clock says it took. */
  readonly tookMs: number;
  readonly stapled: Buffer;
}

/** The package that npm start made, without its ticket. */
export async function unstapledPackage(): Promise<NotarizedFile> {
  const whole = readFileSync(builtPackage());
  const { trailing, checksum } = await readXar(accessBuffer(whole));
  return fileOf(whole.subarray(0, trailing.offset), checksum.value.toString('hex'));
}

export function fileOf(data: Buffer, tocDigest: string): NotarizedFile {
  const sha256 = createHash('sha256').update(data).digest('hex');
  return { name: 'Example-1.0.0.pkg', data, sha256, tocDigest };
}

let opened: ReturnType<typeof openRehearsalAuthority> | undefined;
/** Opened once: a hundred rehearsals need it twice each. */
export const authority = () => (opened ??= openRehearsalAuthority('.rehearsal'));

export interface RehearsedOptions extends Partial<RehearsalOptions> {
  readonly recorded?: SubmissionRecord | null;
  readonly signal?: AbortSignal;
  readonly maxWaitMs?: number;
  readonly keepLog?: (log: NotaryLog) => Promise<void>;
  /** Goes on with the services of an earlier one. */
  readonly services?: RehearsalServices;
}

/** Submits, waits and staples against services in this process, on a clock that does not wait. */
export async function rehearse(file: NotarizedFile, options: RehearsedOptions = {}): Promise<Rehearsed> {
  const clock = options.clock ?? standingClock(new Date());
  const services =
    options.services ?? (await startRehearsalServices({ authority: await authority(), clock, ...options }));
  const folder = mkdtempSync(join(tmpdir(), 'notary-'));
  const path = join(folder, file.name);
  writeFileSync(path, file.data);
  const said: string[] = [];
  const warned: string[] = [];
  const records: SubmissionRecord[] = [];
  const since = clock.now().getTime();
  // Real time, as sockets know no other: short only where an answer is to come too late.
  const late = options.faults?.some(({ kind }) => kind === 'slow');
  const patience = { timeoutMs: late ? 1000 : 60_000, clock };
  const retried = { onRetry: ({ error }: { error: unknown }) => void said.push(inspect(error, { depth: 9 })) };
  let error: unknown;
  try {
    await notarize(file, {
      notary: restNotary(notaryApi({ url: services.notaryUrl, key: services.key, ...patience, ...retried }), {
        place: services.uploadPlace,
        ...patience,
        ...retried,
      }),
      clock,
      recorded: options.recorded ?? null,
      record: async (record) => void records.push(record),
      tell: (words) => said.push(words),
      warn: (words) => warned.push(words),
      goOn: (id) => `npm run -s cli -- notarize --wait ${id}`,
      ...(options.signal && { signal: options.signal }),
      ...(options.maxWaitMs !== undefined && { maxWaitMs: options.maxWaitMs }),
      ...(options.keepLog && { keepLog: options.keepLog }),
    });
    await staplePackage(path, {
      url: services.ticketUrl,
      trust: (await authority()).trust,
      ...patience,
      tell: (words) => said.push(words),
      goOn: 'npm run -s cli -- staple FILE',
    });
  } catch (caught) {
    error = caught;
  } finally {
    await services.close();
  }
  const stapled = readFileSync(path);
  rmSync(folder, { recursive: true });
  const output = [...said, ...warned, JSON.stringify(records), inspect(error, { depth: 9 })].join('\n');
  return { error, output, warned, records, services, tookMs: clock.now().getTime() - since, stapled };
}

/** Submissions of which the notary has seen the bytes. */
export const completed = ({ services }: Pick<Rehearsed, 'services'>) =>
  services.store.newestFirst().filter(({ verdict }) => verdict !== null);

/** Returns what is secret in `output`; empty when nothing is. */
export function secretsIn({ output, services }: Pick<Rehearsed, 'output' | 'services'>): string[] {
  const pem = services.key.key.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const secrets = services.store.newestFirst().flatMap(({ keys }) => [keys.secretAccessKey, keys.sessionToken]);
  return [...secrets, pem.slice(40, 80), 'eyJ', 'X-Amz-Signature', 'Signature='].filter((secret) =>
    output.includes(secret),
  );
}
