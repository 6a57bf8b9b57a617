import type { WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** What `pkgutil --check-signature` says of a package. */
export interface PackageSignature {
  /** What stands behind `Status:`. */
  readonly status: string;
  /** Whether they mean a Developer ID that macOS trusts. */
  readonly trusted: boolean;
  /** Whether a ticket or the notary service vouches for it. */
  readonly notarized: boolean;
  /** As printed, such as `2025-03-01 12:00:00 +0000`; null without a trusted timestamp. */
  readonly timestamp: string | null;
  /** Common names, leaf first. */
  readonly chain: readonly string[];
}

/** Printed for Developer ID Installer; other certificates have other words, such as those of the Mac App Store. */
const TRUSTED_STATUS = 'signed by a developer certificate issued by Apple for distribution';

/** Returns what pkgutil says of a package's signature; an unsigned or damaged package is an answer too. */
export async function checkSignature(path: string, options: WorkOptions): Promise<PackageSignature> {
  const { stdout } = await runAppleTool('pkgutil', ['--check-signature', path], { ...options, allowedExitCodes: [1] });
  return parseSignature(stdout);
}

/**
 * Returns the facts in the output of `pkgutil --check-signature`. Without a status nothing is trusted.
 *
 * @example parseSignature('Package "a.pkg":\n   Status: no signature\n').trusted // false
 */
export function parseSignature(stdout: string): PackageSignature {
  const field = (name: string) => new RegExp(`^\\s*${name}:? (.+?)\\s*$`, 'm').exec(stdout)?.[1];
  const status = field('Status') ?? 'unknown';
  return {
    status,
    trusted: status === TRUSTED_STATUS,
    notarized: field('Notarization') === 'trusted by the Apple notary service',
    timestamp: field('Signed with a trusted timestamp on') ?? null,
    chain: [...stdout.matchAll(/^\s+\d+\. (.+?)\s*$/gm)].map(([, name]) => name as string),
  };
}
