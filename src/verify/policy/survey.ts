import { PipelineError } from '../../base/errors.ts';
import { codeBytesOf, entriesOf, WORK } from '../../base/input/limits.ts';
import type { VerifyCodeCms } from '../../code-signature/verify/verify-cms.ts';
import type { CpioEntry } from '../../cpio/read.ts';
import { cpioEntries, type OpenPackage } from '../../package/open-package.ts';
import type { XarMember } from '../../xar/toc.ts';
import type { CodeDemands } from './code-facts.ts';
import type { AllowedMechanisms } from './mechanisms.ts';
import type { PlacedPath } from './places.ts';
import { entryBounds, type Findings, surveyEntry } from './survey-entry.ts';

/** What a policy asks about, of all payloads and scripts of a package. */
export interface Survey {
  /** Of each component's payload, in the order of the package. */
  readonly paths: readonly (readonly PlacedPath[])[];
  readonly code: readonly CodeDemands[];
  /** Versions that Info.plists ask for, by the file that asks. */
  readonly versions: readonly { readonly from: string; readonly version: string }[];
  readonly mechanisms: readonly string[];
  /** What could not be looked at: each fails the policy. */
  readonly unread: readonly string[];
  /** Files whose contents could not be looked at: each fails what is asked of contents. */
  readonly closed: readonly string[];
}

/** Reads every file of every payload and of all scripts once more, with a policy's eyes; files are held one at a time. */
export async function surveyPackage(
  { archive, components }: OpenPackage,
  allowed: AllowedMechanisms,
  verifyCms: VerifyCodeCms,
): Promise<Survey> {
  const findings: Findings = { code: [], versions: [], mechanisms: [], unread: [], closed: [] };
  const surveyed: PlacedPath[][] = [];
  const spend = (bytes: number) => archive.budget?.spend(bytes, WORK.search);
  const eyes = { findings, allowed, verifyCms, spend, codeBytes: codeBytesOf(archive.access.size) };
  // The same bounds as when the package was checked, whose refusal does not end the work of a policy.
  const take = entryBounds(entriesOf(archive.access.size));
  const survey = async (
    member: XarMember,
    ofScripts: boolean,
    seen: (entry: CpioEntry, target: string | undefined) => void,
  ) => {
    try {
      for await (const entry of cpioEntries(archive, member)) {
        const target = await surveyEntry(entry, `${member.path}: ${entry.path}`, { ...eyes, ofScripts });
        seen(entry, target);
        take(entry.path, target);
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
    surveyed.push(paths);
  }
  return { paths: surveyed, ...findings };
}
