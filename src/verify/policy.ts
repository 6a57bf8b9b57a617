import type { CheckList } from '../base/check.ts';
import { compareVersions, isVersion } from '../base/version.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import { versionText } from '../macho/layout.ts';
import type { OpenPackage } from '../package/open-package.ts';
import type { Policy } from './expectations.ts';
import type { ScriptText } from './scripts.ts';
import type { PayloadPath } from './tree.ts';

/** What a policy is held against. */
export interface PolicySubject {
  readonly opened: OpenPackage;
  readonly teamIdentifier: string | null;
  readonly slices: readonly SliceFacts[];
  /** Entries of each component's payload, and the files of its scripts. */
  readonly components: readonly {
    readonly installLocation: string;
    readonly paths: readonly PayloadPath[] | undefined;
    readonly scripts: readonly ScriptText[];
  }[];
}

/** First macOS for Apple silicon: an arm64 slice can ask for no less. */
const FIRST_ARM64 = '11.0';

/** Judges a package by a policy; each demand is a check of its own. */
export function judgePolicy(list: CheckList, policy: Policy, subject: PolicySubject): void {
  if (policy.team !== undefined) list.judge('policy-team', teamProblems(policy.team, subject));
  if (policy.minimumMacOS !== undefined)
    list.judge('policy-minimum-macos', versionProblems(policy.minimumMacOS, subject));
  if (policy.allowedPaths !== undefined) list.judge('policy-paths', pathProblems(policy.allowedPaths, subject));
  if (policy.allowedMechanisms !== undefined) {
    list.judge('policy-mechanisms', mechanismProblems(policy.allowedMechanisms, subject));
  }
}

function teamProblems(team: string, { teamIdentifier, slices }: PolicySubject): (string | false)[] {
  return [
    teamIdentifier !== team && `the package is signed by team ${teamIdentifier ?? 'none'}, expected ${team}`,
    ...slices.map(
      (slice) =>
        slice.teamIdentifier !== team &&
        `code (${slice.architecture}) is signed by team ${slice.teamIdentifier ?? 'none'}`,
    ),
  ];
}

function versionProblems(wanted: string, { opened, slices }: PolicySubject): (string | false)[] {
  const demanded = opened.distribution?.minimumSystemVersions ?? [];
  return [
    ...demanded.map(
      (version) => laterThan(wanted, version) && `Installer asks for macOS ${version}, expected ${wanted} at most`,
    ),
    ...slices.map(({ architecture, minimumOs }) => {
      const version = minimumOs === null ? '0' : versionText(minimumOs);
      const limit = architecture.startsWith('arm64') && compareVersions(wanted, FIRST_ARM64) < 0 ? FIRST_ARM64 : wanted;
      return (
        laterThan(limit, version) && `the ${architecture} code asks for macOS ${version}, expected ${limit} at most`
      );
    }),
  ];
}

/** A version that cannot be compared is a problem too: whether it is below cannot be known. */
function laterThan(limit: string, version: string): boolean {
  return !isVersion(version) || compareVersions(version, limit) > 0;
}

function pathProblems(allowed: readonly string[], { components }: PolicySubject): (string | false)[] {
  return components.flatMap(({ installLocation, paths }) => {
    if (!paths) return [];
    const root = installLocation.replace(/\/+$/, '');
    return paths.map(({ path, kind }) => {
      const absolute = path === '.' ? root || '/' : `${root}/${path.slice(2)}`;
      const below = allowed.some(
        (prefix) => absolute === prefix || absolute.startsWith(`${prefix.replace(/\/+$/, '')}/`),
      );
      // A folder on the way to an allowed path has to be in the payload.
      const above =
        kind === 'directory' && allowed.some((prefix) => absolute === '/' || prefix.startsWith(`${absolute}/`));
      return !below && !above && `${absolute} is not allowed`;
    });
  });
}

/** A quoted word that reads `Plug-in:mechanism` or `Plug-in:mechanism,privileged`. */
const MECHANISM = /(['"])([^'":,/$\n]+:[^'":,/$\s]+(?:,privileged)?)\1/g;

function mechanismProblems(allowed: readonly string[], { components }: PolicySubject): (string | false)[] {
  const plugIns = new Set(
    components.flatMap(({ paths }) => paths?.flatMap(({ path }) => /([^/]+)\.bundle$/.exec(path)?.[1] ?? []) ?? []),
  );
  return components.flatMap(({ scripts }) =>
    scripts.flatMap(({ path, text }) =>
      [...text.matchAll(MECHANISM)]
        .map((match) => match[2] as string)
        .filter((word) => word.endsWith(',privileged') || plugIns.has(word.split(':')[0] as string))
        .map((word) => !allowed.includes(word) && `${path} names the mechanism ${word}`),
    ),
  );
}
