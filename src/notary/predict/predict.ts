import { FormatError, PipelineError } from '../../base/errors.ts';
import type { RandomAccess } from '../../base/random-access.ts';
import type { BundleEntry } from '../../code-signature/bundle-entry.ts';
import { isCode } from '../../macho/first-bytes.ts';
import { cpioEntries, type OpenComponent, openPackage } from '../../package/open-package.ts';
import type { XarArchive } from '../../xar/read.ts';
import type { XarMember } from '../../xar/toc.ts';
import type { NotaryIssue } from '../log.ts';
import { checkBundle, checkFile } from './check-code.ts';
import { checkPackageSignature } from './check-package.ts';
import { issue, MESSAGES } from './messages.ts';
import type { PredictOptions } from './options.ts';

/** What the notary would make of a package. */
export interface Prediction {
  /** What it would refuse; empty when it should accept. */
  readonly issues: readonly NotaryIssue[];
  /** Digests that tickets would be made for, the package's own first. */
  readonly code: readonly { readonly path: string; readonly cdhash: string; readonly architecture: string }[];
}

/** All files of a package are looked at together; nothing this small tool is for comes near. */
const SIZE_LIMIT = 512 * 1024 * 1024;

/**
 * Returns what Apple's notary surely refuses in a flat package, in the words and with the paths of its own log.
 *
 * Unsigned and ad-hoc code, wrong certificates, missing timestamps, executables without hardened runtime or with get-task-allow, SDKs
 * before 10.9, broken seals, an outer signature that is not Developer ID Installer's. What only Apple can know (malware, a team that is
 * not set up) is not predicted.
 *
 * @throws FormatError when the file is not a flat package
 * @example (await predictNotary(access, { archiveName: 'Example.pkg', trust: appleTrust(), now })).issues[0]?.message
 */
export async function predictNotary(access: RandomAccess, options: PredictOptions): Promise<Prediction> {
  const { archive, components } = await openPackage(access);
  const issues = await checkPackageSignature(archive, options);
  const code: Prediction['code'][number][] = [];
  for (const component of components) {
    for (const kind of ['payload', 'scripts'] as const) {
      const member = component[kind];
      if (!member) continue;
      const place = placeOf(component, kind, options.archiveName);
      const entries = await readEntries(archive, member, place, issues);
      const checked = checkEntries(entries, place, options);
      issues.push(...checked.issues);
      code.push(...checked.code);
    }
  }
  return { issues, code };
}

/** The notary names the component and then ` Contents`. Source: logs in electron/notarize#60, sparkle#1550, temurin-build#3500. */
function placeOf(component: OpenComponent, kind: 'payload' | 'scripts', archiveName: string): string {
  const folder = component.folder === '' ? archiveName : `${archiveName}/${component.folder}`;
  if (kind === 'scripts') return `${folder} Contents/Scripts`;
  const location = component.info.installLocation?.replace(/^\/+|\/+$/g, '') ?? '';
  return `${folder} Contents/Payload${location === '' ? '' : `/${location}`}`;
}

async function readEntries(
  archive: XarArchive,
  member: XarMember,
  place: string,
  issues: NotaryIssue[],
): Promise<BundleEntry[]> {
  const entries: BundleEntry[] = [];
  let size = 0;
  try {
    for await (const entry of cpioEntries(archive, member)) {
      if (entry.kind === 'directory') continue;
      const parts: Buffer[] = [];
      for await (const part of entry.data) {
        size += part.length;
        if (size > SIZE_LIMIT) throw tooLarge(member.path);
        parts.push(Buffer.from(part));
      }
      const data = Buffer.concat(parts);
      const common = { path: entry.path.replace(/^\.\//, ''), mode: entry.mode };
      entries.push(entry.kind === 'file' ? { ...common, data } : { ...common, symlink: data.toString() });
    }
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    const archiveName = place.split('/')[0] as string;
    issues.push(issue(archiveName, MESSAGES.notExtracted(`${archiveName}/${member.path}`), null));
    return [];
  }
  return entries;
}

function tooLarge(path: string): FormatError {
  return new FormatError('SIZE_LIMIT', path, SIZE_LIMIT, `expected at most ${SIZE_LIMIT} bytes unpacked, found more`);
}

function checkEntries(entries: readonly BundleEntry[], place: string, options: PredictOptions): Prediction {
  const issues: NotaryIssue[] = [];
  const code: Prediction['code'][number][] = [];
  const bundles = entries.flatMap(({ path }) => {
    const match = /^(?:(.*)\/)?Contents\/Info\.plist$/.exec(path);
    return match ? [match[1] ?? ''] : [];
  });
  const seen = new Set<string>();
  for (const bundle of bundles) {
    const checked = checkBundle(below(entries, bundle), bundle === '' ? place : `${place}/${bundle}`, options);
    if (checked.executable === null) continue;
    seen.add(bundle === '' ? checked.executable : `${bundle}/${checked.executable}`);
    issues.push(...checked.issues);
    code.push(...checked.code);
  }
  for (const entry of entries) {
    if (!('data' in entry) || seen.has(entry.path) || !isCode(entry.data)) continue;
    const checked = checkFile(entry.data, `${place}/${entry.path}`, options);
    issues.push(...checked.issues);
    code.push(...checked.code);
  }
  return { issues, code };
}

function below(entries: readonly BundleEntry[], folder: string): BundleEntry[] {
  const prefix = folder === '' ? '' : `${folder}/`;
  return entries
    .filter(({ path }) => path.startsWith(prefix))
    .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
}
