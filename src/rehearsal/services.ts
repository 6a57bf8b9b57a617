import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { writeWhole } from '../base/files.ts';
import type { NotaryKey } from '../notary/rest/credentials.ts';
import type { ObjectPlace } from '../notary/rest/upload.ts';
import type { RehearsalAuthority } from './authority.ts';
import { type Endpoint, type Fault, FaultScript } from './fault.ts';
import { startLocalServer } from './local-server.ts';
import { notaryService } from './notary-service.ts';
import { objectStore } from './object-store.ts';
import { SubmissionStore } from './submission-store.ts';
import { TICKET_PATH, ticketService } from './ticket-service.ts';

/** How the services of a rehearsal behave. */
export interface RehearsalOptions {
  readonly authority: RehearsalAuthority;
  /** Keeps submissions between processes; in memory without one. */
  readonly folder?: string;
  readonly faults?: readonly Fault[];
  readonly clock?: Clock;
  /** From the end of the upload to the verdict, in milliseconds. Default 0. */
  readonly verdictAfterMs?: number;
  /** From the verdict to the ticket, in milliseconds. Default 0. */
  readonly ticketAfterMs?: number;
  /** Gives this verdict whatever was uploaded. */
  readonly verdict?: 'Invalid' | 'Rejected';
}

/** Running stand-ins for notary, object store and ticket service. */
export interface RehearsalServices {
  readonly notaryUrl: string;
  readonly ticketUrl: string;
  readonly uploadPlace: ObjectPlace;
  /** The key that the notary knows. */
  readonly key: NotaryKey;
  readonly store: SubmissionStore;
  readonly faults: FaultScript;
  readonly calls: ReadonlyMap<Endpoint, number>;
  close(): Promise<void>;
}

const KEY_ID = 'REHEARSAL1';
const ISSUER_ID = '00000000-0000-4000-8000-000000000000';

/**
 * Starts stand-ins for Apple's notary, its object store and its ticket service in this process, on 127.0.0.1.
 *
 * @example const services = await startRehearsalServices({ authority, folder: '.rehearsal/notary' });
 */
export async function startRehearsalServices(options: RehearsalOptions): Promise<RehearsalServices> {
  const { authority, folder, clock = systemClock } = options;
  const store = await SubmissionStore.open(folder);
  const key = { key: await openKey(folder), keyId: KEY_ID, issuerId: ISSUER_ID };
  const faults = new FaultScript(options.faults);
  let origin = '';
  const notary = notaryService({
    store,
    clock,
    authority,
    key,
    origin: () => origin,
    verdictAfterMs: options.verdictAfterMs ?? 0,
    ticketAfterMs: options.ticketAfterMs ?? 0,
    ...(options.verdict && { verdict: options.verdict }),
  });
  const handlers = [
    ...notary.handlers,
    objectStore({ store, clock, uploaded: notary.examine }),
    ticketService({ store, clock }),
  ];
  const server = await startLocalServer(() => handlers, faults, clock);
  origin = server.origin;
  return {
    notaryUrl: `${origin}/notary/v2`,
    ticketUrl: origin + TICKET_PATH,
    uploadPlace: (bucket) => `${origin}/${bucket}`,
    key,
    store,
    faults,
    calls: server.calls,
    close: server.close,
  };
}

/** The key is kept beside the submissions, whose store made the folder: another process must be able to ask for them. */
async function openKey(folder: string | undefined) {
  const make = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  if (folder === undefined) return make();
  const path = join(folder, 'AuthKey.p8');
  try {
    return createPrivateKey(await readFile(path));
  } catch {
    const key = make();
    await writeWhole(path, key.export({ type: 'pkcs8', format: 'pem' }), 0o600);
    return key;
  }
}
