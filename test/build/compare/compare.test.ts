import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { comparePackages, isSameContent, type PackageComparison } from '../../../build/compare/compare.ts';
import { describePackage } from '../../../build/compare/describe.ts';
import { renderComparison } from '../../../build/compare/render.ts';
import { buildProduct, type ProductPlan } from '../../../src/package/product.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import type { SignatureReservation } from '../../../src/xar/toc-render.ts';
import { buildTrailer } from '../../../src/xar/trailer.ts';
import { deflatedFile, emitXar, layoutXar } from '../../../src/xar/write.ts';
import { sampleSlice } from '../../code-signature/sample.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';
import { collect, directory, file, symlink } from '../../support/payload.ts';
import { packageOf, productOf } from '../../verify/others.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'compare-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

// printf note | sha256sum
const LINK_DIGEST = 'edb465624291e4053c6c5ea4b7eb320dec773e10a57d26b95dcf0564f8e310f8';
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

describe('a package', () => {
  const made = (component: Partial<ProductPlan['component']>) =>
    written('made.pkg', { ...PLAN, component: { ...PLAN.component, ...component } }).then(describePackage);

  it('says what it is, what Installer reads, and what it lays down where', async () => {
    const found = await made({});
    expect(found).toMatchObject({
      file: 'made.pkg',
      identity: {
        ...{ title: 'A', identifier: 'com.example.a', version: '1.0', 'signed by': null },
        ...{ 'certificate ends': null, 'signed at': null, 'stapled ticket': null },
      },
      installation: { 'oldest macOS': '11.0', components: 'com.example.a' },
    });
    const component = found.components.get('com.example.a')!;
    expect(component.facts).toMatchObject({
      version: '1.0',
      'installs into': '/Library/Example',
      'runs as': 'root',
      afterwards: null,
    });
    expect([...component.files.keys()]).toEqual([
      '/Library/Example',
      ...['', '/data', '/link', '/note'].map((name) => `/Library/Example/A.bundle${name}`),
    ]);
    expect([...component.scripts.keys()]).toEqual(['.', 'postinstall']);
    const [note, data, link, folder] = ['/note', '/data', '/link', ''].map(
      (name) => component.files.get(`/Library/Example/A.bundle${name}`)!,
    );
    expect(note).toMatchObject({
      kind: 'file',
      mode: '0644',
      owner: '0:0',
      size: 14,
      text: 'one\ntwo\nthree\n',
      slices: [],
    });
    expect(data).toMatchObject({ size: 3, text: null });
    expect(link).toMatchObject({ kind: 'symlink', text: null, sha256: LINK_DIGEST });
    expect(folder).toMatchObject({ kind: 'directory', sha256: null, text: null });
  });

  it('of somebody else, of one component or several, says what it says itself', async () => {
    const authority = await sharedAuthority();
    const put = async (data: Promise<Buffer>) => {
      writeFileSync(join(scratch, 'other.pkg'), await data);
      return describePackage(join(scratch, 'other.pkg'));
    };
    const payload = [file('./a', 'x')];
    const bare = await put(packageOf(authority, { payload, identifier: 'com.example.b' }));
    expect(bare.identity).toMatchObject({
      title: null,
      identifier: 'com.example.b',
      version: '1.0',
      'stapled ticket': null,
    });
    expect(bare.identity['signed by']).toMatch(/^Developer ID Installer: /);
    expect(bare.installation).toEqual({
      ...{ 'oldest macOS': null, architectures: null, components: 'com.example.b', 'what may be chosen': null },
    });
    const nothing = deflatedFile('Distribution', Buffer.from('<installer-gui-script minSpecVersion="1"/>'));
    const none = await put(collect(emitXar(layoutXar([nothing], { creationTime: 1 }))));
    expect([none.identity.identifier, none.identity.version]).toEqual([null, null]);
    const parts = {
      'a.pkg': { payload, identifier: 'com.example.a' },
      'b.pkg': { payload, identifier: 'com.example.b' },
    };
    const several = await put(productOf(authority, parts));
    expect(several.identity).toMatchObject({ title: 'Example', identifier: 'com.example.product' });
    expect(several.installation).toMatchObject({
      architectures: 'arm64, x86_64',
      components: 'com.example.a, com.example.b',
    });
    expect([...several.components.keys()]).toEqual(['com.example.a', 'com.example.b']);
  });

  it('bears the signature that Installer believes, or the one that it has', async () => {
    const { application, installer } = (await sharedAuthority()).members;
    const rsa = { style: 'RSA' as const, size: 256, certificates: [application.certificate.der] };
    const cms = { style: 'CMS' as const, size: 9, certificates: [installer.certificate.der] };
    const signer = async (...signatures: SignatureReservation[]) => {
      const info = '<pkg-info identifier="a" version="1"><payload numberOfFiles="1" installKBytes="0"/></pkg-info>';
      const layout = layoutXar([deflatedFile('PackageInfo', Buffer.from(info))], { creationTime: 1, signatures });
      const path = join(scratch, 'signed.pkg');
      const data = await collect(emitXar(layout, signatures.map(({ size }) => Buffer.alloc(size)))); // biome-ignore format: short
      writeFileSync(path, Buffer.concat([data, buildTrailer(Buffer.from('no ticket'))]));
      const { identity, components } = await describePackage(path);
      // Without a place it installs into the root.
      expect([components.get('a')?.facts['installs into'], identity['stapled ticket']]).toEqual(['/', 'unreadable']);
      return identity['signed by'];
    };
    expect([await signer(), await signer(rsa), await signer(rsa, cms)]).toEqual([
      null,
      application.certificate.commonName,
      installer.certificate.commonName,
    ]);
  });

  it('that installs into the root names paths from there', async () => {
    const { components } = await made({ installLocation: '/' });
    expect([...components.get('com.example.a')!.files.keys()].slice(0, 2)).toEqual(['/', '/A.bundle']);
  });

  it('keeps texts of at most 524,288 bytes, and no bytes that are none', async () => {
    const texts = async (...contents: (string | Buffer)[]) => {
      const files = contents.map((content, at) => file(`./A.bundle/f${at}`, content));
      const { components } = await made({ payload: [directory('.'), directory('./A.bundle'), ...files] });
      return [...components.get('com.example.a')!.files.values()]
        .filter(({ kind }) => kind === 'file')
        .map(({ text }) => text?.length ?? null);
    };
    expect(await texts('x'.repeat(524_288), 'x'.repeat(524_289), '', 'é', 'a\0b', Buffer.from([0xff]))).toEqual([
      524_288,
      null,
      null,
      1,
      null,
      null,
    ]);
  });

  it('of ours says who signed it, when, and what its program is', async () => {
    const { identity, components } = await describePackage(builtPackage());
    expect(identity).toMatchObject({
      'signed by': expect.stringMatching(/^Developer ID Installer: /),
      'certificate ends': expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/),
      'signed at': expect.stringMatching(/^\d{4}-/),
      'stapled ticket': expect.stringMatching(/^\d{4}-/),
    });
    const program = [...[...components.values()][0]!.files.values()].find(({ slices }) => slices.length > 0)!;
    expect(program.slices.map(({ architecture }) => architecture)).toEqual(['x86_64', 'arm64']);
    expect(program.slices[1]!.facts).toMatchObject({
      ...{ 'signing identifier': 'com.netflix.Escrow-Buddy', team: 'REHEARSAL0', 'oldest macOS': '11.0', SDK: '14.4' },
      ...{ cdhash: expect.stringMatching(/^[0-9a-f]{40}$/), flags: 'runtime' },
      libraries: expect.stringContaining('/usr/lib/libSystem.B.dylib, '),
    });
  });

  it('with a program that nobody signed, or that is broken, says so', async () => {
    const slice = sampleSlice('arm64');
    const payload = (data: Buffer) => [directory('.'), file('./run', data, 0o755)];
    const slices = async (data: Buffer) =>
      (await made({ payload: payload(data) })).components.get('com.example.a')!.files.get('/Library/Example/run')!
        .slices;
    const [plain] = await slices(slice);
    expect(plain!.facts).toMatchObject({ 'signing identifier': null, team: null, cdhash: null, flags: null });
    expect(await slices(slice.subarray(0, 100))).toEqual([]);
    // A program may be longer than any text.
    expect(await slices(Buffer.concat([slice, Buffer.alloc(1_100_000)]))).toHaveLength(1);
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
