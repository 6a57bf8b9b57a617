import { join } from 'node:path';
import { UsageError } from '../../src/base/errors.ts';
import { Secret } from '../../src/base/secret.ts';
import { type NotaryKey, readNotaryKey } from '../../src/notary/rest/credentials.ts';
import type { WaitOptions } from '../../src/notary/wait.ts';
import { appleTrust, type Trust } from '../../src/pki/x509/apple-roots.ts';
import { openRehearsalAuthority, REHEARSAL_FOLDER } from '../../src/rehearsal/authority.ts';
import { startRehearsalServices } from '../../src/rehearsal/services.ts';
import type { NotaryAccess } from '../../src/toolchain/toolchain.ts';
import type { Plan } from '../plan/plan.ts';
import { describeLookAlikes, NOTARY_NAMES } from '../signing/credentials.ts';
import { variable } from '../signing/identities.ts';

/** The notary, its object store and its ticket service: Apple's, or stand-ins in this process. */
export interface NotaryConnection {
  readonly mode: 'release' | 'rehearsal';
  readonly access: NotaryAccess;
  readonly waiting: Pick<WaitOptions, 'pollMs' | 'maxWaitMs'> & { readonly lostUploadMs?: number };
  /** File to which facts are appended for whoever reads the job's summary; undefined where no service shows one. */
  readonly jobSummary: string | undefined;
  close(): Promise<void>;
}

/** What the connection depends on. */
export interface ConnectionInput {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly plan: Pick<Plan, 'root' | 'config'>;
  readonly mode: 'release' | 'rehearsal';
  /** Whose tickets are believed in a release; Apple's by default. */
  readonly trust?: Trust;
  readonly maxWaitMs?: number | undefined;
}

/** The stand-in answers at once; a short while shows that waiting works. */
const REHEARSAL_VERDICT_MS = 150;
const REHEARSAL_TICKET_MS = 50;
const REHEARSAL_POLL_MS = 100;
/** The stand-in never needs long for an upload that came to its end. */
const REHEARSAL_LOST_UPLOAD_MS = 1500;

/**
 * Returns a connection to the notary. Nothing is asked yet.
 *
 * @throws UsageError that names the variables that are missing, or says what is wrong with the key
 */
export async function connectToNotary(input: ConnectionInput): Promise<NotaryConnection> {
  return input.mode === 'rehearsal' ? rehearsalConnection(input) : appleConnection(input);
}

async function appleConnection({
  env,
  plan,
  maxWaitMs,
  trust = appleTrust(),
}: ConnectionInput): Promise<NotaryConnection> {
  const { services } = plan.config;
  return {
    mode: 'release',
    access: { key: await readKey(env), notaryUrl: services.notary, ticketUrl: services.tickets, trust },
    waiting: maxWaitMs === undefined ? {} : { maxWaitMs },
    jobSummary: env.GITHUB_STEP_SUMMARY || undefined,
    close: async () => undefined,
  };
}

/** Returns the notary key that the environment names. */
export async function readKey(env: ConnectionInput['env']): Promise<NotaryKey> {
  const values = await Promise.all(NOTARY_NAMES.map((name) => variable(name, env)));
  const missing = NOTARY_NAMES.filter((_, index) => !values[index]);
  if (missing.length > 0) {
    throw new UsageError(
      'NOTARY_KEY_INCOMPLETE',
      `for notarization these variables are missing: ${missing.join(', ')}${describeLookAlikes(env)}`,
      {
        hint: 'Set them (or the same names with _FILE, each the path of a file); the key comes from App Store Connect, Users and Access, Integrations.',
      },
    );
  }
  const [key, keyId, issuerId] = values.map((value) => value?.reveal().toString('utf8')) as [string, string, string];
  return readNotaryKey({ key: new Secret(key), keyId, issuerId });
}

/** Says whether the environment names a notary key, or a part of one. */
export function namesNotaryKey(env: ConnectionInput['env']): boolean {
  return NOTARY_NAMES.some((name) => Boolean(env[name]) || Boolean(env[`${name}_FILE`]));
}

/** A notary key without signing identities is not a rehearsal: somebody forgot the identities. */
export function refuseHalfSetUp(mode: 'release' | 'rehearsal', env: ConnectionInput['env']): void {
  if (mode === 'release' || !namesNotaryKey(env)) return;
  throw new UsageError('IDENTITY_INCOMPLETE', 'a notary key is set, but no signing identity', {
    hint: 'Set APPLICATION_P12_BASE64, INSTALLER_P12_BASE64 and their passwords too, or unset NOTARY_KEY for a rehearsal.',
  });
}

async function rehearsalConnection({ env, plan, maxWaitMs }: ConnectionInput): Promise<NotaryConnection> {
  const home = join(plan.root, REHEARSAL_FOLDER);
  const authority = await openRehearsalAuthority(home);
  const services = await startRehearsalServices({
    authority,
    folder: join(home, 'notary'),
    verdictAfterMs: REHEARSAL_VERDICT_MS,
    ticketAfterMs: REHEARSAL_TICKET_MS,
  });
  return {
    mode: 'rehearsal',
    access: {
      key: services.key,
      notaryUrl: services.notaryUrl,
      upload: { place: services.uploadPlace },
      ticketUrl: services.ticketUrl,
      trust: authority.trust,
    },
    waiting: {
      pollMs: () => REHEARSAL_POLL_MS,
      lostUploadMs: REHEARSAL_LOST_UPLOAD_MS,
      ...(maxWaitMs !== undefined && { maxWaitMs }),
    },
    jobSummary: env.GITHUB_STEP_SUMMARY || undefined,
    close: services.close,
  };
}
