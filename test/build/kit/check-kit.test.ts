import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkKit } from '../../../build/kit/check-kit.ts';
import { fileFacts, readKitFacts } from '../../../build/kit/facts.ts';
import { makeKit } from '../../../build/kit/make-kit.ts';
import { type KitFile, zip } from '../../../build/kit/zip.ts';
import { mutationTable } from '../../mutation/table.ts';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { KIT_URL, kitSource } from './made-kit.ts';

let files: readonly KitFile[];
let folder: string;
beforeAll(async () => {
  files = await makeKit(kitSource());
  folder = mkdtempSync(join(tmpdir(), 'check-kit-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function packed(contents: readonly KitFile[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of zip(contents, 1_700_000_000)) parts.push(part);
  return Buffer.concat(parts);
}
const problems = async (archive: Buffer, packagePath = builtPackage()) =>
  (await checkKit(process.cwd(), archive, packagePath))
    .filter(({ status }) => status === 'fail')
    .map(({ reason }) => reason)
    .join('\n');
const withFile = (path: string, data: Buffer) => files.map((file) => (file.path === path ? { path, data } : file));

/** Expects that every change is named, each file changed once at a time; a few of them, as a report names no more than a few. */
async function expectAllFound<T extends { path: string; at: number }>(
  places: readonly T[],
  change: (place: T) => Buffer,
) {
  for (let left = [...places]; left.length > 0; ) {
    const group = new Map<string, T>();
    for (const place of left) if (group.size < 4 && !group.has(place.path)) group.set(place.path, place);
    left = left.filter((place) => group.get(place.path) !== place);
    const changed = files.map((file) => {
      const place = group.get(file.path);
      return place ? { path: file.path, data: change(place) } : file;
    });
    const said = await problems(await packed(changed));
    for (const [path, { at }] of group)
      expect(said, `${path}, at ${at}`).toContain(`${path} is not what this package gives`);
  }
}

/** Returns where each value of the package stands in a file: each may be wrong alone. */
async function places(): Promise<{ path: string; at: number; value: string }[]> {
  const { file, signing, code, values, ...facts } = await readKitFacts(builtPackage());
  const found = [
    ...[file.name, file.sha256, file.sha512, file.md5, String(file.size)],
    ...[signing?.signer, signing?.teamIdentifier, facts.version, facts.identifier, facts.minimumMacOS, KIT_URL],
    ...code.flatMap(({ cdHash, identifier }) => [cdHash, identifier]),
    ...[values.MECHANISM, values.BUNDLE, values.GUARD_IDENTIFIER, values.REQUEST_IDENTIFIER],
  ];
  const wanted = [...new Set(found)].filter((value) => value !== undefined && value !== null) as string[];
  return files
    .filter(({ path }) => !path.endsWith('.pkg') && !path.endsWith('.zip'))
    .flatMap(({ path, data }) =>
      wanted.flatMap((value) => {
        const bytes = Buffer.from(value);
        const list = [];
        for (let at = data.indexOf(bytes); at !== -1; at = data.indexOf(bytes, at + bytes.length))
          list.push({ path, at, value });
        return list;
      }),
    );
}

describe(`kit --check${ofTheDay}`, () => {
  it('finds every value of the package that is wrong in one place of one file', async () => {
    const all = await places();
    expect(all.length).toBeGreaterThan(300);
    // Of each system a place, and of each value.
    const ofFiles = byDay(all, 10, ({ path }) => dirname(path));
    const ofValues = byDay(all, 0, ({ value }) => value);
    const today = [...new Set([...ofFiles, ...ofValues])].filter(({ path }) => path !== 'kit.json');
    await expectAllFound(today, ({ path, at, value }) => {
      const copy = Buffer.from(files.find((file) => file.path === path)!.data);
      copy[at + value.length - 1]! ^= 1;
      return copy;
    });
  });

  it('finds a changed line of every file, at every fortieth of its lines', async () => {
    const texts = files.filter(({ path }) => !/\.(pkg|zip)$/.test(path) && path !== 'kit.json');
    // Each file begins at another line, so that files which share a text are not all tried at the same ones.
    const places = texts.flatMap(({ path, data }, index) => {
      const lines = data.toString('utf8').split('\n');
      const first = (index % 40) % lines.length;
      return lines.map((_, at) => ({ path, at, lines })).filter(({ at }) => at % 40 === first);
    });
    await expectAllFound(
      byDay(places, 10, ({ path }) => dirname(path)),
      ({ at, lines }) => Buffer.from(lines.with(at, `${lines[at]} `).join('\n')),
    );
  });

  it('finds every value of kit.json that is wrong', async () => {
    const path = 'kit.json';
    const document = JSON.parse(files.find((file) => file.path === path)!.data.toString());
    const leaves: string[][] = [];
    const walk = (value: unknown, trail: string[]): void => {
      if (typeof value === 'object' && value)
        for (const [key, below] of Object.entries(value)) walk(below, [...trail, key]);
      else leaves.push(trail);
    };
    walk(document, []);
    expect(leaves.length).toBeGreaterThan(12);
    for (const trail of byDay(leaves, 0, (one) => one.filter((key) => !/^\d+$/.test(key)).join('.'))) {
      const copy = structuredClone(document);
      const holder = trail.slice(0, -1).reduce((value, key) => value[key], copy);
      const key = trail.at(-1) as string;
      holder[key] = typeof holder[key] === 'number' ? holder[key] + 1 : `${holder[key]}x`;
      const said = await problems(await packed(withFile(path, Buffer.from(`${JSON.stringify(copy, null, 2)}\n`))));
      expect(said, trail.join('.')).not.toBe('');
    }
  });

  it.each([
    [
      'another package of ours in its place',
      (path: string) =>
        files.find((file) => /Guard/.test(file.path) !== /Guard/.test(path) && file.path.endsWith('.pkg'))!.data,
    ],
    ['the product in its place', () => readFileSync(builtPackage())],
    ['what is no package', () => Buffer.from('xar!')],
  ])('finds %s, though kit.json names its digest', async (_, other) => {
    for (const { path } of files.filter((file) => file.path.endsWith('.pkg'))) {
      const data = other(path);
      const document = JSON.parse(files.find((file) => file.path === 'kit.json')!.data.toString());
      const { size, sha256 } = fileFacts(path, data);
      Object.assign(
        document.extras.find((extra: { path: string }) => extra.path === path),
        { size, sha256 },
      );
      const kitJson = Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
      const changed = withFile(path, data).map((file) =>
        file.path === 'kit.json' ? { ...file, data: kitJson } : file,
      );
      expect(await problems(await packed(changed)), path).toContain(path);
    }
  });

  it('finds a change of the package in each of its parts', async () => {
    const archive = await packed(files);
    const { sample, mutations } = await mutationTable(process.cwd(), builtPackage());
    const regions = new Map(mutations.map((mutation) => [mutation.region, mutation] as const).reverse());
    expect(regions.size).toBeGreaterThan(8);
    // Whatever part it is, its digest is what differs.
    for (const [region, mutation] of byDay([...regions], 4)) {
      const path = join(folder, basename(builtPackage()));
      writeFileSync(path, await mutation.make(sample));
      expect(await problems(archive, path), region).not.toBe('');
    }
  });
});

describe('a kit that cannot be made again', () => {
  it('is no fault of the kit when the project lacks a file', async () => {
    await expect(checkKit(folder, await packed(files), builtPackage())).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the values that the kit needs', () => {
  it('are all that scripts are filled with, so that a damaged package is refused and nothing crashes', () => {
    const values = readFileSync('scripts/lib/values.sh', 'utf8').matchAll(/^([A-Z_]+)=@/gm);
    const needed = /const VALUE_NAMES = \[([^\]]*)\]/.exec(readFileSync('build/kit/facts.ts', 'utf8'))?.[1];
    for (const [, name] of values) expect(needed).toContain(`'${name}'`);
  });
});
