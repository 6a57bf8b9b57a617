import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parse as parsePlist } from 'plist';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { checkKit } from '../../../build/kit/check-kit.ts';
import { type KitFacts, readKitFacts } from '../../../build/kit/facts.ts';
import { makeKit } from '../../../build/kit/make-kit.ts';
import { SETTINGS } from '../../../build/kit/settings.ts';
import { SYSTEMS } from '../../../build/kit/systems.ts';
import { type KitFile, unzip, zip } from '../../../build/kit/zip.ts';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { check, needs } from '../../support/needs.ts';
import { KIT_URL, kitSource } from './made-kit.ts';

const URL = KIT_URL;
const root = process.cwd();
let files: KitFile[];
let facts: KitFacts;
const text = (path: string) => files.find((file) => file.path === path)!.data.toString('utf8');
const paths = (pattern: RegExp) => files.map(({ path }) => path).filter((path) => pattern.test(path));

beforeAll(async () => {
  facts = await readKitFacts(builtPackage());
  files = await makeKit(kitSource());
});

async function packed(contents: readonly KitFile[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of zip(contents, 1_700_000_000)) parts.push(part);
  return Buffer.concat(parts);
}

describe('the kit', () => {
  it('has a folder with a numbered README for every system, and no file beside them that nobody knows', () => {
    for (const { folder } of SYSTEMS)
      expect(text(`${folder}/README.md`)).toMatch(/^1\. .*\n2\. .*\n3\. .*\n4\. .*\n\n\*\*To remove it/m);
    const known = new Set([...SYSTEMS.map(({ folder }) => folder), 'scripts', 'extras']);
    const others = files.map(({ path }) => path).filter((path) => !known.has(path.split('/')[0] as string));
    expect(others.sort()).toEqual(['README.md', 'compatibility.json', 'kit.json', 'rescue-card.html', 'vocabulary.md']);
  });

  it('names nowhere a file that is not in it', () => {
    for (const { folder } of SYSTEMS) {
      const named = [
        ...text(`${folder}/README.md`).matchAll(
          /`(\.\.\/)?([\w./-]+\.(?:sh|json|plist|mobileconfig|ya?ml|rb|xml|txt))`/g,
        ),
      ];
      for (const [, up, name] of named) {
        const path = up ? (name as string) : `${folder}/${name}`;
        expect(
          paths(/./).some((candidate) => candidate === path || candidate.endsWith(`/${name}`)),
          `${folder}: ${name}`,
        ).toBe(true);
      }
    }
  });

  it('keeps bundle and entry in order: no removal but our own, no request in a profile', () => {
    for (const path of paths(/munki|workspace-one/).filter((name) => name.endsWith('.plist'))) {
      expect(parsePlist(text(path))).toMatchObject({ uninstall_method: 'uninstall_script' });
    }
    expect(text('apple-mdm/declaration-package.json')).not.toContain('UninstallBehavior');
    expect(text('homebrew/escrow-buddy.rb')).toMatch(/early_script[\s\S]*AuthDBTeardown\.sh[\s\S]*pkgutil/);
    for (const path of paths(/\.mobileconfig$|settings-schema|Escrow-Buddy\.plist$/)) {
      const keys = text(path).match(/GenerateNewKey<|"GenerateNewKey"/g);
      expect(keys, path).toBeNull();
    }
  });

  it('has one .pkg that could be taken for the product: none', () => {
    expect(paths(/\.pkg$/).every((path) => path.startsWith('extras/'))).toBe(true);
  });
});

describe('its values', () => {
  it('are those of the package', () => {
    const info = parsePlist(text('munki/pkgsinfo.plist')) as Record<string, unknown>;
    expect(info).toMatchObject({
      installer_item_hash: facts.file.sha256,
      installer_item_size: Math.floor(facts.file.size / 1024),
      minimum_os_version: '10.14.4',
      version: '1.1.0',
    });
    const manifest = parsePlist(text('apple-mdm/manifest.plist')) as { items: [{ assets: [Record<string, unknown>] }] };
    expect(manifest.items[0].assets[0]).toMatchObject({
      url: URL,
      'sha256-size': facts.file.size,
      sha256s: [facts.file.sha256],
    });
    expect(text('homebrew/escrow-buddy.rb')).toContain(`sha256 "${facts.file.sha256}"`);
    expect(text('installomator/escrowbuddyx.sh')).toContain('downloadURLFromGit example escrow-buddy');
    expect(parseYaml(text('fleet/lib/macos/software/escrow-buddy.yml'))).toMatchObject({
      url: URL,
      hash_sha256: facts.file.sha256,
    });
  });

  it('of settings are those that the plug-in and the scripts read', () => {
    const sources = [
      'payload/plugin/settings.c',
      'scripts/lib/guard-work.sh',
      'scripts/lib/guard-install.sh',
      'scripts/lib/version.sh',
      'scripts/postinstall.sh',
      'scripts/guard.sh',
      'scripts/lib/guard-look.sh',
    ]
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    for (const { key } of SETTINGS) expect(sources, key).toContain(key);
  });
});

describe('compatibility.json', () => {
  it('says of every way to install which rules the package meets', () => {
    const { systems } = JSON.parse(text('compatibility.json'));
    expect(systems).toHaveLength(SYSTEMS.length);
    const failing = systems.flatMap((system: { name: string; paths: { name: string; meetsRules: boolean }[] }) =>
      system.paths.filter((path) => !path.meetsRules).map((path) => `${system.name}: ${path.name}`),
    );
    // A rehearsal's file name says what it is, and no download tool may take it for a release.
    expect(failing.every((name: string) => /Installomator|AutoPkg/.test(name))).toBe(true);
  });
});

describe('what others read', () => {
  let unpacked: string;
  beforeAll(() => {
    unpacked = mkdtempSync(join(tmpdir(), 'kit-'));
    for (const { path, data } of files) {
      mkdirSync(join(unpacked, dirname(path)), { recursive: true });
      writeFileSync(join(unpacked, path), data);
    }
  });
  afterAll(() => rmSync(unpacked, { recursive: true, force: true }));
  /** The places of files, for a program that reads them all: to start one for each would take longer than to read. */
  const places = (pattern: RegExp) => paths(pattern).map((path) => join(unpacked, path));
  const python = needs('python3');
  const shellcheck = needs('shellcheck');
  const ruby = needs('ruby');
  const xmllint = needs('xmllint');

  it.skipIf(xmllint.missing)(`property lists and XML are well-formed for libxml${xmllint.note}`, () => {
    check('xmllint', ['--noout', '--nonet', ...places(/\.(plist|mobileconfig|xml)$/)]);
  });

  it.skipIf(python.missing)(`property lists are read by Python's plistlib${python.note}`, () => {
    const lists = paths(/\.(plist|mobileconfig)$/).map((path) => [path, text(path)]);
    const program =
      'import json,plistlib,sys\nfor path, text in json.load(sys.stdin):\n  plistlib.loads(text.encode()); print(path)';
    const read = check('python3', ['-c', program], Buffer.from(JSON.stringify(lists))).toString();
    expect(read.trim().split('\n')).toEqual(lists.map(([path]) => path));
  });

  it.skipIf(shellcheck.missing)(`every script passes shellcheck${shellcheck.note}`, () => {
    check('shellcheck', ['-s', 'sh', '-e', 'SC2317,SC2034', ...places(/^scripts\/.*\.sh$/)]);
  });

  it.skipIf(ruby.missing)(`the cask is read by Ruby${ruby.note}`, () => {
    check('ruby', ['-c'], files.find(({ path }) => path === 'homebrew/escrow-buddy.rb')!.data);
  });

  it('YAML and JSON are read by their readers, with words that YAML 1.1 would take for others in quotes', () => {
    for (const path of paths(/\.json$/)) JSON.parse(text(path));
    for (const path of paths(/\.ya?ml$/))
      expect(parseYaml(text(path), { version: '1.1' })).toEqual(parseYaml(text(path)));
  });

  it('recipes hold no word between two % that AutoPkg would put a value in for, but those that it has one for', () => {
    const known = ['CATEGORY', 'MUNKI_REPO_SUBDIR', 'NAME', 'pathname', 'version'];
    const found = paths(/\.recipe\.yaml$/).flatMap((path) => [...text(path).matchAll(/%([a-zA-Z_]\w*)%/g)]);
    expect([...new Set(found.map(([, key]) => key))].sort()).toEqual(known);
  });

  it('the placeholder of the escrow template is not a certificate', () => {
    expect(text('profiles/escrow-template.mobileconfig')).toContain(
      Buffer.from('REPLACE THIS').toString('base64').slice(0, 12),
    );
  });
});

describe('kit --check', () => {
  const problems = async (archive: Buffer, packagePath = builtPackage()) =>
    (await checkKit(root, archive, packagePath)).filter(({ status }) => status === 'fail').map(({ reason }) => reason);

  it('finds nothing in a kit and the package that it was made from', async () => {
    expect(await problems(await packed(files))).toEqual([]);
    expect((await unzip(await packed(files))).files).toHaveLength(files.length);
  });

  it(`finds one changed byte in any file of the kit${ofTheDay}`, async () => {
    // One file of each folder a day, and kit.json.
    const today = byDay(files, 0, ({ path }) => (path === 'kit.json' ? path : dirname(path)));
    // A report names no more than a few; a package or kit.json that is changed ends the search.
    const alone = ({ path }: KitFile) => path.startsWith('extras/') || path === 'kit.json';
    const groups = today.filter(alone).map((file) => [file]);
    for (let left = today.filter((file) => !alone(file)); left.length > 0; left = left.slice(4))
      groups.push(left.slice(0, 4));
    for (const group of groups) {
      const changed = files.map((file) => {
        if (!group.includes(file)) return file;
        const data = Buffer.from(file.data);
        data[Math.floor(data.length / 2)]! ^= 1;
        return { path: file.path, data };
      });
      const said = (await problems(await packed(changed))).join();
      for (const { path } of group) expect(said).toContain(path);
    }
  });

  it('finds a file too many, one too few, and a byte of the archive itself', async () => {
    expect((await problems(await packed([...files, { path: 'x.sh', data: Buffer.from('x') }]))).join()).toContain(
      'x.sh',
    );
    expect((await problems(await packed(files.slice(1)))).join()).toContain(`${files[0]!.path} is missing`);
    const archive = await packed(files);
    for (const at of [10, 30, archive.length - 30, archive.length - 1]) {
      const changed = Buffer.from(archive);
      changed[at]! ^= 1;
      expect(await problems(changed), String(at)).not.toEqual([]);
    }
    expect(await problems(Buffer.concat([archive, Buffer.from('x')]))).not.toEqual([]);
    expect(await problems(Buffer.from('not a zip'))).not.toEqual([]);
  });
});

describe('the guard as a task of the MDM', () => {
  const json = (name: string) => JSON.parse(text(`apple-mdm/${name}`));
  const data = (name: string) => files.find(({ path }) => path === `apple-mdm/${name}`)!.data;

  it('is two assets with address, size and digest of their files, and a configuration that names both', () => {
    const assets = [
      ['declaration-asset-guard-executable.json', 'guard.zip', 'application/zip'],
      ['declaration-asset-guard-launchd.json', 'guard.launchd.plist', 'application/xml'],
    ] as const;
    for (const [declaration, name, type] of assets) {
      expect(json(declaration).Payload.Reference).toEqual({
        DataURL: URL.replace(/[^/]*$/, name),
        ContentType: type,
        Size: data(name).length,
        'Hash-SHA-256': createHash('sha256').update(data(name)).digest('hex'),
      });
    }
    const { Payload } = json('declaration-background-tasks.json');
    expect(Payload.ExecutableAssetReference).toBe(json(assets[0][0]).Identifier);
    expect(Payload.LaunchdConfigurations).toEqual([
      { FileAssetReference: json(assets[1][0]).Identifier, Context: 'daemon' },
    ]);
  });

  it('holds the guard of the package, and starts it as the Guard package does', async () => {
    expect((await unzip(data('guard.zip'))).files).toEqual([
      { path: 'guard/guard.sh', data: Buffer.from(facts.guardScript) },
    ]);
    const job = parsePlist(text('apple-mdm/guard.launchd.plist')) as Record<string, unknown>;
    const printed = readFileSync('scripts/lib/guard-install.sh', 'utf8');
    const keys = [...printed.matchAll(/<key>(\w+)<\/key>/g)].map(([, key]) => key);
    expect(Object.keys(job)).toEqual(keys);
    expect(printed).toContain(`<integer>${job.StartInterval}</integer>`);
    expect(job.WatchPaths).toHaveLength(4);
  });
});
