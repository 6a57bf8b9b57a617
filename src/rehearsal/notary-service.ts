import { createHash, createPublicKey, randomBytes, randomUUID } from 'node:crypto';
import { jwtVerify } from 'jose';
import * as z from 'zod';
import type { Clock } from '../base/clock.ts';
import { documentIn } from '../base/document.ts';
import { PipelineError } from '../base/errors.ts';
import { accessBuffer } from '../base/random-access.ts';
import type { NotaryIssue } from '../notary/log.ts';
import { issue, MESSAGES } from '../notary/predict/messages.ts';
import { type Prediction, predictNotary } from '../notary/predict/predict.ts';
import type { NotaryKey } from '../notary/rest/credentials.ts';
import { TICKET_HASH_TYPES } from '../notary/ticket/ticket.ts';
import { ticketRecordName } from '../notary/ticket/ticket-lookup.ts';
import { isWeak } from '../xar/layout.ts';
import { readXar, type XarArchive } from '../xar/read.ts';
import type { RehearsalAuthority } from './authority.ts';
import { type Handler, json, type LocalAnswer, type LocalRequest } from './local-server.ts';
import { REHEARSAL_BUCKET } from './object-store.ts';
import type { StoredSubmission, SubmissionStore } from './submission-store.ts';
import { makeTicket } from './ticket-maker.ts';

/** How the rehearsal notary behaves. */
export interface NotaryServiceOptions {
  readonly store: SubmissionStore;
  readonly clock: Clock;
  readonly authority: RehearsalAuthority;
  /** The one key it knows. */
  readonly key: NotaryKey;
  /** Its own address, for the signed address of logs. */
  readonly origin: () => string;
  /** From the end of the upload to the verdict, in milliseconds. */
  readonly verdictAfterMs: number;
  /** From the verdict to the ticket, in milliseconds. */
  readonly ticketAfterMs: number;
  /** Gives this verdict whatever was uploaded. */
  readonly verdict?: 'Invalid' | 'Rejected';
}

const BASE = '/notary/v2';
/** Apple's upload keys are good for so long. Source: Notary API reference, "Submit Software". */
const KEYS_VALID_MS = 12 * 3_600_000;
/** A token that is good for longer is refused. Source: App Store Connect API, "Generating Tokens". */
const LONGEST_TOKEN_SECONDS = 20 * 60;
const CLOCK_TOLERANCE_SECONDS = 60;
const SUMMARIES = {
  Accepted: { statusCode: 0, statusSummary: 'Ready for distribution' },
  Invalid: { statusCode: 4000, statusSummary: 'Archive contains critical validation errors' },
  Rejected: {
    statusCode: 7000,
    statusSummary:
      'Team is not yet configured for notarization. Please contact Developer Programs Support at developer.apple.com under the topic Development and Technical / Other Development or Technical Questions.',
  },
} as const;
const ANNOUNCEMENT = z.object({ submissionName: z.string().min(1), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

/** The notary's calls, and what it does with an upload. */
export interface NotaryService {
  readonly handlers: readonly Handler[];
  examine(submission: StoredSubmission, data: Buffer): Promise<void>;
}

/**
 * Returns a stand-in for Apple's notary, version 2 of its REST interface: it checks tokens, unpacks and checks what was uploaded, and
 * gives verdict, log and tickets in Apple's forms.
 */
export function notaryService(options: NotaryServiceOptions): NotaryService {
  const guarded = (handler: Handler): Handler => ({
    ...handler,
    answer: async (request, fault) => (await tokenProblem(request, options)) ?? handler.answer(request, fault),
  });
  return {
    handlers: [
      ...[submitHandler(options), historyHandler(options), logHandler(options), statusHandler(options)].map(guarded),
      logFileHandler(options),
    ],
    examine: (submission, data) => examine(submission, data, options),
  };
}

async function tokenProblem(
  { headers }: LocalRequest,
  { key, clock }: NotaryServiceOptions,
): Promise<LocalAnswer | undefined> {
  try {
    const token = /^Bearer (.+)$/.exec(String(headers.authorization))?.[1] as string;
    const { payload, protectedHeader } = await jwtVerify(token, createPublicKey(key.key), {
      algorithms: ['ES256'],
      audience: 'appstoreconnect-v1',
      issuer: key.issuerId,
      currentDate: clock.now(),
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    const lifetime = (payload.exp ?? Number.POSITIVE_INFINITY) - (payload.iat ?? 0);
    if (protectedHeader.kid === key.keyId && lifetime <= LONGEST_TOKEN_SECONDS) return undefined;
  } catch {
    // Whatever is wrong with a token, the answer is the same.
  }
  return failure(401, 'NOT_AUTHORIZED', 'Authentication credentials are missing or invalid.', '');
}

function failure(status: number, code: string, title: string, detail: string): LocalAnswer {
  return json(status, { errors: [{ id: randomUUID(), status: String(status), code, title, detail }] });
}

function submitHandler({ store, clock }: NotaryServiceOptions): Handler {
  return {
    endpoint: 'submit',
    matches: (method, path) => method === 'POST' && path === `${BASE}/submissions`,
    async answer({ body }) {
      const announced = documentIn(body, ANNOUNCEMENT);
      if (!announced) return failure(400, 'PARAMETER_ERROR.INVALID', 'A parameter has an invalid value', '');
      const id = randomUUID();
      const keys = {
        accessKeyId: `ASIA${randomBytes(8).toString('hex').toUpperCase()}`,
        secretAccessKey: randomBytes(30).toString('base64'),
        sessionToken: randomBytes(120).toString('base64'),
        expires: clock.now().getTime() + KEYS_VALID_MS,
      };
      const object = `rehearsal/AROA:${id}`;
      const { submissionName: name, sha256 } = announced;
      await store.put({ id, name, sha256, createdDate: clock.now().toISOString(), object, keys, verdict: null });
      const attributes = {
        awsAccessKeyId: keys.accessKeyId,
        awsSecretAccessKey: keys.secretAccessKey,
        awsSessionToken: keys.sessionToken,
        bucket: REHEARSAL_BUCKET,
        object,
      };
      return json(200, { data: { type: 'submissionsPostResponse', id, attributes }, meta: {} });
    },
  };
}

function historyHandler({ store, clock }: NotaryServiceOptions): Handler {
  return {
    endpoint: 'history',
    matches: (method, path) => method === 'GET' && path === `${BASE}/submissions`,
    answer: async () =>
      json(200, {
        data: store
          .newestFirst()
          .slice(0, 100)
          .map((one) => state(one, clock)),
        meta: {},
      }),
  };
}

function statusHandler({ store, clock }: NotaryServiceOptions): Handler {
  return {
    endpoint: 'status',
    matches: (method, path) => method === 'GET' && new RegExp(`^${BASE}/submissions/[^/]+$`).test(path),
    async answer({ path }) {
      const submission = store.get(path.split('/').at(-1) as string);
      return submission ? json(200, { data: state(submission, clock), meta: {} }) : unknownId();
    },
  };
}

function logHandler({ store, clock, origin }: NotaryServiceOptions): Handler {
  return {
    endpoint: 'log',
    matches: (method, path) => method === 'GET' && new RegExp(`^${BASE}/submissions/[^/]+/logs$`).test(path),
    async answer({ path }) {
      const submission = store.get(path.split('/').at(-2) as string);
      if (!submission || state(submission, clock).attributes.status === 'In Progress') return unknownId();
      const developerLogUrl = `${origin()}/logs/${submission.id}.json?X-Amz-Signature=${signatureOf(submission)}`;
      return json(200, {
        data: { attributes: { developerLogUrl }, id: submission.id, type: 'submissionsLog' },
        meta: {},
      });
    },
  };
}

function logFileHandler({ store }: NotaryServiceOptions): Handler {
  return {
    endpoint: 'log-file',
    matches: (method, path) => method === 'GET' && path.startsWith('/logs/'),
    async answer({ path, query, headers }) {
      const submission = store.get(path.slice('/logs/'.length).replace(/\.json$/, ''));
      // Amazon refuses a signed address together with a header of another kind of authorization.
      if (headers.authorization !== undefined)
        return { status: 400, body: '<Error><Code>InvalidArgument</Code></Error>' };
      if (!submission?.verdict || query !== `X-Amz-Signature=${signatureOf(submission)}`) {
        return { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
      }
      return json(200, submission.verdict.log);
    },
  };
}

const signatureOf = ({ keys }: StoredSubmission) => createHash('sha256').update(keys.secretAccessKey).digest('hex');
const unknownId = () => failure(404, 'NOT_FOUND', 'The specified resource does not exist', '');

function state({ id, name, createdDate, verdict }: StoredSubmission, clock: Clock) {
  const status = verdict && clock.now().getTime() >= verdict.from ? verdict.status : 'In Progress';
  return { attributes: { createdDate, name, status }, id, type: 'submissions' };
}

async function examine(submission: StoredSubmission, data: Buffer, options: NotaryServiceOptions): Promise<void> {
  // The same object again, because the answer to the first upload was lost: nothing new.
  if (submission.verdict) return;
  const { clock, store, authority } = options;
  const digest = createHash('sha256').update(data).digest('hex');
  const { issues, prediction, archive } = await unpack(data, submission.name, options);
  const wrong =
    digest === submission.sha256 ? [] : [issue(submission.name, MESSAGES.notExtracted(submission.name), null)];
  const all = [...issues, ...wrong];
  const status = options.verdict ?? (all.length > 0 ? 'Invalid' : 'Accepted');
  const from = clock.now().getTime() + options.verdictAfterMs;
  const contents =
    status === 'Accepted' && archive && prediction ? ticketContents(submission.name, archive, prediction) : null;
  const tickets = (contents ?? []).map(({ subject }) => ({
    recordName: ticketRecordName(subject),
    ticket: makeTicket(authority, [subject], clock.now()).toString('base64'),
    from: from + options.ticketAfterMs,
  }));
  const log = {
    logFormatVersion: 1,
    jobId: submission.id,
    status,
    ...SUMMARIES[status],
    archiveFilename: submission.name,
    uploadDate: clock.now().toISOString(),
    sha256: digest,
    ticketContents: contents?.map(({ entry }) => entry) ?? null,
    issues: all.length > 0 ? all : null,
  };
  await store.put({ ...submission, verdict: { from, status, log, tickets } });
}

interface Unpacked {
  readonly issues: readonly NotaryIssue[];
  readonly prediction?: Prediction;
  readonly archive?: XarArchive;
}

async function unpack(
  data: Buffer,
  archiveName: string,
  { authority, clock }: NotaryServiceOptions,
): Promise<Unpacked> {
  try {
    const access = accessBuffer(data);
    const prediction = await predictNotary(access, { archiveName, trust: authority.trust, now: clock.now() });
    return { issues: prediction.issues, prediction, archive: await readXar(access) };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { issues: [issue(archiveName, MESSAGES.notExtracted(archiveName), null)] };
  }
}

/** What tickets are for: the package by its TOC digest, and every slice by its cdhash. */
function ticketContents(name: string, { checksum }: XarArchive, { code }: Prediction) {
  const { style } = checksum;
  if (isWeak(style)) return [];
  const label = { sha1: 'SHA-1', sha256: 'SHA-256', sha512: 'SHA-512' } as const;
  const own = { hashType: TICKET_HASH_TYPES[style], digest: checksum.value };
  return [
    { subject: own, entry: { path: name, digestAlgorithm: label[style], cdhash: hex20(checksum.value) } },
    ...code.map(({ path, cdhash, architecture }) => ({
      subject: { hashType: TICKET_HASH_TYPES.sha256, digest: Buffer.from(cdhash, 'hex') },
      entry: { path, digestAlgorithm: 'SHA-256', cdhash, arch: architecture },
    })),
  ];
}

const hex20 = (digest: Buffer) => digest.subarray(0, 20).toString('hex');
