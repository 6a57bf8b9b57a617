import type { KitFacts } from './facts.ts';
import type { KitScripts } from './scripts.ts';
import type { KitFile } from './zip.ts';

/** What the files of a system are made from. */
export interface KitInput {
  readonly facts: KitFacts;
  /** Address from which Macs and servers fetch the package. */
  readonly url: string;
  readonly scripts: KitScripts;
}

/** A device-management system, or another program that admins deploy with. One file in systems/ each. */
export interface KitSystem {
  /** As its maker writes it. */
  readonly name: string;
  /** Folder in the kit. */
  readonly folder: string;
  /** What an admin does, in order; null where the system has no part in that step. */
  readonly steps: KitSteps;
  /** Returns its files, with paths below its folder. */
  files(input: KitInput): readonly KitFile[];
  /** What a package must meet to be installed in each of the ways that this system has. */
  readonly paths: readonly InstallPath[];
}

/** The five steps of every system, in plain words; Markdown. */
export interface KitSteps {
  readonly escrow: string;
  readonly package: string;
  readonly request: string | null;
  readonly check: string;
  readonly remove: string;
}

/** One way in which a system installs packages, and the rules that it has. */
export interface InstallPath {
  readonly name: string;
  readonly rules: readonly InstallRule[];
}

/** A rule of a system. */
export interface InstallRule {
  /** As a sentence that the package meets: `The package is signed.` */
  readonly rule: string;
  /** Where that is written. */
  readonly source: string;
  /** Returns what is wrong, or undefined. */
  problem(input: KitInput): string | undefined;
}
