import type { VerifyCodeCms } from './verify-cms.ts';

/** How code is checked. */
export interface CodeExpectations {
  /** Checks the CMS; null skips everything that needs certificates. */
  readonly verifyCms: VerifyCodeCms | null;
  /** Held to the form in which this pipeline signs: hardened runtime, SHA-256 alone, codesign's layout, both architectures. */
  readonly ours: boolean;
  /** Whether codesign made what is `ours`: what must be in it is the same, where it lies is Apple's own choice. */
  readonly appleMade?: boolean;
  /** Whether what is not `ours` needs a timestamp all the same, as the notary demands it. */
  readonly asNotary?: boolean;
  /** Whether a signature without certificate passes, as in a development build. */
  readonly allowAdHoc: boolean;
  /** Whether Intel code without any signature passes; Apple silicon runs none. */
  readonly allowUnsigned?: boolean;
  /** Is told what is about to be checked, in bytes, and what each costs, one inflated byte being 1; what it throws fails the check. */
  readonly spend?: (bytes: number, cost: number) => void;
}

/** Whether every byte must lie where this project's own signer puts it. */
export const isExactCode = ({ ours, appleMade = false }: CodeExpectations): boolean => ours && !appleMade;

/** The files that a slice's signature covers beside its own pages. */
export interface SliceSurroundings {
  readonly infoPlist: Buffer | null;
  readonly codeResources: Buffer | null;
  /** CFBundleIdentifier, when there is an Info.plist. */
  readonly identifier: string | null;
  /** Texts of Info.plist, for requirements that ask for them. */
  readonly information: ReadonlyMap<string, string>;
}
