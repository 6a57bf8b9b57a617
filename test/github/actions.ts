import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { placeCommandLine } from '../support/cli.ts';
import { sha256 } from '../support/file-digest.ts';

/**
 * Does what actions/checkout does, and puts this tree's modules and command line in place so that no job makes them anew.
 *
 * @param whole with `fetch-depth: 0`; without it nothing before the commit is known
 */
export function checkOut(origin: string, workspace: string, commit: string, whole: boolean): void {
  cpSync(join(origin, '.git'), join(workspace, '.git'), { recursive: true });
  execFileSync('git', ['checkout', '--quiet', '--force', '--detach', commit], { cwd: workspace, stdio: 'ignore' });
  if (!whole) writeFileSync(join(workspace, '.git/shallow'), `${commit}\n`);
  const modules = join(workspace, 'node_modules');
  if (!existsSync(modules)) symlinkSync(resolve('node_modules'), modules);
  // As folders both are ignored; links, which the service does not make, must not look like a change of the commit.
  appendFileSync(join(workspace, '.git/info/exclude'), '/node_modules\n/.rehearsal\n');
  // The command line of this very tree, newer than the sources beside it.
  placeCommandLine(workspace);
}

/** What actions/attest made: whose digests, with which SBOM, and its bundle, one line of JSON in a folder of its own. */
export interface Attested {
  readonly digests: readonly string[];
  readonly sbom: object | undefined;
  readonly bundle: string;
}

/** Does what actions/attest does with `subject-path`, and with `sbom-path` when it is given. */
export function attest(workspace: string, inputs: Readonly<Record<string, string>>, temporary: string): Attested {
  const digests = subjects(join(workspace, inputs['subject-path'] ?? '')).map(sha256);
  if (digests.length === 0) throw new Error(`nothing to attest in ${inputs['subject-path']}`);
  const path = inputs['sbom-path'];
  const sbom = path === undefined ? undefined : readSbom(join(workspace, path));
  const bundle = join(mkdtempSync(join(temporary, 'attest-')), 'attestation.json');
  writeFileSync(bundle, `${JSON.stringify({ subjects: digests, ...(sbom && { predicate: sbom }) })}\n`);
  return { digests, sbom, bundle };
}

/** Files that a path names: itself, or with `/*` at its end everything in the folder that is a file. */
function subjects(path: string): string[] {
  if (basename(path) !== '*') return [path];
  const entries = readdirSync(dirname(path), { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => join(dirname(path), name));
}

/** What actions/attest asks of an SBOM. Source: its src/sbom.ts, v4.2.2. */
function readSbom(path: string): object {
  const sbom = JSON.parse(readFileSync(path, 'utf8'));
  if (!(sbom.bomFormat && sbom.serialNumber && sbom.specVersion)) throw new Error('Unsupported SBOM format.');
  return sbom;
}

/** Removes a folder, also when a killed program left it unreadable. */
export function discard(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
