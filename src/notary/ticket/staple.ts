import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, PipelineError, UsageError, VerificationError } from '../../base/errors.ts';
import { writeWhole } from '../../base/files.ts';
import { fromRange } from '../../base/random-access.ts';
import { withFile } from '../../base/with-file.ts';
import { verifyProgram } from '../../code-signature/verify/verify-code.ts';
import { slicesOf } from '../../macho/fat.ts';
import type { Trust } from '../../pki/x509/apple-roots.ts';
import { readXar, type XarArchive } from '../../xar/read.ts';
import { buildTrailer, parseTrailer } from '../../xar/trailer.ts';
import { parsePropertyListDictionary } from '../../xml/property-list.ts';
import { TOC_HASH_TYPES, verifyTicket } from './ticket.ts';
import { lookUpTicket, type TicketLookupOptions, type TicketSubject } from './ticket-lookup.ts';

/** Where tickets come from, and whose count. */
export interface StapleOptions extends Omit<TicketLookupOptions, 'problem'> {
  readonly trust: Trust;
}

/** A file or bundle with its ticket. */
export interface Stapled {
  readonly path: string;
  readonly issuedAt: Date;
  /** Of the ticket, hex. */
  readonly ticketSha256: string;
  /** Whether it bore this very ticket already. */
  readonly unchanged: boolean;
}

/** More bytes than any staple has. */
const TRAILER_LIMIT = 16 * 1024 * 1024;

/**
 * Staples the notary's ticket to a signed package: appends it, or puts it in the place of an older one.
 *
 * The ticket is looked up by the package's TOC digest, so it is this package's or there is none; it is verified before it is written
 * and, from the finished file, again. Not a byte in front of it changes, and it is written as it came.
 *
 * @throws UsageError for an unsigned package; NetworkError `TICKET_LATE`; FormatError for a damaged one
 * @example await staplePackage('Example.pkg', { url, trust: appleTrust(), tell, goOn })
 * @see src/xar/trailer.ts for the form
 */
export async function staplePackage(path: string, options: StapleOptions): Promise<Stapled> {
  return withFile(path, async (access) => {
    const archive = await readXar(access);
    if (archive.signatures.length === 0) {
      throw new UsageError('STAPLE_UNSIGNED', `${path} is not signed, so there can be no ticket for it`, {
        hint: 'Sign and notarize it first: npm start',
      });
    }
    const old = await stapledTicket(archive);
    const subject = packageSubject(archive);
    const ticket = await lookUpTicket([subject], {
      ...options,
      problem: (data) => ticketProblem(data, subject, options.trust),
    });
    const unchanged = old?.equals(ticket) === true;
    if (!unchanged) await writeWhole(path, withTrailer(archive, ticket), (await stat(path)).mode & 0o777);
    return { path, unchanged, ...(await checkStapled(path, options.trust)) };
  });
}

/**
 * Staples the ticket of its main executable to a bundle, as the file `Contents/CodeResources`.
 *
 * @param folder the bundle
 * @see Security-61901, the reader of `Contents/CodeResources`; the seal leaves that file out
 */
export async function stapleBundle(folder: string, options: StapleOptions): Promise<Stapled> {
  const subjects = await bundleSubjects(folder);
  const problem = (data: Buffer) => {
    const problems = subjects.map((subject) => ticketProblem(data, subject, options.trust));
    return problems.includes(undefined) ? undefined : problems[0];
  };
  const ticket = await lookUpTicket(subjects, { ...options, problem });
  const path = join(folder, 'Contents', 'CodeResources');
  const old = await readFile(path).catch(() => undefined);
  const unchanged = old?.equals(ticket) === true;
  if (!unchanged) await writeWhole(path, ticket);
  const found = problem(await readFile(path));
  if (found !== undefined) throw notStapled(folder, found);
  return { path: folder, unchanged, ...factsOf(ticket, subjects[0] as TicketSubject, options.trust) };
}

/** Returns the ticket that is stapled to a package and verified offline: whom it names, its signature, its certificates. */
export async function checkStapled(path: string, trust: Trust): Promise<Pick<Stapled, 'issuedAt' | 'ticketSha256'>> {
  return withFile(path, async (access) => {
    const archive = await readXar(access);
    const ticket = await stapledTicket(archive);
    if (!ticket) throw notStapled(path, 'no ticket is stapled to it');
    const subject = packageSubject(archive);
    const problem = ticketProblem(ticket, subject, trust);
    if (problem !== undefined) throw notStapled(path, problem);
    return factsOf(ticket, subject, trust);
  });
}

const packageSubject = ({ checksum }: XarArchive): TicketSubject => ({
  hashType: TOC_HASH_TYPES[checksum.style],
  digest: checksum.value,
});

/** Returns the ticket behind a heap; undefined without one. Bytes that are not a staple are an error: nobody knows what they are for. */
async function stapledTicket({ access, trailing }: XarArchive): Promise<Buffer | undefined> {
  const trailer =
    trailing.size > TRAILER_LIMIT
      ? ({ kind: 'unknown', size: trailing.size } as const)
      : parseTrailer(await access.read(trailing.offset, trailing.size));
  if (trailer.kind === 'stapled') return trailer.ticket;
  if (trailer.kind === 'absent') return undefined;
  throw new FormatError(
    'STAPLE_UNKNOWN',
    'flat package',
    trailing.offset,
    `${trailer.size} bytes behind the archive are not a ticket`,
    {
      hint: 'The package was changed after it was signed. Fetch or build it anew.',
    },
  );
}

async function* withTrailer(archive: XarArchive, ticket: Buffer): AsyncGenerator<Buffer> {
  yield* fromRange(archive.access, { offset: 0, size: archive.trailing.offset }).chunks();
  yield buildTrailer(ticket);
}

function ticketProblem(data: Buffer, subject: TicketSubject, trust: Trust): string | undefined {
  try {
    const { trusted, findings } = verifyTicket(data, subject, trust);
    return trusted ? undefined : findings.map(({ message }) => message).join('; ');
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return error.message;
  }
}

function factsOf(ticket: Buffer, subject: TicketSubject, trust: Trust) {
  const { issuedAt } = verifyTicket(ticket, subject, trust).ticket;
  return { issuedAt, ticketSha256: createHash('sha256').update(ticket).digest('hex') };
}

/** One subject for each slice of the main executable; any of them finds the ticket. */
async function bundleSubjects(folder: string): Promise<TicketSubject[]> {
  const information = parsePropertyListDictionary(await readFile(join(folder, 'Contents', 'Info.plist')));
  const name = information.get('CFBundleExecutable');
  if (typeof name !== 'string' || name.includes('/')) {
    throw new FormatError('PLIST_INVALID', 'Info.plist', 0, 'expected a file name for the key CFBundleExecutable');
  }
  const program = await readFile(join(folder, 'Contents', 'MacOS', name));
  const subjects = slicesOf(program).flatMap((slice) => {
    const facts = verifyProgram(slice, { verifyCms: null, ours: false, allowAdHoc: true }).slices;
    return facts.map(({ hashType, cdHash }) => ({ hashType, digest: Buffer.from(cdHash, 'hex') }));
  });
  if (subjects.length > 0) return subjects;
  throw new UsageError('STAPLE_UNSIGNED', `${folder} is not signed, so there can be no ticket for it`, {
    hint: 'Sign and notarize it first.',
  });
}

function notStapled(path: string, problem: string): VerificationError {
  return new VerificationError('STAPLE_INVALID', `${path}: ${problem}`, {
    hint: 'Staple it again: npm run -s cli -- staple FILE',
  });
}
