import type { ExtraPackage } from '../plan/plan.ts';
import type { KitFacts, PackageFileFacts } from './facts.ts';
import type { KitScripts } from './scripts.ts';

/** What the files of a system are made from. */
export interface KitInput {
  readonly facts: KitFacts;
  /** Address from which Macs and servers fetch the package. */
  readonly url: string;
  readonly scripts: KitScripts;
  /** The guard in a zip, for a declaration that installs it. */
  readonly guardZip: Buffer;
  /** The packages inside the kit, by what they do. */
  readonly extras: Readonly<Record<ExtraPackage, PackageFileFacts>>;
}

/** A device-management system, or another program that admins deploy with. One file in systems/ each. */
export interface KitSystem {
  /** As its maker writes it. */
  readonly name: string;
  /** Its folder in the kit. */
  readonly folder: string;
  /** What an admin does, in order; Markdown. */
  steps(input: KitInput): KitSteps;
  /** Returns its files, by their path below its folder. */
  files(input: KitInput): Readonly<Record<string, string | Buffer>>;
  /** The ways in which it installs packages, and the rules that each has. */
  readonly paths: readonly InstallPath[];
}

/** The steps of every system. */
export interface KitSteps {
  /** The profile that makes macOS send a new key to the MDM. */
  readonly escrow: string;
  readonly package: string;
  readonly request: string;
  readonly check: string;
  /** How to remove the product without locking anybody out. */
  readonly remove: string;
}

/** One way in which a system installs packages. */
export interface InstallPath {
  readonly name: string;
  readonly rules: readonly InstallRule[];
}

/** A rule of a system. */
export interface InstallRule {
  /** A sentence that is true of a package that meets it. */
  readonly rule: string;
  /** Where that is written. */
  readonly source: string;
  /** Returns what is wrong, or undefined. */
  problem(input: KitInput): string | undefined;
}

/** The package is signed by a Developer ID, as every MDM's own installation wants it. */
export const SIGNED: InstallRule = {
  rule: 'The package is signed with a Developer ID Installer certificate.',
  source: 'Apple, Installing packages, 2026',
  problem: ({ facts: { signing } }) =>
    signing?.signer.startsWith('Developer ID Installer: ') ? undefined : 'it is not signed by a Developer ID',
};

/** The address begins with https, and is a real one. */
export const HTTPS: InstallRule = {
  rule: 'The package is at an https address.',
  source: 'apple/device-management, other/manifesturl.yaml',
  problem: ({ url }) =>
    isPlaceholder(url)
      ? `${url} is a placeholder: give --url`
      : url.startsWith('https://')
        ? undefined
        : `${url} does not begin with https://`,
};

/** What stands for an address that nobody has given. */
export const PLACEHOLDER_URL = 'https://example.invalid/';

/** Whether an address is still to be given. */
export const isPlaceholder = (url: string): boolean => url.startsWith(PLACEHOLDER_URL);
