import type { CheckList } from '../base/check.ts';
import { FormatError } from '../base/errors.ts';
import { beyond, codeBytesOf, nestedPackageBytesOf, signaturesOf } from '../base/input/limits.ts';
import type { CodeExpectations } from '../code-signature/verify/code-expectations.ts';
import { CodeVerifier } from '../code-signature/verify/code-verifier.ts';
import { codeCmsVerifier } from '../code-signature/verify/verify-cms.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import type { CpioEntry } from '../cpio/read.ts';
import { isExact, type PackageExpectations } from './expectations.ts';
import { type PayloadPath, relativePath, type Tree } from './tree.ts';

/** An archive of a component that was read once and can be read again. */
export interface ReadTree {
  /** `payload` or `Scripts archive`. */
  readonly name: string;
  readonly tree: Tree;
  /** Whether a script brings it: what Gatekeeper never sees need be signed by nobody. */
  readonly fromScripts: boolean;
  /** Bytes of the package it lies in. */
  readonly packageSize: number;
  /** Is shown what checking costs; see `CodeExpectations`. */
  readonly spend: (bytes: number, cost: number) => void;
  /** Reads it once more. */
  again(): AsyncIterable<CpioEntry>;
}

/** Checks a package that is a file of an archive; `path` is its place there. */
export type CheckInnerPackage = (path: string, data: Buffer) => Promise<void>;

/**
 * Checks every piece of code of a payload or Scripts archive: bundles as codesign does, and programs that lie in none. Reads the
 * archive once more where there is any, and holds one file of it at a time.
 *
 * @param checkInnerPackage checks packages among the files
 */
export async function checkCode(
  list: CheckList,
  read: ReadTree,
  expectations: PackageExpectations,
  checkInnerPackage: CheckInnerPackage,
): Promise<readonly SliceFacts[]> {
  const { tree, name } = read;
  const files = tree.paths.filter(({ kind }) => kind === 'file');
  const verifier = new CodeVerifier(tree.index(), codeExpectations(expectations, read), {
    signedByAttributes: tree.signedByAttributes,
  });
  const code = new Set(verifier.files);
  const packages = new Set(files.filter(({ file }) => file?.isPackage).map(({ path }) => relativePath(path)));
  noteClosed(list, files);
  await readAgain(list, read, verifier, { code, packages, checkInnerPackage });
  const { checks, slices } = verifier.finish();
  list.add(checks);
  if (code.size === 0) list.skip('code-signatures', `no Mach-O file among the ${files.length} files of the ${name}`);
  checkTeam(list, slices, expectations);
  return slices;
}

/**
 * Programs that a payload lays down must be signed by somebody: Gatekeeper refuses them otherwise, and the notary the package. Those
 * among the scripts, and in packages there, are run and installed by a script, which Gatekeeper does not look at.
 */
function codeExpectations(expectations: PackageExpectations, { fromScripts, spend }: ReadTree): CodeExpectations {
  const { trust, now, ours } = expectations;
  const appleMade = ours !== null && !isExact(expectations);
  const allowUnsigned = ours === null && fromScripts;
  const allowAdHoc = (expectations.allowUnsigned ?? false) || allowUnsigned;
  return { verifyCms: codeCmsVerifier(trust, now), ours: ours !== null, appleMade, allowAdHoc, allowUnsigned, spend };
}

/** Says what may hold code and is not looked into, so that nobody takes a pass for more than it is. */
function noteClosed(list: CheckList, files: readonly PayloadPath[]): void {
  const closed = files.flatMap(({ path, file }) => (file?.closed === undefined ? [] : [`${path} (${file.closed})`]));
  if (closed.length === 0) return;
  const shown = closed.slice(0, 3);
  const more = closed.length > shown.length ? ` and ${closed.length - shown.length} more` : '';
  list.skip('code-in-archives', `not looked into: ${shown.join(', ')}${more}`);
}

interface Wanted {
  readonly code: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
  readonly checkInnerPackage: CheckInnerPackage;
}

/** Reads the archive again and checks the wanted files, each whole; what is too large for memory is refused by name. */
async function readAgain(
  list: CheckList,
  { again, packageSize }: ReadTree,
  verifier: CodeVerifier,
  { code, packages, checkInnerPackage }: Wanted,
): Promise<void> {
  if (code.size + packages.size === 0) return;
  const [most, limits] = [
    signaturesOf(packageSize),
    { code: codeBytesOf(packageSize), package: nestedPackageBytesOf(packageSize) },
  ];
  let left = most;
  try {
    for await (const { path: name, kind, header, data } of again()) {
      const path = relativePath(name);
      const what = code.has(path) ? 'code' : packages.has(path) ? 'package' : undefined;
      if (kind !== 'file' || what === undefined) continue;
      if (left <= 0) throw beyond('flat package', 'slices of code and packages inside it', most);
      if (header.fileSize > limits[what]) {
        verifier.refuse(path, beyond(path, `bytes of a ${what} file`, limits[what]).message);
        continue;
      }
      const content = await collect(data, header.fileSize);
      if (what === 'code') left -= Math.max(1, verifier.see(path, content));
      else {
        left--;
        await checkInnerPackage(path, content);
      }
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    list.fail('code-signatures', error.message);
  }
}

async function collect(chunks: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  const data = Buffer.allocUnsafe(size);
  let at = 0;
  for await (const chunk of chunks) at += chunk.copy(data, at);
  return data;
}

function checkTeam(list: CheckList, slices: readonly SliceFacts[], { ours }: PackageExpectations): void {
  if (!ours || ours.teamIdentifier === null || slices.length === 0) return;
  const others = slices.filter(({ teamIdentifier }) => teamIdentifier !== ours.teamIdentifier);
  list.check(
    'code-our-team',
    others.map(
      ({ architecture, teamIdentifier }) =>
        `${architecture} is signed by team ${teamIdentifier}, expected ${ours.teamIdentifier}`,
    ),
  );
}
