import { compareVersions, isVersion } from '../../base/version.ts';
import { versionText } from '../../macho/layout.ts';
import type { OpenPackage } from '../../package/open-package.ts';
import { folded } from '../../xml/spelling.ts';
import { childElements, type XmlElement } from '../../xml/xml.ts';
import type { Ability } from '../abilities.ts';
import type { CodeDemands } from './code-facts.ts';
import type { Survey } from './survey.ts';

/** First macOS for Apple silicon: an arm64 slice can ask for no less. */
const FIRST_ARM64 = '11.0';

/** Returns why a package, or code in it, would not run on a macOS; every place that names a version is asked. */
export function versionProblems(
  wanted: string,
  { distribution, components }: OpenPackage,
  { code, versions }: Pick<Survey, 'code' | 'versions'>,
  abilities: readonly Ability[],
): (string | false)[] {
  const root = distribution?.root;
  return [
    ...(root ? named(root, 'os-version').flatMap((node) => osVersionProblems(wanted, node)) : []),
    ...(root ? refusals(root) : []),
    ...components.map(({ folder, info }) => {
      const version = info.minimumSystemVersion;
      return version !== undefined && minimumProblem(wanted, version, `PackageInfo of ${folder || 'the component'}`);
    }),
    ...versions.map(({ from, version }) => minimumProblem(wanted, version, from)),
    ...code.map((facts) => codeProblem(wanted, facts)),
    ...abilities
      .filter(({ ability }) => ability === 'javaScript')
      .map(({ found }) => `JavaScript may refuse any macOS, which cannot be known: ${found}`),
  ];
}

/** Elements of that name below another one, in whatever capitals. */
function named(node: XmlElement, name: string): XmlElement[] {
  const own = childElements(node)
    .map(folded)
    .filter((child) => child.name === name);
  return [...own, ...childElements(node).flatMap((child) => named(child, name))];
}

/** Newest format of a Distribution (Distribution XML Reference; productbuild of macOS 26). */
const NEWEST_FORMAT = 2;

/** What else makes Installer refuse a macOS. */
function refusals(root: XmlElement): (string | false)[] {
  const { minspecversion = '1' } = folded(root).attributes;
  const bundles = named(root, 'required-bundles').flatMap((node) => childElements(node));
  return [
    !(Number(minspecversion) <= NEWEST_FORMAT) &&
      `Installer is asked for the format ${minspecversion}, which none knows`,
    ...bundles.map(
      ({ attributes }) => `Installer refuses a Mac without the bundle ${attributes.id}, which is not known here`,
    ),
  ];
}

function osVersionProblems(wanted: string, { attributes }: XmlElement): (string | false)[] {
  const { min, before } = attributes;
  return [
    min !== undefined && minimumProblem(wanted, min, 'Installer'),
    before !== undefined &&
      !isVersion(before) &&
      `Installer names the version ${JSON.stringify(before)}, which is none`,
    before !== undefined &&
      isVersion(before) &&
      compareVersions(wanted, before) >= 0 &&
      `Installer refuses macOS ${before} and later`,
  ];
}

function minimumProblem(wanted: string, version: string, who: string): string | false {
  if (!isVersion(version)) return `${who} names the version ${JSON.stringify(version)}, which is none`;
  return compareVersions(version, wanted) > 0 && `${who} asks for macOS ${version}, expected ${wanted} at most`;
}

function codeProblem(wanted: string, { name, architecture, minimumOs }: CodeDemands): string | false {
  if (minimumOs === null) return `${name} does not say on which macOS it runs`;
  const version = versionText(minimumOs);
  const limit = architecture.startsWith('arm64') && compareVersions(wanted, FIRST_ARM64) < 0 ? FIRST_ARM64 : wanted;
  return compareVersions(version, limit) > 0 && `${name} asks for macOS ${version}, expected ${limit} at most`;
}
