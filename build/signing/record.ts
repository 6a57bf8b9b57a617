import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { VerificationError } from '../../src/base/errors.ts';
import { writeWhole } from '../../src/base/files.ts';
import { readWhole } from '../../src/base/with-file.ts';
import { isDer } from '../../src/pki/cms/canonical-cms.ts';

/** What a key made elsewhere: nothing in it can be chosen by whoever runs there. */
export interface SignedRole {
  /** DER of the leaf. */
  readonly certificate: Buffer;
  /** In the order in which they are asked for. */
  readonly signatures: readonly Buffer[];
}

/** The same, and the timestamps that were fetched afterwards, in the order in which they are asked for. */
export interface StampedRole extends SignedRole {
  readonly tokens: readonly Buffer[];
}

/** Signatures and timestamps of a release whose keys are used in jobs of their own. */
export interface SigningRecord {
  readonly mode: 'release' | 'rehearsal';
  /** The time that all signatures state, in Unix seconds. Settled before a key is there. */
  readonly signingTime: number;
  readonly application: StampedRole | null;
  readonly installer: StampedRole | null;
}

const DATA = z.string().transform((text) => Buffer.from(text, 'base64'));
const ROLE = z.strictObject({ certificate: DATA, signatures: z.array(DATA), tokens: z.array(DATA) }).nullable();
const RECORD = z.strictObject({
  schema: z.literal(1),
  mode: z.enum(['release', 'rehearsal']),
  signingTime: z.number().int().min(0),
  application: ROLE,
  installer: ROLE,
});

/** More than all signatures of a release with 4096-bit keys, in bytes. */
const LARGEST_SIGNED = 32_768;

/** Returns the one text that says what a key made, as build/signers/check-signatures.sh writes it; `parseSignedRole` takes no other. */
export function renderSignedRole({ certificate, signatures }: SignedRole): string {
  const value = { schema: 1, certificate: base64(certificate), signatures: signatures.map(base64) };
  return `${JSON.stringify(value)}\n`;
}

/**
 * Returns what a job with a key handed out.
 *
 * Only the one form that `renderSignedRole` gives is taken: a space, a key, a digit more would be room in which a key could travel.
 *
 * @throws VerificationError `SIGNED_FORM`
 */
export function parseSignedRole(text: string): SignedRole {
  const read = (): SignedRole | undefined => {
    if (text.length > LARGEST_SIGNED) return undefined;
    try {
      const { certificate, signatures } = JSON.parse(text) as { certificate: string; signatures: string[] };
      return { certificate: bytes(certificate), signatures: signatures.map(bytes) };
    } catch {
      return undefined;
    }
  };
  const role = read();
  if (!role || renderSignedRole(role) !== text || !isDer(role.certificate)) {
    throw new VerificationError('SIGNED_FORM', 'what the job with the key handed out is not in the one form it has', {
      hint: 'Stop: somebody may have tried to get the key out. Look at the log of the job that used it.',
    });
  }
  return role;
}

/** Writes a record, whole or not at all. */
export async function writeRecord(path: string, record: SigningRecord): Promise<void> {
  await writeWhole(path, renderRecord(record));
}

/** Returns a record as text of one line, its end not included. */
export function renderRecord(record: SigningRecord): string {
  const role = (one: StampedRole | null) =>
    one && {
      certificate: base64(one.certificate),
      signatures: one.signatures.map(base64),
      tokens: one.tokens.map(base64),
    };
  const { mode, signingTime, application, installer } = record;
  const value = { schema: 1, mode, signingTime, application: role(application), installer: role(installer) };
  return JSON.stringify(value);
}

/**
 * Returns a record; null when there is none.
 *
 * @throws UsageError `RECORD_INVALID`
 */
export async function readRecord(path: string): Promise<SigningRecord | null> {
  let text: string;
  try {
    text = (await readWhole(path)).toString('utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  return parseDocument(text, {
    name: path,
    schema: RECORD,
    code: 'RECORD_INVALID',
    hint: 'Remove it and begin with `timestamp`.',
  });
}

const base64 = (data: Buffer) => data.toString('base64');
const bytes = (text: string) => Buffer.from(text, 'base64');
