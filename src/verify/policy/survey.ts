import { PipelineError } from '../../base/errors.ts';
import { codeBytesOf } from '../../base/input/limits.ts';
import type { VerifyCodeCms } from '../../code-signature/verify/verify-cms.ts';
import type { CpioEntry } from '../../cpio/read.ts';
import { cpioEntries, type OpenPackage } from '../../package/open-package.ts';
import type { XarMember } from '../../xar/toc.ts';
import { type PropertyListDictionary, parsePropertyListDictionary } from '../../xml/property-list.ts';
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
}

const INFO_LIMIT = 4 * 1024 * 1024;
const HEAD_SIZE = 8;

/** What is found while a package is read. */
interface Findings {
  readonly code: CodeDemands[];
  readonly versions: { from: string; version: string }[];
  readonly mechanisms: string[];
  readonly unread: string[];
}

/** Reads every file of every payload and of all scripts once more, with a policy's eyes; files are held one at a time. */
export async function surveyPackage(
  { archive, components }: OpenPackage,
  allowed: AllowedMechanisms,
  verifyCms: VerifyCodeCms,
): Promise<Survey> {
  const findings: Findings = { code: [], versions: [], mechanisms: [], unread: [] };
  const surveyed = [];
  const eyes = { findings, allowed, verifyCms, codeBytes: codeBytesOf(archive.access.size) };
  const survey = async (member: XarMember, seen: (entry: CpioEntry, target: string | undefined) => void) => {
    try {
      for await (const entry of cpioEntries(archive, member)) {
        const target = await surveyEntry(entry, `${member.path}: ${entry.path}`, eyes);
        seen(entry, target);
      }
    } catch (error) {
      if (!(error instanceof PipelineError)) throw error;
      findings.unread.push(`${member.path} was not read: ${error.message}`);
    }
  };
  for (const { folder, info, payload, scripts } of components) {
    const paths: PlacedPath[] = [];
    if (payload) await survey(payload, ({ path, kind }, target) => paths.push({ path, kind, target }));
    else if (info.payload.numberOfFiles > 0) findings.unread.push(`${folder} names files, but has no Payload`);
    if (scripts) await survey(scripts, () => undefined);
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
}

/** Returns where a link leads. */
async function surveyEntry({ kind, data, header }: CpioEntry, name: string, eyes: Eyes): Promise<string | undefined> {
  const { findings, allowed, verifyCms, codeBytes } = eyes;
  const search = new MechanismSearch(allowed);
  const kept: Buffer[] = [];
  let size = 0;
  let keep = kind === 'symlink' || (/\/Info\.plist$/.test(name) && header.fileSize <= INFO_LIMIT);
  for await (const chunk of data) {
    search.update(chunk);
    if (size < HEAD_SIZE || keep) kept.push(Buffer.from(chunk));
    size += chunk.length;
    keep ||= size - chunk.length < HEAD_SIZE && mayBeCode(Buffer.concat(kept)) && header.fileSize <= codeBytes;
  }
  const content = Buffer.concat(kept);
  if (kind === 'symlink') return content.toString();
  findings.mechanisms.push(...search.finish().map((entry) => `${name} names the mechanism ${entry}`));
  if (content.toString('latin1', 0, 4) === 'xar!')
    findings.unread.push(`${name} is an archive, which was not looked into`);
  if (mayBeCode(content)) {
    const found =
      size > codeBytes ? `${name} is code of more than ${codeBytes} bytes` : codeFacts(name, content, verifyCms);
    if (typeof found === 'string') findings.unread.push(found);
    else findings.code.push(...found);
  }
  if (/\/Info\.plist$/.test(name)) addVersions(findings, name, content);
  return undefined;
}

function addVersions({ versions, unread }: Findings, from: string, content: Buffer): void {
  let information: PropertyListDictionary;
  try {
    information = parsePropertyListDictionary(content);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    unread.push(`${from} was not read: ${error.message}`);
    return;
  }
  const direct = information.get('LSMinimumSystemVersion');
  if (direct !== undefined) versions.push({ from, version: String(direct) });
  const each = information.get('LSMinimumSystemVersionByArchitecture');
  if (each instanceof Map)
    for (const [key, value] of each) versions.push({ from: `${from} (${key})`, version: String(value) });
}
