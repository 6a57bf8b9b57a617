import { PipelineError } from '../../base/errors.ts';
import { FileKindObserver } from '../../base/input/file-kind-observer.ts';
import { beyond, codeBytesOf, entriesOf, LIMITS, WORK } from '../../base/input/limits.ts';
import type { VerifyCodeCms } from '../../code-signature/verify/verify-cms.ts';
import type { CpioEntry } from '../../cpio/read.ts';
import { cpioEntries, type OpenPackage } from '../../package/open-package.ts';
import type { XarMember } from '../../xar/toc.ts';
import type { PropertyListDictionary } from '../../xml/property-list.ts';
import { readPropertyListDictionary } from '../../xml/read-property-list.ts';
import { type CodeDemands, codeFacts, mayBeCode } from './code-facts.ts';
import { type AllowedMechanisms, MechanismSearch } from './mechanisms.ts';
import type { PlacedPath } from './places.ts';

/** What a policy asks about, of all payloads and scripts of a package. */
export interface Survey {
  readonly components: readonly { readonly folder: string; readonly paths: readonly PlacedPath[] }[];
  readonly code: readonly CodeDemands[];
  /** Versions that Info.plists ask for, by the file that asks. */
  readonly versions: readonly { readonly from: string; readonly version: string }[];
  readonly mechanisms: readonly string[];
  /** What could not be looked at: each fails the policy. */
  readonly unread: readonly string[];
  /** Files whose contents could not be looked at: each fails what is asked of contents. */
  readonly closed: readonly string[];
}

/** CFBundle takes a file for the platform before the usual one, and most disks of a Mac do not tell capitals. */
const INFO_PLIST = /\/Info(-\w+)?\.plist$/i;
/** With a platform behind it, a key is taken before the usual one. Source: CFBundle_InfoPlist.c. */
const VERSION_KEY = /^LSMinimumSystemVersion([-~].*)?$/;
const INFO_LIMIT = 4 * 1024 * 1024;
const HEAD_SIZE = 8;

/** What is found while a package is read. */
interface Findings {
  readonly code: CodeDemands[];
  readonly versions: { from: string; version: string }[];
  readonly mechanisms: string[];
  readonly unread: string[];
  readonly closed: string[];
}

/** Reads every file of every payload and of all scripts once more, with a policy's eyes; files are held one at a time. */
export async function surveyPackage(
  { archive, components }: OpenPackage,
  allowed: AllowedMechanisms,
  verifyCms: VerifyCodeCms,
): Promise<Survey> {
  const findings: Findings = { code: [], versions: [], mechanisms: [], unread: [], closed: [] };
  const surveyed = [];
  const spend = (bytes: number) => archive.budget?.spend(bytes, WORK.search);
  const eyes = { findings, allowed, verifyCms, spend, codeBytes: codeBytesOf(archive.access.size), ofScripts: false };
  // The same bounds as when the package was checked, whose refusal does not end the work of a policy.
  const size = archive.access.size;
  const left = { entries: entriesOf(size), bytes: entriesOf(size) * LIMITS.pathBytesPerEntry };
  const survey = async (
    member: XarMember,
    ofScripts: boolean,
    seen: (entry: CpioEntry, target: string | undefined) => void,
  ) => {
    try {
      for await (const entry of cpioEntries(archive, member)) {
        const target = await surveyEntry(entry, `${member.path}: ${entry.path}`, { ...eyes, ofScripts });
        seen(entry, target);
        left.bytes -= entry.path.length + (target?.length ?? 0);
        if (--left.entries < 0 || left.bytes < 0)
          throw beyond('flat package', 'entries or bytes of paths', entriesOf(size));
      }
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      findings.unread.push(`${member.path} was not read: ${error.message}`);
    }
  };
  for (const { folder, info, payload, scripts } of components) {
    const paths: PlacedPath[] = [];
    if (payload) await survey(payload, false, ({ path, kind }, target) => paths.push({ path, kind, target }));
    else if (info.payload.numberOfFiles > 0) findings.unread.push(`${folder} names files, but has no Payload`);
    if (scripts) await survey(scripts, true, () => undefined);
    surveyed.push({ folder, paths });
  }
  return { components: surveyed, ...findings };
}

interface Eyes {
  readonly findings: Findings;
  readonly allowed: AllowedMechanisms;
  readonly verifyCms: VerifyCodeCms;
  /** Larger files of code are not read into memory. */
  readonly codeBytes: number;
  /** Is told how many characters were looked at. */
  readonly spend: (characters: number) => void;
  readonly ofScripts: boolean;
}

/** Returns where a link leads. */
async function surveyEntry({ kind, data, header }: CpioEntry, name: string, eyes: Eyes): Promise<string | undefined> {
  const { findings, allowed, verifyCms, codeBytes, spend, ofScripts } = eyes;
  const search = new MechanismSearch(allowed, ofScripts);
  const observer = new FileKindObserver();
  const kept: Buffer[] = [];
  let size = 0;
  let keep = kind === 'symlink' || (INFO_PLIST.test(name) && header.fileSize <= INFO_LIMIT);
  for await (const chunk of data) {
    const before = search.work;
    search.update(chunk);
    spend(search.work - before);
    observer.update(chunk);
    if (size < HEAD_SIZE || keep) kept.push(Buffer.from(chunk));
    size += chunk.length;
    keep ||= size - chunk.length < HEAD_SIZE && mayBeCode(Buffer.concat(kept)) && header.fileSize <= codeBytes;
  }
  const content = Buffer.concat(kept);
  if (kind === 'symlink') return content.toString();
  findings.mechanisms.push(...search.finish().map((words) => `${name} ${words}`));
  if (content.toString('latin1', 0, 4) === 'xar!')
    findings.unread.push(`${name} is an archive, which was not looked into`);
  if (observer.closed !== undefined) findings.closed.push(`${name} is ${observer.closed}, which was not looked into`);
  if (mayBeCode(content)) {
    const found =
      size > codeBytes ? `${name} is code of more than ${codeBytes} bytes` : codeFacts(name, content, verifyCms);
    if (typeof found === 'string') findings.unread.push(found);
    else findings.code.push(...found);
  }
  if (INFO_PLIST.test(name)) addVersions(findings, name, content);
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
