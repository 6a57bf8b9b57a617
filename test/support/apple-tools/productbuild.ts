import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeWhole } from '../../../src/base/files.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile } from '../../../src/xar/write.ts';
import { memberBytes, withArchive } from './archive.ts';
import { ToolFailure } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions } from './options.ts';

const OPTIONS = {
  '--distribution': 'value',
  '--package-path': 'value',
  '--resources': 'value',
  '--ui': 'value',
  '--identifier': 'value',
  '--version': 'value',
  '--component': 'value',
  '--component-compression': 'value',
  '--content': 'value',
  '--root': 'value',
  '--package': 'value',
  '--synthesize': 'none',
  '--product': 'value',
  '--scripts': 'value',
  '--plugins': 'value',
  '--sign': 'value',
  '--keychain': 'value',
  '--cert': 'value',
  '--timestamp': 'optional',
  '--quiet': 'none',
} as const;
const PLAYED = ['--distribution', '--package-path', '--identifier', '--version', '--quiet'];

/** productbuild(1) with `--distribution`: the packages it names become folders of the archive, and its references fragments. */
export async function productbuild(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, OPTIONS);
  const idle = [...options.given.keys()].find((name) => !PLAYED.includes(name));
  if (idle) throw new Error(`${idle} is not played`);
  const [output] = options.rest;
  const input = options.value('--distribution');
  if (output === undefined || input === undefined) {
    throw new ToolFailure(1, 'Usage: productbuild [options] --distribution <dist-path> <product-output-path>');
  }
  const text = readFileSync(input, 'utf8');
  const names = [...text.matchAll(/<pkg-ref [^>]*>([^<]+)<\/pkg-ref>/g)].map(([, name]) => name as string);
  const folders = [];
  for (const name of names) {
    const path = (options.given.get('--package-path') ?? []).map((folder) => join(folder, name)).find(existsSync);
    if (path === undefined) throw new ToolFailure(1, `productbuild: error: Cannot find package "${name}".`);
    folders.push(directory(name, await withArchive(path, membersOf)));
  }
  const distribution = text.replace(/(<pkg-ref [^>]*>)([^<#]+)(?=<\/pkg-ref>)/g, '$1#$2');
  const members = [deflatedFile('Distribution', Buffer.from(distribution)), ...folders];
  await writeWhole(output, emitXar(layoutXar(members, { creationTime: Math.floor(Date.now() / 1000) })));
  return { stdout: options.has('--quiet') ? '' : `productbuild: Wrote product to ${output}\n` };
}

async function membersOf(archive: Parameters<typeof memberBytes>[0]) {
  const members = [];
  for (const name of ['Bom', 'Payload', 'Scripts', 'PackageInfo']) {
    const data = await memberBytes(archive, name);
    const compressed = name === 'Payload' || name === 'Scripts';
    if (data) members.push(compressed ? storedFile(name, data) : deflatedFile(name, data));
  }
  return members;
}
