import type { CheckList } from '../base/check.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import type { ParsedDistribution, ParsedReference } from '../package/distribution.ts';
import type { OpenComponent, OpenPackage } from '../package/open-package.ts';
import type { PackageInfo } from '../package/package-info.ts';
import { childElements, type XmlElement } from '../xml/xml.ts';
import type { OurForm } from './expectations.ts';
import type { PayloadPath } from './tree.ts';

/** Checks a Distribution: every reference leads to the component it says, and every component is referred to. */
export function checkDistribution(
  list: CheckList,
  { distribution, components }: OpenPackage,
  ours: OurForm | null,
): void {
  if (!distribution) {
    list.skip('distribution', 'a bare component has none');
    return;
  }
  const present = distribution.packages.filter(({ member }) => member !== undefined);
  const problems = [
    present.length === 0 && 'no reference leads to a component in this package',
    ...present.flatMap((reference) => referenceProblems(reference, components, ours !== null)),
    ...components.map(
      ({ folder }) => !present.some(({ member }) => member === folder) && `nothing refers to the component ${folder}`,
    ),
    ...choiceProblems(distribution),
    ...(ours ? ownProblems(distribution, present, ours) : []),
  ];
  list.check('distribution', problems);
}

function referenceProblems(
  reference: ParsedReference,
  components: readonly OpenComponent[],
  ours: boolean,
): (string | false)[] {
  const { id, member, version, installKBytes } = reference;
  const component = components.find(({ folder }) => folder === member);
  if (!component) return [`${id} leads to ${member}, which is not there`];
  const { info } = component;
  return [
    info.identifier !== id && `${id} leads to ${member}, which is ${info.identifier}`,
    version !== undefined && version !== info.version && `${id} is version ${version}, its component ${info.version}`,
    ours &&
      installKBytes !== info.payload.installKBytes &&
      `${id} says ${installKBytes} KiB, its component ${info.payload.installKBytes}`,
  ];
}

/** Every line of the outline must name a choice, and every choice a known package; Installer shows nothing otherwise. */
function choiceProblems({ root, packages }: ParsedDistribution): (string | false)[] {
  const choices = childElements(root, 'choice');
  const names = new Set(choices.map(({ attributes }) => attributes.id));
  const lines = (node: XmlElement): XmlElement[] =>
    childElements(node, 'line').flatMap((line) => [line, ...lines(line)]);
  const outline = childElements(root, 'choices-outline').flatMap(lines);
  const known = new Set(packages.map(({ id }) => id));
  return [
    ...outline.map(
      ({ attributes }) =>
        !names.has(attributes.choice) && `the outline names the choice ${attributes.choice}, which is not there`,
    ),
    ...choices
      .flatMap((choice) => childElements(choice, 'pkg-ref'))
      .map(
        ({ attributes }) =>
          !known.has(attributes.id ?? '') && `a choice names the package ${attributes.id}, which is not there`,
      ),
  ];
}

function ownProblems(
  { rootVolumeOnly, customize, minimumSystemVersions, product, root }: ParsedDistribution,
  present: readonly ParsedReference[],
  ours: OurForm,
): (string | false)[] {
  const [oldest = 'none', ...more] = minimumSystemVersions;
  return [
    product?.id !== ours.identifier && `the product is ${product?.id}, expected ${ours.identifier}`,
    (oldest !== ours.minimumSystemVersion || more.length > 0) &&
      `it asks for macOS ${minimumSystemVersions.join(', ') || 'none'}, expected ${ours.minimumSystemVersion}`,
    !rootVolumeOnly && 'it can be installed on other volumes',
    customize !== 'never' && 'parts of it can be left out',
    present.length !== 1 && `it holds ${present.length} components, expected one`,
    (product?.id !== present[0]?.id || product?.version !== present[0]?.version) &&
      'product and component differ in identifier or version',
    hasScript(root) && 'it runs JavaScript',
  ];
}

const hasScript = (root: XmlElement) => childElements(root, 'script').length > 0;

/** Checks PackageInfo: its bundles are those of the payload. */
export function checkPackageInfo(
  list: CheckList,
  { info }: OpenComponent,
  paths: readonly PayloadPath[] | undefined,
  ours: OurForm | null,
): void {
  const known = new Set(paths?.map(({ path }) => path));
  list.check('package-info', [
    ...info.bundles.map(
      ({ path }) => paths !== undefined && !known.has(`./${path}`) && `the bundle ${path} is not in the payload`,
    ),
    ...(ours ? ownInfoProblems(info, ours) : []),
  ]);
}

function ownInfoProblems(info: PackageInfo, ours: OurForm): (string | false)[] {
  const listed = info.bundles.map(({ id }) => id);
  const { relocate, bundleVersion, upgradeBundle, ...others } = info.lists;
  return [
    info.identifier !== ours.identifier && `identifier ${info.identifier}, expected ${ours.identifier}`,
    ours.version !== null && info.version !== ours.version && `version ${info.version}, expected ${ours.version}`,
    info.installLocation !== ours.installLocation &&
      `install-location ${info.installLocation}, expected ${ours.installLocation}`,
    upgradeBundle.join() !== listed.join() && 'the bundles are not those that are replaced as a whole',
    relocate.length > 0 && 'a bundle may be installed elsewhere',
    bundleVersion.length > 0 && 'a bundle is skipped where a newer one is',
    Object.values(others).some((bundles) => bundles.length > 0) && 'a list of bundles is not empty',
    info.auth !== 'root' && `auth ${info.auth}, expected root`,
    info.relocatable && 'it is relocatable',
    info.postinstallAction !== 'none' && `postinstall-action ${info.postinstallAction}, expected none`,
    !info.overwritePermissions && 'overwrite-permissions is not set',
    ...info.bundles.map(
      ({ path, shortVersion }) =>
        shortVersion !== info.version && `${path} is version ${shortVersion}, its package ${info.version}`,
    ),
  ];
}

/** Checks that Installer runs the scripts natively wherever the code runs. */
export function checkArchitectures(
  list: CheckList,
  { distribution }: OpenPackage,
  slices: readonly SliceFacts[],
  ours: boolean,
): void {
  const id = 'host-architectures';
  if (!distribution) {
    list.skip(id, 'a bare component has no Distribution');
    return;
  }
  const allowed = distribution.hostArchitectures;
  const found = [...new Set(slices.map(({ architecture }) => architecture))];
  const lacking = found.filter((name) => !allowed.includes(name) && !(name === 'x86_64' && allowed.includes('i386')));
  const mismatch = `${lacking.join(', ')} in the payload, but hostArchitectures is ${allowed.join(',') || 'missing'}`;
  if (lacking.length === 0) list.pass(id);
  else if (ours) list.fail(id, mismatch);
  // Without arm64 everything runs under Rosetta, which is slow but works (productbuild man page).
  else list.pass(id, mismatch);
}
