import { PipelineError } from '../../base/errors.ts';
import { FileKindObserver } from '../../base/input/file-kind-observer.ts';
import { beyond, LIMITS } from '../../base/input/limits.ts';
import type { VerifyCodeCms } from '../../code-signature/verify/verify-cms.ts';
import type { CpioEntry } from '../../cpio/read.ts';
import { isCode, MACHO_HEAD_SIZE } from '../../macho/first-bytes.ts';
import type { PropertyListDictionary } from '../../xml/property-list.ts';
import { readPropertyListDictionary } from '../../xml/read-property-list.ts';
import { type CodeDemands, codeFacts } from './code-facts.ts';
import { type AllowedMechanisms, MechanismSearch } from './mechanisms.ts';

/** CFBundle takes a file for the platform before the usual one, and most disks of a Mac do not tell capitals. */
const INFO_PLIST = /\/Info(-\w+)?\.plist$/i;
/** With a platform behind it, a key is taken before the usual one. Source: CFBundle_InfoPlist.c. */
const VERSION_KEY = /^LSMinimumSystemVersion([-~].*)?$/;
/** Bytes of an Info.plist that are read. */
const INFO_LIMIT = 4 * 1024 * 1024;

/** What is found while a package is read. */
export interface Findings {
  readonly code: CodeDemands[];
  readonly versions: { from: string; version: string }[];
  readonly mechanisms: string[];
  readonly unread: string[];
  readonly closed: string[];
}

/** How the entries of an archive are looked at. */
export interface Eyes {
  readonly findings: Findings;
  readonly allowed: AllowedMechanisms;
  readonly verifyCms: VerifyCodeCms;
  /** Larger files of code are not read into memory. */
  readonly codeBytes: number;
  /** Is told how many characters were looked at. */
  readonly spend: (characters: number) => void;
  readonly ofScripts: boolean;
}

/**
 * Looks at one entry with a policy's eyes; what it finds goes into `eyes.findings`. Returns where a link leads.
 *
 * @param name of the entry, with the archive that it lies in
 */
export async function surveyEntry(
  { kind, data, header }: CpioEntry,
  name: string,
  eyes: Eyes,
): Promise<string | undefined> {
  const { findings, allowed, verifyCms, codeBytes, spend, ofScripts } = eyes;
  const search = new MechanismSearch(allowed, ofScripts);
  const observer = new FileKindObserver();
  const kept: Buffer[] = [];
  let size = 0;
  const isWanted = kind === 'symlink' || (INFO_PLIST.test(name) && header.fileSize <= INFO_LIMIT);
  // Unknown until the first bytes have told what it is.
  let keep = isWanted ? true : undefined;
  for await (const chunk of data) {
    const before = search.work;
    search.update(chunk);
    spend(search.work - before);
    observer.update(chunk);
    if (keep !== false) kept.push(Buffer.from(chunk));
    size += chunk.length;
    if (size >= MACHO_HEAD_SIZE) keep ??= header.fileSize <= codeBytes && isCode(Buffer.concat(kept));
  }
  const content = Buffer.concat(kept);
  if (kind === 'symlink') return content.toString();
  findings.mechanisms.push(...search.finish().map((words) => `${name} ${words}`));
  if (content.toString('latin1', 0, 4) === 'xar!')
    findings.unread.push(`${name} is an archive, which was not looked into`);
  if (observer.closed !== undefined) findings.closed.push(`${name} is ${observer.closed}, which was not looked into`);
  if (isCode(content)) {
    const found =
      size > codeBytes ? `${name} is code of more than ${codeBytes} bytes` : codeFacts(name, content, verifyCms);
    if (typeof found === 'string') findings.unread.push(found);
    else findings.code.push(...found);
  }
  if (isWanted) addVersions(findings, name, content);
  else if (INFO_PLIST.test(name)) findings.unread.push(`${name} has more than ${INFO_LIMIT} bytes`);
  return undefined;
}

function addVersions({ versions, unread }: Findings, from: string, content: Buffer): void {
  let information: PropertyListDictionary;
  try {
    information = readPropertyListDictionary(content);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    unread.push(`${from} was not read: ${error.message}`);
    return;
  }
  for (const [key, value] of information) if (VERSION_KEY.test(key)) versions.push({ from, version: String(value) });
  const each = information.get('LSMinimumSystemVersionByArchitecture');
  if (each instanceof Map)
    for (const [key, value] of each) versions.push({ from: `${from} (${key})`, version: String(value) });
  else if (each !== undefined) unread.push(`${from}: its versions by architecture are not a dictionary`);
}

/** Counts entries with their paths and the targets of links; what it returns throws FormatError `SIZE_LIMIT` at one too many. */
export function entryBounds(most: number): (path: string, target: string | undefined) => void {
  const left = { entries: most, bytes: most * LIMITS.pathBytesPerEntry };
  return (path, target = '') => {
    left.entries--;
    left.bytes -= path.length + target.length;
    if (Math.min(left.entries, left.bytes) < 0) throw beyond('flat package', 'entries or bytes of paths', most);
  };
}
