import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { comparePackages, isSameContent, type PackageComparison } from '../../../build/compare/compare.ts';
import { describePackage } from '../../../build/compare/describe.ts';
import { renderComparison } from '../../../build/compare/render.ts';
import { buildProduct, type ProductPlan } from '../../../src/package/product.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';
import { directory, file, symlink } from '../../support/payload.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'compare-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

const PAYLOAD: PayloadEntry[] = [
  directory('.'),
  directory('./A.bundle'),
  file('./A.bundle/note', 'one\ntwo\nthree\n'),
  file('./A.bundle/data', Buffer.from([0, 1, 2])),
  symlink('./A.bundle/link', 'note'),
];
const SCRIPTS: PayloadEntry[] = [directory('.'), file('./postinstall', '#!/bin/sh\nexit 0\n', 0o755)];
const PLAN: ProductPlan = {
  identifier: 'com.example.a',
  version: '1.0',
  title: 'A',
  minimumSystemVersion: '11.0',
  component: {
    identifier: 'com.example.a',
    version: '1.0',
    installLocation: '/Library/Example',
    payload: PAYLOAD,
    scripts: SCRIPTS,
    bundles: [],
  },
  creationTime: 1_700_000_000,
};

async function written(name: string, plan: ProductPlan): Promise<string> {
  const path = join(scratch, name);
  await buildProduct(plan, path, new AbortController().signal);
  return path;
}

async function changed(component: Partial<ProductPlan['component']>, product: Partial<ProductPlan> = {}) {
  const one = await written('one.pkg', PLAN);
  const other = await written('other.pkg', { ...PLAN, ...product, component: { ...PLAN.component, ...component } });
  return comparePackages(await describePackage(one), await describePackage(other));
}

const replaced = (entry: PayloadEntry) => PAYLOAD.map((old) => (old.path === entry.path ? entry : old));
const fileChange = (found: PackageComparison) => found.components[0]?.files[0];

describe('two packages', () => {
  it('that are one show no difference', async () => {
    const found = await changed({});
    expect(found).toMatchObject({ identity: [], installation: [], components: [] });
    expect(isSameContent(found)).toBe(true);
  });

  it.each<[string, PayloadEntry[], object]>([
    ['a line of a text', replaced(file('./A.bundle/note', 'one\n2\nthree\n')), { lines: ['- two', '+ 2'] }],
    ['a byte of a file', replaced(file('./A.bundle/data', Buffer.from([0, 1, 3]))), { lines: [] }],
    [
      'a mode',
      replaced(file('./A.bundle/note', 'one\ntwo\nthree\n', 0o600)),
      { facts: [{ name: 'mode', old: '0644', new: '0600' }] },
    ],
    [
      'an owner',
      replaced({ ...file('./A.bundle/note', 'one\ntwo\nthree\n'), uid: 501 }),
      { facts: [{ name: 'owner', old: '0:0', new: '501:0' }] },
    ],
    [
      "a link's target",
      replaced(symlink('./A.bundle/link', 'data')),
      { path: '/Library/Example/A.bundle/link', change: 'changed' },
    ],
    ['a new file', [...PAYLOAD, file('./A.bundle/z', '')], { path: '/Library/Example/A.bundle/z', change: 'added' }],
    ['a missing file', PAYLOAD.slice(0, -1), { path: '/Library/Example/A.bundle/link', change: 'removed' }],
  ])('that differ in %s say so', async (_, payload, expected) => {
    const found = await changed({ payload });
    expect(found.components[0]?.files).toHaveLength(1);
    expect(fileChange(found)).toMatchObject(expected);
    expect(isSameContent(found)).toBe(false);
  });

  it('that differ in a script, what it registers and what it sets, say so', async () => {
    const text =
      "#!/bin/sh\nM='Example:Invoke,privileged'\n/usr/bin/defaults write /Library/Preferences/a EnableIt -bool true\n";
    const found = await changed({ scripts: [directory('.'), file('./postinstall', text, 0o755)] });
    expect(found.components[0]?.scripts[0]).toMatchObject({ path: 'postinstall', change: 'changed' });
    expect(found.mechanisms).toEqual({ removed: [], added: ['Example:Invoke,privileged'] });
    expect(found.settings).toEqual({ removed: [], added: ['EnableIt'] });
  });

  it('that differ in version, title, oldest macOS and place say so', async () => {
    const found = await changed(
      { version: '1.1', installLocation: '/Library/Other' },
      { version: '1.1', title: 'B', minimumSystemVersion: '12.0' },
    );
    expect(found.identity).toEqual([
      { name: 'title', old: 'A', new: 'B' },
      { name: 'version', old: '1.0', new: '1.1' },
    ]);
    expect(found.installation).toEqual([{ name: 'oldest macOS', old: '11.0', new: '12.0' }]);
    expect(found.components[0]?.facts).toContainEqual({
      name: 'installs into',
      old: '/Library/Example',
      new: '/Library/Other',
    });
  });

  it('show control characters of names as escapes', async () => {
    const found = await changed({ payload: [...PAYLOAD, file('./A.bundle/\u001b[31mred', '')] });
    expect(renderComparison(found, false)).not.toContain('\u001b');
  });
});

describe('compare', () => {
  it('shows who signed, and that nothing else differs, for people and for programs', async () => {
    const copy = join(scratch, 'copy.pkg');
    copyFileSync(builtPackage(), copy);
    const run = await inProcess(['compare', builtPackage(), copy]);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('Unchanged: identity, where it installs');
    const document = JSON.parse((await inProcess(['compare', '--json', builtPackage(), copy])).stdout);
    expect(document).toMatchObject({ schema: 1, sameContent: true, components: [] });
  });

  it('refuses what is not a package', async () => {
    expect((await inProcess(['compare', builtPackage(), 'package.json'])).status).toBe(6);
    expect((await inProcess(['compare', builtPackage(), join(scratch, 'absent.pkg')])).status).toBe(2);
  });
});
