import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PipelineError, UsageError } from '../../src/base/errors.ts';
import { shownPath } from '../../src/base/place/shown.ts';
import { withFile } from '../../src/base/with-file.ts';
import { REHEARSAL_TEAM } from '../../src/rehearsal/authority.ts';
import { readXar } from '../../src/xar/read.ts';
import { signatureParts } from '../report/inspect-signature.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { outputName, type Plan, REHEARSAL_SUFFIX } from './plan.ts';

/** The run that is about to begin. */
export interface NewRun {
  readonly mode: Manifest['mode'];
  /** Whether the person said that earlier work may go. */
  readonly replace: boolean;
  /** Returns the command of this run with other options, for the next step. */
  readonly commandWith: (...options: string[]) => string;
}

/** After these the notary does nothing more, and the package must be made anew. */
const REFUSED: ReadonlySet<string> = new Set(['Invalid', 'Rejected']);

/**
 * Makes sure that a new run takes the place of nothing that somebody may want to keep, and returns what it does replace, in words;
 * undefined where nothing is there.
 *
 * A finished release, a package that the notary has, and files that nothing tells of are replaced only when that is asked for; a
 * release never by something that no Mac trusts; a signed package by an unsigned one only when that is asked for.
 *
 * @throws UsageError `OUT_HOLDS_RELEASE`, `OUT_HOLDS_SUBMISSION`, `OUT_HOLDS_SIGNED`, `OUT_HOLDS_FILES` with the commands to choose from
 */
export async function demandRoom(plan: Plan, run: NewRun): Promise<string | undefined> {
  const { outFolder } = plan;
  const there = await manifestOf(outFolder);
  const standing = there === null || there === 'unreadable' ? null : there;
  if (standing?.mode !== 'release') await refuseForeignRelease(plan, run);
  if (there === 'unreadable') {
    refuse(run, 'OUT_HOLDS_FILES', `${shownPath(outFolder)} has a release.json that cannot be read`);
    return 'files that no readable release.json tells of';
  }
  if (!there) return foreignPackage(plan, run);
  const what = describe(there);
  const holds = `${shownPath(outFolder)} holds ${what}`;
  if (there.mode === 'release' && run.mode !== 'release') {
    throw new UsageError('OUT_HOLDS_RELEASE', `${holds}; ${WORDS[run.mode]} never takes its place`, {
      hint: `Name another folder: ${run.commandWith('--out', 'FOLDER')}`,
    });
  }
  const isSigned = there.package?.signer !== undefined && there.package.signer !== null;
  if (run.mode === 'build' && isSigned) refuse(run, 'OUT_HOLDS_SIGNED', holds);
  if (isFinished(there)) {
    if (there.mode === 'release') refuse(run, 'OUT_HOLDS_RELEASE', holds);
  } else if (pending(there)) {
    refuse(run, 'OUT_HOLDS_SUBMISSION', `${holds}: another run would submit a second time`);
  }
  return `${what} in ${shownPath(outFolder)}`;
}

const WORDS: Readonly<Record<Manifest['mode'], string>> = {
  release: 'a release',
  rehearsal: 'a rehearsal',
  build: 'an unsigned build',
};

/** Throws unless the person said that earlier work may go. */
function refuse({ mode, replace, commandWith }: NewRun, code: string, message: string): void {
  if (replace) return;
  const anew = `To begin anew in its place: ${commandWith('--replace')}`;
  const resume = mode === 'build' ? '' : `\n      To keep it and run what is left: ${commandWith('--resume')}`;
  throw new UsageError(code, message, { hint: `${anew}${resume}` });
}

async function manifestOf(folder: string): Promise<Manifest | 'unreadable' | null> {
  try {
    return await readManifest(folder);
  } catch (error) {
    if (error instanceof PipelineError) return 'unreadable';
    // Whether results can be written there at all is another question.
    if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return null;
    throw error;
  }
}

/** The packages of this version that lie there: a run removes the one of the other name, so a rehearsal's is never beside a release's. */
function packagesIn(plan: Plan): string[] {
  const { nameSuffix: _, ...plain } = plan;
  const forms: readonly Plan[] = [plain, { ...plain, nameSuffix: REHEARSAL_SUFFIX }];
  return forms.map((form) => join(plan.outFolder, outputName(form, 'package'))).filter(existsSync);
}

/** What a Mac would trust gives way to nothing that no Mac trusts, whatever lies beside it and whatever was asked. */
async function refuseForeignRelease(plan: Plan, { mode, commandWith }: NewRun): Promise<void> {
  if (mode === 'release') return;
  for (const path of packagesIn(plan)) {
    const signer = await signerOf(path);
    if (signer === undefined || signer.includes(REHEARSAL_TEAM)) continue;
    throw new UsageError('OUT_HOLDS_RELEASE', `${shownPath(path)} is signed; ${WORDS[mode]} never takes its place`, {
      hint: `Name another folder: ${commandWith('--out', 'FOLDER')}`,
    });
  }
}

/** Whose signature a package says it bears; undefined where it has none, or is not a package. */
async function signerOf(path: string): Promise<string | undefined> {
  try {
    return await withFile(path, async (access) => {
      const [signature] = await signatureParts(await readXar(access));
      return signature && (signature.certificates[0] ?? 'somebody');
    });
  } catch {
    return undefined;
  }
}

/** A package that was put there by hand, perhaps the published one. */
function foreignPackage(plan: Plan, run: NewRun): string | undefined {
  const [path] = packagesIn(plan);
  if (path === undefined) return undefined;
  const what = `${shownPath(path)} is there, and no release.json says what it is`;
  if (!run.replace) {
    throw new UsageError('OUT_HOLDS_FILES', what, {
      hint: `Move it away, name another folder with --out, or replace it: ${run.commandWith('--replace')}`,
    });
  }
  return shownPath(path);
}

/** What stands there, such as `the finished rehearsal 1.1.0`. */
function describe(manifest: Manifest): string {
  const id = pending(manifest);
  const last = manifest.stages.filter(({ outcome }) => outcome === 'done').at(-1)?.name;
  const state = isFinished(manifest) ? 'finished' : 'unfinished';
  const until = isFinished(manifest) ? '' : ` (${last ? `done up to ${last}` : 'no stage done'})`;
  const submitted = id && !isFinished(manifest) ? `, which the notary has as submission ${id}` : '';
  const kind = manifest.mode === 'build' ? 'unsigned build' : manifest.mode;
  return `the ${state} ${kind} ${manifest.version}${until}${submitted}`;
}

function isFinished({ mode, stages }: Manifest): boolean {
  const last = mode === 'build' ? 'build-package' : 'publish';
  return stages.some(({ name, outcome }) => name === last && outcome === 'done');
}

/** The submission that may still come to a good end; undefined where there is none. */
function pending({ submission, extras = [] }: Manifest): string | undefined {
  const all = [submission, ...extras.map((extra) => extra.submission)];
  return all.find((one) => one !== null && !REFUSED.has(one.status))?.id;
}
