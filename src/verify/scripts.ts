import type { CheckList } from '../base/check.ts';
import { beyond, LIMITS } from '../base/input/limits.ts';
import type { CpioEntry } from '../cpio/read.ts';
import type { OpenComponent } from '../package/open-package.ts';
import type { OurForm, PackageExpectations } from './expectations.ts';
import { readAbout } from './read-about.ts';
import { type ScriptProblem, scriptProblem } from './script-file.ts';
import { type PayloadPath, relativePath, type Tree } from './tree.ts';

/** A file of a Scripts archive. */
export interface ScriptText {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly text: string;
}

/** Names that Installer runs, whether PackageInfo names them or not (pkgbuild man page; the last four in packages of before 10.5). */
const RUN_BY_INSTALLER = ['preinstall', 'postinstall', 'preflight', 'postflight', 'preupgrade', 'postupgrade'];
/** In whatever capitals: on most Macs they make no difference to the name of a file. */
const isRunByInstaller = (path: string) => RUN_BY_INSTALLER.includes(path.toLowerCase());
/** A longer file is a program or data and is not kept. */
const TEXT_LIMIT = 4 * 1024 * 1024;

/** A Scripts archive as it was read: its files as texts, and its tree. */
export interface ReadScripts {
  readonly texts: readonly ScriptText[];
  readonly tree: Tree;
  /** The files that Installer runs, whole. */
  readonly run: ReadonlyMap<string, Buffer>;
}

/** Reads a Scripts archive whole; `undefined` when it cannot be read, which is recorded. */
export async function readScripts(
  list: CheckList,
  entries: AsyncIterable<CpioEntry>,
  tree: Tree,
  info: OpenComponent['info'],
): Promise<ReadScripts | undefined> {
  const wanted = new Set(info.scripts.map(({ file }) => relativePath(file)));
  return readAbout(list, 'scripts', async () => {
    const texts: ScriptText[] = [];
    const run = new Map<string, Buffer>();
    let kept = 0;
    for await (const { path, kind, mode, header, data } of tree.observe(entries)) {
      if (kind !== 'file') continue;
      const content = await contentOf(data, header.fileSize);
      kept += content.length;
      if (kept > LIMITS.scriptBytes) throw beyond('Scripts', 'bytes of scripts', LIMITS.scriptBytes);
      if (wanted.has(relativePath(path)) || isRunByInstaller(relativePath(path))) run.set(relativePath(path), content);
      texts.push({ path, mode, uid: header.uid, gid: header.gid, text: content.toString('utf8') });
    }
    return { texts, tree, run };
  });
}

/** Checks that the scripts that PackageInfo names are there and that a Mac can run them. */
export function checkScripts(
  list: CheckList,
  { texts, tree, run }: ReadScripts,
  { info }: OpenComponent,
  { payload, signedAt }: { readonly payload: readonly PayloadPath[] | undefined; readonly signedAt: Date | undefined },
  { ours }: PackageExpectations,
): void {
  const named = info.scripts.map(({ name, file }) => ({ name, path: relativePath(file) }));
  const root = (info.installLocation ?? '/').replace(/\/+$/, '');
  const laidDown = new Set(
    payload?.filter(({ kind }) => kind !== 'directory').map(({ path }) => `${root}/${relativePath(path)}`),
  );
  const unnamed = [...run.keys()].filter((path) => !named.some((script) => script.path === path));
  const aged: string[] = [];
  list.check('scripts', [
    ...named.map(({ name, path }) => {
      // What the payload brings is there only once it was laid down.
      const brings = (interpreter: string) => !name.startsWith('pre') && laidDown.has(interpreter);
      const problem = problemOf(path, tree, run, brings);
      if (problem === undefined) return false;
      const found = `./${path} ${typeof problem === 'string' ? problem : problem.text}`;
      if (typeof problem === 'string' || !signedAt || ours || signedAt >= problem.since) return found;
      aged.push(found);
      return false;
    }),
    ...unnamed.map((path) => `./${path} is there, but PackageInfo does not name it`),
    ...(ours ? texts.flatMap((file) => ownProblems(file, ours)) : []),
    ...(ours ? nameProblems(texts, ours.scripts) : []),
  ]);
  // It could run on the Macs that it was made for.
  if (aged.length > 0) list.skip('scripts-interpreter', `${aged.join('; ')}; signed before that`);
}

/** Checks a component that has no Scripts archive. */
export function checkNoScripts(list: CheckList, { info }: OpenComponent, { ours }: PackageExpectations): void {
  const wanted = info.scripts.length + (ours?.scripts.length ?? 0);
  if (wanted > 0) list.fail('scripts', 'there is no Scripts archive');
  else list.skip('scripts', 'the component has no scripts');
}

function problemOf(
  path: string,
  { paths }: Tree,
  run: ReadonlyMap<string, Buffer>,
  brings: (interpreter: string) => boolean,
): ScriptProblem | undefined {
  const entry = paths.find((candidate) => relativePath(candidate.path) === path);
  if (!entry) return 'is missing';
  if (entry.kind !== 'file')
    return entry.kind === 'directory' ? 'is a folder, no script' : 'is a symbolic link, no script';
  const content = run.get(path);
  return content && scriptProblem({ mode: entry.mode, content }, { brings });
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
    ...names.filter((name) => !expected.includes(name)).map((name) => `${name} does not belong in it`),
    ...expected.filter((name) => !names.includes(name)).map((name) => `${name} is missing`),
  ];
}

/** Returns a file's content; that of programs and data, which are longer than any script or hold NUL, only as far as it tells. */
async function contentOf(data: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let binary = size > TEXT_LIMIT;
  for await (const chunk of data) {
    if (parts.length === 0) binary ||= chunk.subarray(0, 512).includes(0);
    if (!binary || parts.length === 0) parts.push(Buffer.from(binary ? chunk.subarray(0, 512) : chunk));
  }
  return Buffer.concat(parts);
}
