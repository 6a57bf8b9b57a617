import { documentData, type OpenPackage } from '../package/open-package.ts';
import { findMember } from '../xar/read.ts';
import { folded } from '../xml/spelling.ts';
import { childElements, parseXml, textOf, type XmlElement } from '../xml/xml.ts';

/**
 * What a package can ask for beyond laying down files, each with when it happens and what it means; the name is stable for
 * programs and stands in policies.
 *
 * `before`: Installer does it before anybody has agreed to install. Sources: Distribution XML Reference; pkgbuild(1); productbuild(1).
 */
export const ABILITIES = {
  javaScript: { before: true, description: 'JavaScript that Installer runs to look at the Mac' },
  externalScripts: { before: true, description: 'JavaScript may run programs outside of it' },
  plugIns: { before: true, description: 'plug-ins that Installer loads' },
  externalPackages: { before: false, description: 'other packages, from a server or from beside this one' },
  customLocation: { before: false, description: 'a choice may be installed in another place' },
  relocate: { before: false, description: 'a bundle may be installed where a copy of it is found' },
  externalRoot: { before: false, description: 'files that are not in the package' },
  otherVolumes: { before: false, description: 'may be installed on another volume or for one user' },
  mustClose: { before: false, description: 'programs that are ended first' },
  restart: { before: false, description: 'asks to log out, restart or shut down' },
  scripts: { before: false, description: 'scripts that run as root' },
  otherScripts: { before: false, description: 'scripts under names of old Installers, or of a bundle' },
  rootAuthorization: { before: false, description: 'files are laid down with the rights of root' },
  unknownElements: { before: false, description: 'elements that no documentation names' },
} as const;

export type AbilityName = keyof typeof ABILITIES;

/** One thing that a package may do. */
export interface Ability {
  readonly ability: AbilityName;
  /** Whether it happens before anybody has agreed. */
  readonly before: boolean;
  /** Where it is said, with the text itself. */
  readonly found: string;
}

/** Returns all that a package may do, read from its Distribution, its PackageInfos and the names of its members. */
export async function packageAbilities({ archive, distribution, components }: OpenPackage): Promise<Ability[]> {
  const found: [AbilityName, string][] = [];
  if (distribution) found.push(...distributionAbilities(distribution.root));
  for (const { folder } of components) {
    const path = folder === '' ? 'PackageInfo' : `${folder}/PackageInfo`;
    const member = findMember(archive, path);
    if (member) found.push(...infoAbilities(parseXml(await documentData(archive, member), 'PackageInfo'), path));
  }
  found.push(
    ...archive.members
      .filter(({ path, kind }) => /^Plugins(\/|$)/i.test(path) && kind !== 'directory')
      .map(({ path }): [AbilityName, string] => ['plugIns', path]),
  );
  return found.map(([ability, places]) => ({
    ability,
    before: ABILITIES[ability].before,
    found: places.slice(0, 300),
  }));
}

type Found = [AbilityName, string];
/** Looks at one element, wherever it lies. */
type Look = (node: XmlElement, say: (ability: AbilityName, text?: string) => Found) => Found[];

function walk(node: XmlElement, document: string, look: Look): Found[] {
  const say = (ability: AbilityName, text = `<${node.name}>`): Found => [ability, `${document}: ${text}`];
  return [...look(folded(node), say), ...childElements(node).flatMap((child) => walk(child, document, look))];
}

/** Attributes whose value is JavaScript unless it is one of two words (Distribution XML Reference, choice and pkg-ref). */
const EXPRESSIONS = ['active', 'enabled', 'selected', 'visible', 'start_enabled', 'start_selected', 'start_visible'];
const DISTRIBUTION_ELEMENTS = new Set(
  (
    'installer-gui-script installer-script allowed-os-versions app background background-darkAqua bundle bundle-version choice ' +
    'choices-outline conclusion domains installation-check license line locator must-close options organization os-version pkg-ref ' +
    'product ram readme relocate required-bundles required-graphics required-cl-device required-gl-renderer script search strings ' +
    'title volume-check welcome plugins'
  )
    .toLowerCase()
    .split(' '),
);

function distributionAbilities(root: XmlElement): Found[] {
  return walk(root, 'Distribution', (node, say) => [
    ...(DISTRIBUTION_ELEMENTS.has(node.name) ? [] : [say('unknownElements')]),
    ...javaScript(node, say),
    ...referenceAbilities(node, say),
    ...placeAbilities(node, say),
  ]);
}

const javaScript: Look = (node, say) => {
  const { attributes, name } = node;
  const expressions = EXPRESSIONS.filter((key) => !/^(true|false)?$/.test(attributes[key] ?? ''));
  return [
    ...(name === 'script' ? [say('javaScript', `<script> ${textOf(node).trim() || attributes.src || ''}`)] : []),
    ...[...expressions, ...keysOf(node, /script$/)].map((key) =>
      say('javaScript', `<${name} ${key}="${attributes[key]}">`),
    ),
    ...(name === 'options' && !/^(no|false)?$/i.test(attributes['allow-external-scripts'] ?? '')
      ? [say('externalScripts', '<options allow-external-scripts>')]
      : []),
    ...(name === 'plugins' ? [say('plugIns')] : []),
  ];
};

const keysOf = ({ attributes }: XmlElement, pattern: RegExp) =>
  Object.keys(attributes).filter((key) => pattern.test(key));

/** What leads out of the package. */
const ADDRESS = /^\s*(https?|ftp|file):/i;

const referenceAbilities: Look = (node, say) => {
  if (node.name === 'must-close') return [say('mustClose', `<must-close> ${idsIn(node)}`)];
  if (node.name !== 'pkg-ref') return [];
  const { onconclusion = 'none', auth = 'none', id } = node.attributes;
  const location = textOf(node).trim();
  return [
    ...(location !== '' && !location.startsWith('#') ? [say('externalPackages', `${id} from ${location}`)] : []),
    ...(onconclusion.toLowerCase() === 'none' ? [] : [say('restart', `onConclusion="${onconclusion}"`)]),
    ...Object.entries(node.attributes)
      .filter(([, value]) => ADDRESS.test(value))
      .map(([key, value]) => say('externalPackages', `${id} with ${key}="${value}"`)),
    ...(auth.toLowerCase() === 'none' ? [] : [say('rootAuthorization', `auth="${auth}" of ${id}`)]),
  ];
};

const placeAbilities: Look = (node, say) => {
  const { name, attributes } = node;
  const open = (key: string) => attributes[key] !== undefined && !/^(false|no)$/i.test(attributes[key]);
  return [
    ...keysOf(node, /^customlocation/).map((key) => say('customLocation', `<${name} ${key}="${attributes[key]}">`)),
    ...(name === 'relocate' || name === 'locator' ? [say('relocate', `<${name}> ${idsIn(node)}`)] : []),
    ...(name === 'domains'
      ? ['enable_anywhere', 'enable_currentuserhome']
          .filter(open)
          .map((key) => say('otherVolumes', `${key}="${attributes[key]}"`))
      : []),
  ];
};

const PACKAGE_INFO_ELEMENTS = new Set(
  (
    'pkg-info payload bundle bundle-version upgrade-bundle update-bundle atomic-update-bundle strict-identifier relocate scripts ' +
    'preinstall postinstall preflight postflight preupgrade postupgrade must-close app locator search bundle-identifier'
  ).split(' '),
);

function infoAbilities(root: XmlElement, document: string): Found[] {
  return walk(root, document, (node, say) => [
    ...(PACKAGE_INFO_ELEMENTS.has(node.name) ? [] : [say('unknownElements')]),
    ...(node.name === 'pkg-info' ? rootAbilities(node, say) : []),
    ...(node.attributes['external-root'] === undefined
      ? []
      : [say('externalRoot', `external-root="${node.attributes['external-root']}"`)]),
    ...(node.name === 'scripts' ? childElements(node).map((script) => scriptAbility(script, say)) : []),
    ...(node.name === 'scripts'
      ? []
      : childElements(node)
          .filter(({ name }) => /^(pre|post)(install|flight|upgrade)$/.test(name))
          .map(({ name }) => say('otherScripts', `<${name}> outside of <scripts>`))),
    ...(node.name === 'must-close' ? [say('mustClose', `<must-close> ${idsIn(node)}`)] : []),
    ...(node.name === 'locator' || (node.name === 'relocate' && hasContent(node))
      ? [say('relocate', `<${node.name}> ${idsIn(node)}`)]
      : []),
  ]);
}

const rootAbilities: Look = ({ attributes }, say) => {
  const action = attributes['postinstall-action'] ?? 'none';
  const auth = attributes.auth ?? 'none';
  return [
    ...(action.toLowerCase() === 'none' ? [] : [say('restart', `postinstall-action="${action}"`)]),
    ...(auth.toLowerCase() === 'none' ? [] : [say('rootAuthorization', `auth="${auth}"`)]),
    ...(/^(true|yes|1)$/i.test(attributes.relocatable ?? '') ? [say('relocate', 'relocatable="true"')] : []),
  ];
};

function scriptAbility({ name, attributes }: XmlElement, say: (ability: AbilityName, text?: string) => Found): Found {
  const usual =
    (name === 'preinstall' || name === 'postinstall') &&
    !Object.keys(attributes).some((key) => /^component-id$/i.test(key));
  return say(usual ? 'scripts' : 'otherScripts', `${name}: ${attributes.file ?? 'no file'}`);
}

const hasContent = ({ attributes, children }: XmlElement) => children.length > 0 || Object.keys(attributes).length > 0;

function idsIn(node: XmlElement): string {
  return childElements(node)
    .map(({ attributes }) => attributes.id ?? '')
    .join(', ');
}
