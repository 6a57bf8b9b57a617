import type { CheckList } from '../../base/check.ts';
import type { OpenComponent, OpenPackage } from '../../package/open-package.ts';
import type { OurForm } from '../expectations.ts';
import { checkOwnArchive } from './own-archive.ts';
import { checkOwnBundle } from './own-code.ts';
import { checkOwnDocuments, ownContent } from './own-documents.ts';
import { checkOwnTree, type OwnPath, type OwnTree } from './own-tree.ts';

/**
 * Checks whether our own writers would have made these very bytes.
 *
 * Of the package only its values are taken: version, team, time, signatures and the contents of files. Everything else is written
 * again from them and from what this checkout knows, and compared byte by byte; the first byte that differs is named. Whether the
 * contents are right is not asked here. Where Apple's tools made the package, the same is held against what it says instead of how.
 */
export async function checkOwnForm(
  list: CheckList,
  { archive, components }: OpenPackage,
  ours: OurForm,
): Promise<void> {
  const exact = ours.madeBy === 'portable';
  if (exact) await checkOwnArchive(list, archive, ours);
  const component = components.find(({ folder }) => folder === `${ours.identifier}.pkg`);
  const mtimeSeconds = archive.creationTime ?? 0;
  if (!component?.payload || (ours.scripts.length > 0 && !component.scripts)) {
    list.fail('form-payload', `there is no ${ours.identifier}.pkg with Payload and Scripts`);
    return;
  }
  if (component.scripts) {
    const scripts = await checkOwnTree(
      list,
      'form-scripts',
      archive,
      component.scripts,
      scriptPaths(ours, mtimeSeconds),
      {
        exact,
        owners: false,
      },
    );
    if (scripts) list.check('form-script-names', nameProblems(ours, scripts));
  }
  const tree = await checkOwnTree(list, 'form-payload', archive, component.payload, payloadPaths(ours, mtimeSeconds), {
    exact,
    owners: true,
  });
  if (tree) await checkContent(list, { archive, component, ours, tree });
}

interface Found {
  readonly archive: OpenPackage['archive'];
  readonly component: OpenComponent;
  readonly ours: OurForm;
  readonly tree: OwnTree;
}

async function checkContent(list: CheckList, { archive, component, ours, tree }: Found): Promise<void> {
  const { version } = component.info;
  if (!ours.isVersion(version)) {
    list.fail('form-package-info', `version ${JSON.stringify(version)}, which no release of ours can have`);
    return;
  }
  await checkOwnDocuments(list, archive, component, ownContent(ours, version, tree));
  for (const record of ours.bundles(version)) {
    const prefix = `./${record.path}/`;
    const files = tree.entries
      .filter(({ kind, path }) => kind === 'file' && path.startsWith(prefix))
      .map(({ path, mode }) => ({
        path: path.slice(prefix.length),
        mode,
        data: tree.contents.get(path) ?? Buffer.alloc(0),
      }));
    await checkOwnBundle(list, files, record, ours.madeBy);
  }
}

/** A path of the table is a folder when another lies below it. */
function payloadPaths({ payload, owner }: OurForm, mtimeSeconds: number): OwnPath[] {
  const paths = [...payload.keys()];
  return [...payload].map(([path, mode]) => {
    const folder = path === '.' || paths.some((other) => other.startsWith(`${path}/`));
    const kind = folder ? ('directory' as const) : ('file' as const);
    return { ...owner, kind, path: path === '.' ? '.' : `./${path}`, mode, mtimeSeconds };
  });
}

const SCRIPT_MODE = 0o755;

function scriptPaths({ scripts, owner }: OurForm, mtimeSeconds: number): OwnPath[] {
  const common = { ...owner, mode: SCRIPT_MODE, mtimeSeconds };
  return [
    { ...common, kind: 'directory', path: '.' },
    ...scripts.map((name) => ({ ...common, kind: 'file' as const, path: `./${name}` })),
  ];
}

/** Every script that Installer runs says in its second line which one it is: one in the place of another is noticed. */
function nameProblems({ scripts }: OurForm, { contents }: OwnTree): (string | false)[] {
  return scripts
    .filter((name) => name === 'preinstall' || name === 'postinstall')
    .map((name) => {
      const second = contents.get(`./${name}`)?.toString('utf8').split('\n', 2)[1] ?? '';
      return (
        !second.startsWith(`# ${name}`) &&
        `./${name} is another script: its second line is ${JSON.stringify(second.slice(0, 60))}`
      );
    });
}
