import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readWhole } from '../../src/base/with-file.ts';
import type { Config } from '../plan/config.ts';
import { EXTRA_PACKAGES, type ExtraPackage } from '../plan/plan.ts';
import { templateReader } from '../scripts/render-script.ts';
import { fileFacts, type PackageFileFacts, readKitFacts } from './facts.ts';
import { kitFiles } from './kit.ts';
import { renderKitScripts } from './scripts.ts';
import { type KitInput, PLACEHOLDER_URL } from './system.ts';
import { readVocabulary } from './vocabulary.ts';
import { type KitFile, zip } from './zip.ts';

/** What a kit is made from. */
export interface KitSource {
  /** Folder of the project: its templates and texts. */
  readonly root: string;
  /** The finished package. */
  readonly packagePath: string;
  /** The packages that travel in the kit. */
  readonly extras: Readonly<Record<ExtraPackage, string>>;
  /** Address of the package. */
  readonly url: string;
}

/** Returns all files of the kit, the packages inside it among them. */
export async function makeKit({ root, packagePath, extras, url }: KitSource): Promise<KitFile[]> {
  const packages = await Promise.all(EXTRA_PACKAGES.map((name) => readExtra(extras[name])));
  const generated = await generateKit(root, packagePath, { url, extras: extraFacts(packages) });
  return [...generated, ...packages.map(({ facts, data }) => ({ path: `extras/${facts.name}`, data }))];
}

/** Returns the files that are generated, of whatever extra packages the kit holds. */
export async function generateKit(
  root: string,
  packagePath: string,
  given: Pick<KitInput, 'url' | 'extras'>,
): Promise<KitFile[]> {
  const readme = await readFile(join(root, 'payload/kit/README.md'), 'utf8');
  return kitFiles(await readInput(root, packagePath, given), { readme, vocabulary: await readVocabulary(root) });
}

/** Returns what the files of a kit are made from. */
export async function readKitInput({ root, packagePath, extras, url }: KitSource): Promise<KitInput> {
  const packages = await Promise.all(EXTRA_PACKAGES.map((name) => readExtra(extras[name])));
  return readInput(root, packagePath, { url, extras: extraFacts(packages) });
}

/** Returns what is known of the extra packages, by what they do. */
export function extraFacts(packages: readonly { readonly facts: PackageFileFacts }[]): KitInput['extras'] {
  return Object.fromEntries(EXTRA_PACKAGES.map((name, index) => [name, packages[index]?.facts])) as KitInput['extras'];
}

async function readInput(root: string, packagePath: string, given: Pick<KitInput, 'url' | 'extras'>) {
  const facts = await readKitFacts(packagePath);
  const scripts = renderKitScripts(facts, given.url, templateReader(join(root, 'scripts')));
  const parts: Buffer[] = [];
  const guard = { path: 'guard/guard.sh', data: Buffer.from(facts.guardScript) };
  for await (const part of zip([guard], 0, 0o755)) parts.push(part);
  return { facts, scripts, guardZip: Buffer.concat(parts), ...given };
}

async function readExtra(path: string) {
  const data = await readWhole(path);
  return { facts: fileFacts(basename(path), data), data };
}

/** Returns the address of a released file by the configuration, or a placeholder that no system accepts. */
export function downloadUrl({ services }: Pick<Config, 'services'>, version: string, name: string): string {
  const folder = services.downloads?.replaceAll('{version}', version) ?? PLACEHOLDER_URL;
  return new URL(encodeURIComponent(name), folder.endsWith('/') ? folder : `${folder}/`).href;
}
