import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { makeKit } from '../../build/kit/make-kit.ts';
import { kitSource } from '../build/kit/made-kit.ts';
import { check } from '../support/needs.ts';
import { buildGo, installNpmPackage, installPythonPackage } from './install.ts';

const kit = new Map<string, Buffer>();
let folder: string;
const text = (path: string) => (kit.get(path) as Buffer).toString('utf8');
const json = (path: string) => JSON.parse(text(path));
const named = (pattern: RegExp) => [...kit.keys()].filter((path) => pattern.test(path)).sort();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kit-interop-'));
  for (const { path, data } of await makeKit(kitSource())) {
    kit.set(path, data);
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), data);
  }
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs Python with one package of others; what it prints must be JSON. */
function python(name: string, version: string, program: string, ...argv: string[]): unknown {
  const run = spawnSync(installPythonPackage(name, version), ['-c', program, ...argv], {
    encoding: 'utf8',
    cwd: folder,
  });
  expect(run.status, run.stderr).toBe(0);
  return JSON.parse(run.stdout);
}

describe('AutoPkg recipes, read by cloud-autopkg-runner', () => {
  const PROGRAM = `import sys,json,pathlib,plistlib
from cloud_autopkg_runner import AutoPkgPrefs
from cloud_autopkg_runner.recipe import Recipe
prefs=pathlib.Path('prefs.plist')
prefs.write_bytes(plistlib.dumps({}))
out=[]
for p in sys.argv[1:]:
    r=Recipe(pathlib.Path(p), report_dir=pathlib.Path('reports'), autopkg_prefs=AutoPkgPrefs(prefs))
    out.append(dict(identifier=r.identifier,parent=r.parent_recipe,minimum=r.minimum_version,input=r.input,format=r.format().value,
        description=r.description,process=[s['Processor'] for s in r.process]))
print(json.dumps(out))`;

  it('are recipes, and each parent is one of them', () => {
    const paths = named(/^autopkg\/.*\.recipe\.yaml$/);
    const recipes = python('cloud-autopkg-runner', '0.28.0', PROGRAM, ...paths) as {
      identifier: string;
      parent: string;
      process: string[];
    }[];
    expect(recipes).toHaveLength(3);
    const identifiers = recipes.map(({ identifier }) => identifier);
    for (const [index, recipe] of recipes.entries()) {
      const ours = parseYaml(text(paths[index] as string));
      expect(recipe).toEqual({
        identifier: ours.Identifier,
        parent: ours.ParentRecipe ?? '',
        minimum: '2.3',
        input: ours.Input,
        format: 'yaml',
        description: ours.Description,
        process: ours.Process.map(({ Processor }: { Processor: string }) => Processor),
      });
      if (recipe.parent !== '') expect(identifiers).toContain(recipe.parent);
    }
  });
});

describe("Ruby's own parser", () => {
  it('reads the cask without an error or a warning, and finds one in a broken one', async () => {
    const { loadPrism } = await import(
      pathToFileURL(join(installNpmPackage('@ruby/prism', '1.9.0'), 'src/index.js')).href
    );
    const parse = await loadPrism();
    const cask = text('homebrew/escrow-buddy.rb');
    const { errors, warnings } = parse(cask);
    expect([errors, warnings]).toEqual([[], []]);
    expect(parse(cask.replace(/end\n$/, '')).errors).not.toEqual([]);
  });
});

describe('the servers of others', () => {
  let readers: string;
  const read = (kind: string, data: Buffer) => JSON.parse(check(readers, [kind], data).toString());
  beforeAll(() => {
    readers = buildGo(fileURLToPath(new URL('./readers/main.go', import.meta.url)), {
      'github.com/jessepeterson/kmfddm': 'v0.8.3',
      'github.com/ghodss/yaml': 'v1.0.0',
      'gopkg.in/yaml.v2': 'v2.4.0',
    });
  });

  it('KMFDDM takes every declaration, and sorts it as Apple does', () => {
    const kinds = named(/\/declaration-.*\.json$/).map((path) => {
      const { manifest, identifier, payload } = read('declaration', kit.get(path) as Buffer);
      expect([identifier, payload]).toEqual([json(path).Identifier, json(path).Payload]);
      return manifest;
    });
    expect(kinds.sort()).toEqual(['asset', 'asset', 'configuration', 'configuration', 'configuration']);
    expect(() => read('declaration', Buffer.from('{"Type":"com.apple.configuration.package"}'))).toThrow();
  });

  it("Fleet's YAML library, which is of YAML 1.1, reads what we wrote", () => {
    const paths = named(/\.ya?ml$/);
    expect(paths.length).toBeGreaterThan(6);
    for (const path of paths) expect(read('yaml', kit.get(path) as Buffer), path).toEqual(parseYaml(text(path)));
    expect(() => read('yaml', Buffer.from('a: 1\na: 2\n'))).toThrow();
  });
});

describe("Microsoft's own types", () => {
  it('have a place for every key of the app that Intune is given', () => {
    const types = join(installNpmPackage('@microsoft/microsoft-graph-types-beta', '0.44.0-preview'), 'microsoft-graph');
    const check = (app: object) => {
      const source = `import type { MacOSPkgApp, MacOSIncludedApp } from ${JSON.stringify(types)};
type Tagged<T> = T & { '@odata.type': string };
export const app: Tagged<Omit<MacOSPkgApp, 'includedApps'>> & { includedApps: Tagged<MacOSIncludedApp>[] } = ${JSON.stringify(app)};`;
      writeFileSync(join(folder, 'app.ts'), source);
      const argv = ['--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--types', '', join(folder, 'app.ts')];
      return spawnSync(process.execPath, [join(process.cwd(), 'node_modules/typescript/bin/tsc'), ...argv], {
        encoding: 'utf8',
      });
    };
    const app = json('intune/app.json');
    expect(check(app)).toMatchObject({ stdout: '', status: 0 });
    expect(check({ ...app, primaryBundleIdentifier: 'x' }).stdout).toContain('primaryBundleIdentifier');
    expect(check({ ...app, minimumSupportedOperatingSystem: { v10_99: true } }).stdout).toContain('v10_99');
  });
});

describe("the Jamf Pro SDK's models", () => {
  const PROGRAM = `import json
from jamf_pro_sdk.models.pro.packages import Package
from jamf_pro_sdk.models.classic.criteria import ClassicCriterion
package=json.load(open('jamf-pro/package.json'))
unknown=[k for k in package if k not in Package.model_fields]
for k,v in package.items():
    if not isinstance(v, (bool,int) if Package.model_fields[k].annotation in (bool,int) else str): unknown.append(k)
groups={}
for name in ('key-missing','stuck'):
    group=json.load(open(f'jamf-pro/smart-group-{name}.json'))
    groups[group['name']]=[ClassicCriterion(name=c['name'],priority=c['priority'],and_or=c['andOr'],search_type=c['searchType'],
        value=c['value'],opening_paren=False,closing_paren=False).name for c in group['criteria']]
print(json.dumps(dict(unknown=unknown,groups=groups)))`;

  it('know every key of the package record and every search type of the smart groups', () => {
    expect(python('jamf-pro-sdk', '0.9a1', PROGRAM)).toEqual({
      unknown: [],
      groups: {
        'FileVault key missing': ['FileVault 2 Partition Encryption State', 'FileVault 2 Individual Key Validation'],
        'Escrow Buddy: stuck': ['Escrow Buddy', 'Escrow Buddy'],
      },
    });
  });
});
