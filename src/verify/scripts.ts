import type { CheckList } from '../base/check.ts';
import { cpioEntries, type OpenComponent, type OpenPackage } from '../package/open-package.ts';
import type { OurForm, PackageExpectations } from './expectations.ts';
import { readAbout } from './read-about.ts';

/** A file of a Scripts archive. */
export interface ScriptText {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly text: string;
}

/** Names that Installer runs without being told to by a product (pkgbuild man page). */
const RUN_BY_INSTALLER = ['./preinstall', './postinstall'];
/** A longer file is a program or data and is not searched. */
const TEXT_LIMIT = 4 * 1024 * 1024;

/** Judges that the scripts that PackageInfo names are there and can be run, and returns all files of the Scripts archive. */
export async function judgeScripts(
  list: CheckList,
  { archive }: OpenPackage,
  { info, scripts: member }: OpenComponent,
  { ours }: PackageExpectations,
): Promise<readonly ScriptText[]> {
  const id = 'scripts';
  if (!member) {
    const wanted = info.scripts.length + (ours?.scripts.length ?? 0);
    if (wanted > 0) list.fail(id, 'there is no Scripts archive');
    else list.skip(id, 'the component has no scripts');
    return [];
  }
  const found = await readAbout(list, id, async () => {
    const texts: ScriptText[] = [];
    for await (const { path, kind, mode, header, data } of cpioEntries(archive, member)) {
      if (kind !== 'file') continue;
      const { uid, gid } = header;
      texts.push({ path, mode, uid, gid, text: await readText(data) });
    }
    return texts;
  });
  if (!found) return [];
  const named = info.scripts.map(({ file }) => normal(file));
  list.judge(id, [
    ...named.map((file) => scriptProblem(file, found)),
    ...RUN_BY_INSTALLER.map(
      (file) =>
        found.some(({ path }) => path === file) &&
        !named.includes(file) &&
        `${file} is there, but PackageInfo does not name it`,
    ),
    ...(ours ? found.flatMap((file) => ownProblems(file, ours)) : []),
    ...(ours ? nameProblems(found, ours.scripts) : []),
  ]);
  return found;
}

function scriptProblem(file: string, found: readonly ScriptText[]): string | false {
  const script = found.find(({ path }) => path === file);
  if (!script) return `${file} is missing`;
  if ((script.mode & 0o111) === 0) return `${file} is not executable`;
  return false;
}

/** pkgbuild keeps the owner of whoever builds in this archive, and Installer runs the scripts as root whoever owns them. */
function ownProblems({ path, mode, uid, gid, text }: ScriptText, { madeBy, owner }: OurForm): (string | false)[] {
  return [
    mode !== 0o755 && `${path} has mode ${mode.toString(8)}, expected 755`,
    madeBy === 'portable' && (uid !== owner.uid || gid !== owner.gid) && `${path} belongs to ${uid}:${gid}`,
    !text.startsWith('#!') && `${path} does not begin with #!`,
  ];
}

function nameProblems(found: readonly ScriptText[], expected: readonly string[]): string[] {
  const names = found.map(({ path }) => path.slice(2));
  return [
    ...names.filter((name) => !expected.includes(name)).map((name) => `${name} does not belong into it`),
    ...expected.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
  ];
}

const normal = (file: string) => (file.startsWith('./') ? file : `./${file}`);

async function readText(data: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of data) {
    size += chunk.length;
    if (size <= TEXT_LIMIT) parts.push(Buffer.from(chunk));
  }
  return Buffer.concat(parts).toString('utf8');
}
