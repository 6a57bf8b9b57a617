import { createPrivateKey, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { NotaryIssue } from '../../../src/notary/log.ts';
import { predictNotary } from '../../../src/notary/predict/predict.ts';
import type { XarArchive } from '../../../src/xar/read.ts';
import { withArchive } from './archive.ts';
import { authority, readJson, ToolFailure, writeJson } from './machine.ts';
import type { Printed } from './main.ts';
import { type Options, parseOptions, UnknownOption } from './options.ts';
import { digestOf, fileDigest, publishTicket } from './ticket.ts';

interface Entry {
  readonly id: string;
  readonly createdDate: string;
  readonly name: string;
  readonly sha256: string;
  /** TOC digest, for which the ticket is. */
  readonly digest: string;
  readonly issues: readonly NotaryIssue[];
  readonly status: string;
}

const OPTIONS = {
  '--key -k': 'value',
  '--key-id -d': 'value',
  '--issuer -i': 'value',
  '--apple-id': 'value',
  '--password': 'value',
  '--team-id': 'value',
  '--keychain-profile -p': 'value',
  '--keychain': 'value',
  '--output-format -f': 'value',
  '--verbose -v': 'none',
  '--progress': 'none',
  '--no-progress': 'none',
} as const;
const OWN_OPTIONS = {
  submit: {
    '--wait': 'none',
    '--no-wait': 'none',
    '--timeout': 'value',
    '--webhook': 'value',
    '--s3-acceleration': 'none',
    '--no-s3-acceleration': 'none',
    '--force': 'none',
  },
  info: {},
  wait: { '--timeout': 'value' },
  log: {},
  history: {},
} as const;

/** notarytool(1) with an App Store Connect key and JSON output; `verdict` in this machine's memory settles what submissions become. */
export async function notarytool(argv: readonly string[]): Promise<Printed> {
  if (argv[0] === '--version') return { stdout: '1.1.0 (39)\n' };
  const command = argv[0] as keyof typeof OWN_OPTIONS;
  if (!Object.hasOwn(OWN_OPTIONS, command)) throw new UnknownOption(argv[0] ?? '');
  const options = parseOptions(argv.slice(1), { ...OPTIONS, ...OWN_OPTIONS[command] });
  if (options.value('--output-format') !== 'json') throw new Error('only JSON is played');
  checkCredentials(options);
  switch (command) {
    case 'submit':
      return submit(options.rest[0] as string);
    case 'history':
      return print({ history: entries().map(publicPart), message: 'Successfully received submission history.' });
    case 'info':
      return print({
        ...publicPart(await settled(entryOf(options.rest[0]))),
        message: 'Successfully received submission info',
      });
    case 'wait':
      throw new Error('only asking in turns is played');
    case 'log':
      return log(entryOf(options.rest[0]), options.rest[1]);
  }
}

function checkCredentials(options: Options): void {
  const key = options.value('--key');
  if (key === undefined || !existsSync(key)) throw new ToolFailure(64, "Error: The file at '--key' does not exist.");
  try {
    createPrivateKey(readFileSync(key));
  } catch {
    throw new ToolFailure(1, 'Error: invalidPEMDocument');
  }
  if (options.value('--key-id') === 'REVOKED000' || !options.has('--issuer')) {
    const words = 'HTTP status code: 401. Unauthenticated. Ensure that all authentication arguments are correct.';
    throw new ToolFailure(69, `Error: ${words}`);
  }
}

async function submit(path: string): Promise<Printed> {
  const name = basename(path);
  const { digest, issues } = await withArchive(path, async (archive) => ({
    digest: digestOf(archive),
    issues: await issuesOf(archive, name),
  }));
  const verdict = readJson<string>('verdict.json', issues.length === 0 ? 'Accepted' : 'Invalid');
  const createdDate = new Date().toISOString();
  const entry: Entry = {
    id: randomUUID(),
    createdDate,
    name,
    sha256: fileDigest(path),
    digest,
    issues,
    status: verdict,
  };
  writeJson('submissions.json', [entry, ...entries()]);
  if (verdict === 'Accepted') await publishTicket(digest);
  const start = `Conducting pre-submission checks for ${entry.name} and initiating connection to the Apple notary service...\n`;
  const printed = print({ path: resolve(path), id: entry.id, message: 'Successfully uploaded file' });
  return { stdout: `${start}${printed.stdout}` };
}

async function issuesOf({ access }: XarArchive, archiveName: string): Promise<readonly NotaryIssue[]> {
  const { trust } = await authority();
  return (await predictNotary(access, { archiveName, trust, now: new Date() })).issues;
}

/** What is in progress ends with the next verdict that this machine's memory names. */
async function settled(entry: Entry): Promise<Entry> {
  const status = readJson<string>('verdict.json', 'In Progress');
  if (entry.status !== 'In Progress' || status === entry.status) return entry;
  const ended = { ...entry, status };
  writeJson(
    'submissions.json',
    entries().map((one) => (one.id === entry.id ? ended : one)),
  );
  if (status === 'Accepted') await publishTicket(entry.digest);
  return ended;
}

function log(entry: Entry, path: string | undefined): Printed {
  const accepted = entry.status === 'Accepted';
  const document = {
    logFormatVersion: 1,
    jobId: entry.id,
    status: entry.status,
    statusSummary: accepted ? 'Ready for distribution' : 'Archive contains critical validation errors',
    statusCode: accepted ? 0 : 4000,
    archiveFilename: entry.name,
    uploadDate: entry.createdDate,
    sha256: entry.sha256,
    ticketContents: accepted ? [{ path: entry.name, digestAlgorithm: 'SHA-1', cdhash: entry.digest }] : null,
    issues: entry.issues.length === 0 ? null : entry.issues,
  };
  if (path === undefined) return { stdout: `${JSON.stringify(document, null, 2)}\n` };
  writeFileSync(path, JSON.stringify(document));
  return print({ location: resolve(path), id: entry.id, message: 'Successfully downloaded submission log' });
}

const entries = (): Entry[] => readJson('submissions.json', []);
const publicPart = ({ id, createdDate, name, status }: Entry) => ({ id, createdDate, name, status });
const print = (value: object): Printed & { stdout: string } => ({ stdout: `${JSON.stringify(value)}\n` });

function entryOf(id: string | undefined): Entry {
  const entry = entries().find((one) => one.id === id);
  if (!entry)
    throw new ToolFailure(
      69,
      `Error: HTTP status code: 404. Submission does not exist or does not belong to your team.`,
    );
  return entry;
}
