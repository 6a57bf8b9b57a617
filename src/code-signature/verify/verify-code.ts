import type { Check } from '../../base/check.ts';
import { isCode } from '../../macho/first-bytes.ts';
import { type BundleEntry, fileAt } from '../bundle-entry.ts';
import type { CodeExpectations } from './code-expectations.ts';
import { CodeVerifier } from './code-verifier.ts';
import { indexBundle } from './file-index.ts';
import { checkProgram } from './verify-program.ts';
import type { SliceFacts } from './verify-slice.ts';

/** All checks of a piece of code, and what its signatures say. */
export interface CodeReport {
  /** Whether no check failed. */
  readonly valid: boolean;
  readonly checks: readonly Check[];
  /** Of the main executable, in the order of the file. */
  readonly slices: readonly SliceFacts[];
}

/**
 * Returns whether a bundle is what its signer sealed: every slice of its executable, its Info.plist, every resource, and all other code
 * inside of it.
 *
 * @param entries all files of the bundle, paths relative to it
 * @param expectations whom to trust and how strict to be
 * @param name of the bundle in the checks' subjects
 * @returns every check, passed or not; what a file holds never makes it throw
 * @see codesign(1), `--verify --deep --strict --all-architectures`
 * @example verifyBundle(entries, { verifyCms: codeCmsVerifier(appleTrust(), new Date()), ours: true, allowAdHoc: false }).valid
 */
export function verifyBundle(
  entries: readonly BundleEntry[],
  expectations: CodeExpectations,
  name = 'bundle',
): CodeReport {
  const index = indexBundle(entries, isCode);
  const verifier = new CodeVerifier(index, expectations, { isBundle: true, name });
  for (const path of verifier.files) verifier.see(path, fileAt(entries, path) as Buffer);
  const { checks, mainSlices } = verifier.finish();
  return report(checks, mainSlices);
}

/**
 * Returns whether the signature of a program that belongs to no bundle is right; its Info.plist may lie in a section of it.
 *
 * @param data thin or universal Mach-O file
 * @param name of the file in the checks' subjects
 */
export function verifyProgram(data: Buffer, expectations: CodeExpectations, name = 'program'): CodeReport {
  const { checks, slices } = checkProgram(data, name, null, expectations);
  return report(checks, slices);
}

function report(checks: readonly Check[], slices: readonly SliceFacts[]): CodeReport {
  return { valid: checks.every(({ status }) => status !== 'fail'), checks, slices };
}
