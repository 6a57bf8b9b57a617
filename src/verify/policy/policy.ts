import type { CheckList } from '../../base/check.ts';
import { codeCmsVerifier } from '../../code-signature/verify/verify-cms.ts';
import type { OpenPackage } from '../../package/open-package.ts';
import { ABILITIES, type Ability } from '../abilities.ts';
import type { PackageExpectations, Policy } from '../expectations.ts';
import { allowedMechanisms } from './mechanisms.ts';
import { absolutePath, installPlaces, linksBeyond, type PlacedPath, type Placement, placements } from './places.ts';
import { type Survey, surveyPackage } from './survey.ts';
import { versionProblems } from './versions.ts';

/** What a policy is held against. */
export interface PolicySubject {
  readonly opened: OpenPackage;
  /** Of whoever signed the package. */
  readonly teamIdentifier: string | null;
  readonly abilities: readonly Ability[];
}

/** Checks a package by a policy; each demand is a check of its own. What could not be looked at fails the demand it is about. */
export async function checkPolicy(
  list: CheckList,
  policy: Policy,
  subject: PolicySubject,
  { trust, now }: Pick<PackageExpectations, 'trust' | 'now'>,
): Promise<void> {
  const { opened, teamIdentifier, abilities } = subject;
  const allowed = allowedMechanisms(policy.allowedMechanisms ?? [], bundlesOf(opened));
  const survey = await surveyPackage(opened, allowed, codeCmsVerifier(trust, now));
  const { team, minimumMacOS, allowedPaths, forbid } = policy;
  if (team !== undefined) list.check('policy-team', teamProblems(team, teamIdentifier, survey));
  if (minimumMacOS !== undefined) {
    const problems = versionProblems(minimumMacOS, opened, survey, abilities);
    list.check('policy-minimum-macos', [...problems, ...survey.unread, ...survey.closed]);
  }
  if (allowedPaths !== undefined) list.check('policy-paths', pathProblems(allowedPaths, opened, survey, abilities));
  if (policy.allowedMechanisms !== undefined) {
    list.check('policy-mechanisms', [
      ...survey.mechanisms,
      ...survey.unread,
      ...survey.closed,
      ...elsewhere(abilities),
    ]);
  }
  if (forbid !== undefined) {
    list.check(
      'policy-forbidden',
      abilities
        .filter(({ ability }) => forbid.includes(ability))
        .map(({ ability, found }) => `${ABILITIES[ability].description}: ${found}`),
    );
  }
}

/** Names of bundles that the package lays down: a plug-in is named by its bundle. */
function bundlesOf({ components }: OpenPackage): string[] {
  const listed = components.flatMap(({ info, bom }) => [
    ...info.bundles.map(({ path }) => path),
    ...(bom?.records.map(({ path }) => path) ?? []),
  ]);
  return [...new Set(listed.flatMap((path) => /([^/]+)\.bundle$/i.exec(path)?.[1] ?? []))];
}

function teamProblems(team: string, signer: string | null, { code, unread, closed }: Survey): (string | false)[] {
  return [
    signer !== team && `the package is signed by team ${signer ?? 'none'}, expected ${team}`,
    ...code.map(
      ({ name, teamIdentifier }) =>
        teamIdentifier !== team && `${name} is signed by team ${teamIdentifier ?? 'none'}, expected ${team}`,
    ),
    ...unread,
    ...closed,
  ];
}

/** What comes from elsewhere was not looked at. */
function elsewhere(abilities: readonly Ability[]): string[] {
  return abilities
    .filter(({ ability }) => ability === 'externalPackages' || ability === 'externalRoot')
    .map(({ found }) => `not in the package, so not looked at: ${found}`);
}

/** Every choice can name a place; each is compared for every path. */
const MOST_PLACES = 64;

function pathProblems(
  allowed: readonly string[],
  { distribution, components }: OpenPackage,
  survey: Survey,
  abilities: readonly Ability[],
): (string | false)[] {
  const places = installPlaces(
    components.map(({ info }) => info),
    distribution?.root,
  );
  const placed = components.map((_, index) => ({
    places: places[index] as string[],
    paths: survey.paths[index] as readonly PlacedPath[],
  }));
  const prefixes = allowed.map(absolutePath);
  const widest = placed.find((component) => component.places.length > MOST_PLACES);
  if (widest)
    return [
      `a component may be laid down in ${widest.places.length} places, of which at most ${MOST_PLACES} are looked at`,
    ];
  const tooMany = linksBeyond(placed.flatMap(({ paths }) => paths));
  if (tooMany) return [tooMany.message];
  return [
    ...placements(placed).map((place) => placementProblem(place, prefixes)),
    ...survey.unread,
    ...elsewhere(abilities),
    ...abilities
      .filter(({ ability }) => ability === 'relocate')
      .map(({ found }) => `it may be laid down elsewhere: ${found}`),
    ...abilities
      .filter(({ ability }) => ability === 'otherVolumes')
      .map(({ found }) => /currentUserHome/i.test(found) && `it may be laid down in a home folder: ${found}`),
  ];
}

function placementProblem({ said, real, kind, leadsTo }: Placement, allowed: readonly string[]): string | false {
  const through = said === real ? '' : `, which lies at ${real}`;
  if (!isBelow(real, allowed) && !(kind === 'directory' && isAbove(real, allowed)))
    return `${said}${through} is not allowed`;
  return (
    leadsTo !== undefined && !isBelow(leadsTo, allowed) && `the link ${said} leads to ${leadsTo}, which is not allowed`
  );
}

const isBelow = (path: string, allowed: readonly string[]) =>
  allowed.some((prefix) => path === prefix || path.startsWith(prefix === '/' ? '/' : `${prefix}/`));

/** A folder on the way to an allowed path has to be in the payload. */
const isAbove = (path: string, allowed: readonly string[]) =>
  allowed.some((prefix) => path === '/' || prefix.startsWith(`${path}/`));
