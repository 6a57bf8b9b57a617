import * as z from 'zod';
import { type Check, CheckList } from '../../src/base/check.ts';
import { parseDocument } from '../../src/base/document.ts';
import { FormatError, PipelineError } from '../../src/base/errors.ts';
import { EXTRA_PACKAGES, type ExtraPackage } from '../plan/plan.ts';
import { fileFacts, identityOf, type KitFacts, readKitFacts } from './facts.ts';
import { KIT_FILE } from './kit.ts';
import { extraFacts, generateKit } from './make-kit.ts';
import { type KitFile, unzip, zipProblems } from './zip.ts';

const FILE = z.strictObject({ size: z.number(), sha256: z.string() });
const KIT_SCHEMA = z.strictObject({
  schema: z.literal(1),
  product: z.string(),
  version: z.string(),
  url: z.string(),
  package: FILE.extend({ name: z.string() }),
  extras: z.array(FILE.extend({ path: z.string() })).length(EXTRA_PACKAGES.length),
});

/**
 * Returns whether a kit belongs to a package: the kit is made again from the package, and every byte must be the same. The packages
 * inside it are held to the digests that `kit.json` names, and must be what their places say, of the same version and signer as the
 * package; whether a signature is good is for `verify`.
 *
 * @param archive the zip
 */
export async function checkKit(root: string, archive: Buffer, packagePath: string): Promise<readonly Check[]> {
  const list = new CheckList('kit');
  try {
    const { files, mtimeSeconds } = await unzip(archive);
    list.check('kit-archive', await zipProblems(archive, files, mtimeSeconds));
    const named = files.find(({ path }) => path === KIT_FILE);
    if (!named) throw new FormatError('KIT_INVALID', KIT_FILE, 0, 'it is missing: this is not a kit of this project');
    const kit = parseDocument(named.data, { name: KIT_FILE, schema: KIT_SCHEMA, code: 'KIT_INVALID' });
    const packages = kit.extras.map(({ path }) => ({ facts: factsOf(extraIn(files, path)) }));
    await checkExtras(list, kit.extras, files, await readKitFacts(packagePath));
    const expected = await generateKit(root, packagePath, { url: kit.url, extras: extraFacts(packages) });
    checkFiles(list, expected, files, new Set(kit.extras.map(({ path }) => path)));
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    list.fail('kit-files', error.message);
  }
  return list.checks;
}

function extraIn(files: readonly KitFile[], path: string): KitFile {
  const file = files.find((candidate) => candidate.path === path);
  if (!file) throw new FormatError('KIT_INVALID', path, 0, 'it is missing');
  return file;
}

const factsOf = ({ path, data }: KitFile) => fileFacts(path.replace(/^extras\//, ''), data);

/** Value of the scripts that holds the identifier of each extra package. */
const IDENTIFIER_OF = {
  guard: 'GUARD_IDENTIFIER',
  uninstall: 'UNINSTALL_IDENTIFIER',
  request: 'REQUEST_IDENTIFIER',
} as const satisfies Record<ExtraPackage, string>;

async function checkExtras(
  list: CheckList,
  named: readonly { readonly path: string; readonly sha256: string }[],
  files: readonly KitFile[],
  { values, version, signing }: KitFacts,
): Promise<void> {
  const problems = EXTRA_PACKAGES.map(async (name, index) => {
    const { path, sha256 } = named[index] as (typeof named)[number];
    const { data } = extraIn(files, path);
    const found = fileFacts(path, data).sha256;
    if (found !== sha256) return `${path} has SHA-256 ${found}, ${KIT_FILE} says ${sha256}`;
    const identity = await identityOf(data);
    const expected = `${values[IDENTIFIER_OF[name]]} ${version}, signed by ${signing?.signer ?? 'nobody'}`;
    return identity !== expected && `${path} is ${identity}, expected ${expected}`;
  });
  list.check('kit-extras', await Promise.all(problems));
}

function checkFiles(
  list: CheckList,
  expected: readonly KitFile[],
  files: readonly KitFile[],
  extras: ReadonlySet<string>,
): void {
  const found = new Map(files.map(({ path, data }) => [path, data]));
  const wanted = new Map(expected.map(({ path, data }) => [path, data]));
  list.check('kit-files', [
    ...[...wanted].map(([path, data]) => {
      const there = found.get(path);
      if (!there) return `${path} is missing`;
      return !there.equals(data) && `${path} is not what this package gives`;
    }),
    ...[...found.keys()].map((path) => !wanted.has(path) && !extras.has(path) && `${path} does not belong in it`),
    found.size !== files.length && 'a name stands twice',
  ]);
}
