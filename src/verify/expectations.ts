import type { Check } from '../base/check.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import type { BundleRecord } from '../package/package-info.ts';
import type { Trust } from '../pki/x509/apple-roots.ts';
import type { Ability, AbilityName } from './abilities.ts';

/** How a package is checked. */
export interface PackageExpectations {
  /** Whose signatures are believed. */
  readonly trust: Trust;
  /** Checks certificates where there is no trusted timestamp. */
  readonly now: Date;
  /** The form in which this pipeline makes packages, to which its own are held; null for packages of others. */
  readonly ours: OurForm | null;
  /** Demands beyond those of macOS. */
  readonly policy?: Policy | undefined;
  /** Whether code without a certificate passes and the package may be unsigned, as in a development build. */
  readonly allowUnsigned?: boolean;
}

/**
 * Returns whether every byte must lie where this project's own writers put it. Apple's tools put the same things in other ways, and
 * differently with each release of theirs.
 */
export function isExact({ ours }: Pick<PackageExpectations, 'ours'>): boolean {
  return ours?.madeBy === 'portable';
}

/** What is known beforehand of a package of this pipeline. */
export interface OurForm {
  /** Whose tools built and signed it. */
  readonly madeBy: 'portable' | 'apple';
  /** Null: any. */
  readonly teamIdentifier: string | null;
  /** Of product and component. */
  readonly identifier: string;
  /** Null: any, as long as product, component and bundle agree. */
  readonly version: string | null;
  /** What Installer shows. */
  readonly title: string;
  /** Returns what PackageInfo says of the bundles in it, in a given version. */
  readonly bundles: (version: string) => readonly (BundleRecord & { readonly id: string })[];
  /** Returns whether a release can have this version. */
  readonly isVersion: (version: string) => boolean;
  readonly installLocation: string;
  /** Oldest macOS that Installer accepts. */
  readonly minimumSystemVersion: string;
  /** Names of all files of the Scripts archive. */
  readonly scripts: readonly string[];
  /** Every path of the payload, from its root, with its permission bits: `{ '.': 0o755, 'A.bundle': 0o755 }`. */
  readonly payload: ReadonlyMap<string, number>;
  /** Owner and group of everything. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/** Demands on a package beyond those of macOS; what is left out is not asked for. */
export interface Policy {
  /** Team that must have signed the package and all its code. */
  readonly team?: string | undefined;
  /** macOS on which it must still run, such as `10.14.4`. */
  readonly minimumMacOS?: string | undefined;
  /** Folders and files it may lay down, as absolute paths; what lies below a folder is allowed too. */
  readonly allowedPaths?: readonly string[] | undefined;
  /** Entries of authorization rights that its scripts and files may name, such as `Example:Invoke,privileged`. */
  readonly allowedMechanisms?: readonly string[] | undefined;
  /** What the package must not be able to do; see ABILITIES. */
  readonly forbid?: readonly AbilityName[] | undefined;
}

/** A package, checked. */
export interface PackageReport {
  readonly checks: readonly Check[];
  /** Whether no check failed. */
  readonly valid: boolean;
  /** What each component lays down, as it says. */
  readonly installs: readonly {
    readonly identifier: string;
    readonly version: string;
    readonly installLocation: string;
    readonly numberOfFiles: number;
  }[];
  /** What it may do beyond laying down files. */
  readonly abilities: readonly Ability[];
  readonly facts: PackageFacts;
}

/** What a verified package says of itself; null where it says nothing or cannot be read. */
export interface PackageFacts {
  readonly identifier: string | null;
  readonly version: string | null;
  /** Hex. */
  readonly tocDigest: string | null;
  /** Name of the certificate that signed. */
  readonly signer: string | null;
  readonly teamIdentifier: string | null;
  /** From the timestamp authority. */
  readonly timestamp: Date | null;
  readonly ticketIssuedAt: Date | null;
  readonly slices: readonly SliceFacts[];
}
