import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { decodeBom } from '../../../src/bom/decode.ts';
import { encodeBom } from '../../../src/bom/encode.ts';
import { BOM_BLOCK, BOM_HEADER } from '../../../src/bom/layout.ts';
import { openPackage } from '../../../src/package/open-package.ts';
import { openRehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import type { OurForm } from '../../../src/verify/expectations.ts';
import { checkOwnForm } from '../../../src/verify/own-form/own-form.ts';
import { findMember, readXar } from '../../../src/xar/read.ts';
import { attackKit } from '../../attacks/attack.ts';
import {
  assemble,
  changeFile,
  contentOf,
  flip,
  openSample,
  type Parts,
  packScripts,
  type Sample,
  withPayload,
} from '../../mutation/sample.ts';
import { builtPackage } from '../../support/built-package.ts'; // biome-ignore format: short

let sample: Sample;
let form: OurForm;
let opened: Awaited<ReturnType<typeof openPackage>>;
beforeAll(async () => {
  sample = await openSample(readFileSync(builtPackage()), await openRehearsalAuthority('.rehearsal'));
  form = (await (await attackKit(process.cwd(), sample)).formOf(sample.file, 'x.pkg')) as OurForm;
  opened = await openPackage(accessBuffer(sample.file));
});

const ALL = [
  'form-signature',
  'form-header',
  'form-toc',
  'form-scripts',
  'form-script-names',
  'form-payload',
  'form-distribution',
  'form-package-info',
  'form-bom',
  'form-code',
];
const OF_APPLE = ALL.slice(3); // biome-ignore format: short

/** What fails of a package when it is held to a form. */
async function held(to: Partial<OurForm> = {}, file?: Buffer | Promise<Buffer>) {
  const list = new CheckList('a');
  await checkOwnForm(list, file ? await openPackage(accessBuffer(await file)) : opened, { ...form, ...to });
  const failed = list.checks.filter(({ status }) => status === 'fail');
  return {
    asked: list.checks.map(({ id }) => id),
    failed: failed.map(({ id }) => id),
    words: failed.map(({ id, reason }) => `${id}: ${reason}`).join('\n'),
  };
}
const APPLE = { madeBy: 'apple' } as const;
const BUNDLE = './Escrow Buddy.bundle';

describe('a package of ours', () => {
  it('is what our writers make, and says what it says where Apple’s tools made it', async () => {
    expect(await held()).toEqual({ asked: ALL, failed: [], words: '' });
    expect(await held(APPLE)).toEqual({ asked: OF_APPLE, failed: [], words: '' });
  });

  it.each<[string, (form: OurForm) => Partial<OurForm>, string[], string]>([
    ['another identifier', () => ({ identifier: 'x' }), ['form-toc', 'form-payload'], 'form-toc: x.pkg/Bom is missing or empty\nform-payload: there is no x.pkg with Payload and Scripts'],
    ['a script more', ({ scripts }) => ({ scripts: [...scripts, 'more'] }), ['form-scripts'], './more is missing'],
    ['a script less', ({ scripts }) => ({ scripts: scripts.slice(1) }), ['form-scripts', 'form-package-info'], 'does not belong in it'],
    ['one script alone', ({ scripts }) => ({ scripts: scripts.slice(0, 1) }), ['form-scripts', 'form-package-info'], 'does not belong in it'],
    ['no scripts', () => ({ scripts: [] }), ['form-toc', 'form-scripts', 'form-package-info'], 'does not belong in it'],
    ['a file more', ({ payload }) => ({ payload: new Map([...payload, ['more', 0o644]]) }), ['form-payload', 'form-package-info', 'form-bom'], './more is missing'],
    ['a file of the bundle more', ({ payload }) => ({ payload: new Map([...payload, ['Escrow Buddy.bundle/Contents/Resources/more', 0o644]]) }), ['form-payload', 'form-package-info', 'form-bom', 'form-code'], 'Resources/more is missing'],
    ['a file less', ({ payload }) => ({ payload: new Map([...payload].slice(0, -1)) }), ['form-payload', 'form-distribution', 'form-package-info', 'form-bom', 'form-code'], 'does not belong in it'],
    ['another mode', ({ payload }) => ({ payload: new Map([...payload, ['.', 0o700]]) }), ['form-payload', 'form-bom'], 'in the header of ., field mode: expected'],
    ['another owner', () => ({ owner: { uid: 1, gid: 0 } }), ['form-scripts', 'form-payload', 'form-bom'], 'in the header of ., field uid: expected'],
    ['another group', () => ({ owner: { uid: 0, gid: 20 } }), ['form-scripts', 'form-payload', 'form-bom'], 'in the header of ., field gid: expected'],
    ['another title', () => ({ title: 'Other' }), ['form-distribution'], 'in <title>'],
    ['another macOS', () => ({ minimumSystemVersion: '99.0' }), ['form-distribution'], 'min="99.0"'],
    ['another place', () => ({ installLocation: '/x' }), ['form-package-info'], 'install-location="/x"'],
    ['a version that is none', () => ({ isVersion: () => false }), ['form-package-info'], 'which no release of ours can have'],
    ['another version of a bundle', ({ bundles }) => ({ bundles: (version) => bundles(version).map((one) => ({ ...one, shortVersion: '9.9' })) }), ['form-package-info', 'form-code'], 'Info.plist: CFBundleShortVersionString'],
    ['another build of a bundle', ({ bundles }) => ({ bundles: (version) => bundles(version).map((one) => ({ ...one, version: '9.9' })) }), ['form-package-info', 'form-code'], 'Info.plist: CFBundleVersion'],
    ['another identifier of a bundle', ({ bundles }) => ({ bundles: (version) => bundles(version).map((one) => ({ ...one, id: 'x' })) }), ['form-package-info', 'form-code'], 'Info.plist: CFBundleIdentifier'],
    ['another place of a bundle', ({ bundles }) => ({ bundles: (version) => bundles(version).map((one) => ({ ...one, path: 'x.bundle' })) }), ['form-package-info', 'form-code'], 'form-code: it cannot be signed again'],
  ])('does not have a form with %s', async (_, change, expected, words) => {
    const found = await held(change(form));
    expect(found.failed).toEqual(expected);
    expect(found.words).toContain(words);
  }); // biome-ignore format: a table

  it.each<[string, (form: OurForm) => Partial<OurForm>, string[], string]>([
    ['another owner', () => ({ owner: { uid: 1, gid: 0 } }), ['form-payload', 'form-bom'], 'belongs to 0:0, expected 1:0'],
    ['another group', () => ({ owner: { uid: 0, gid: 20 } }), ['form-payload', 'form-bom'], 'belongs to 0:0, expected 0:20'],
    ['another mode', ({ payload }) => ({ payload: new Map([...payload, ['.', 0o700]]) }), ['form-payload', 'form-bom'], '. has mode 40755, expected 40700'],
    ['a script less', ({ scripts }) => ({ scripts: scripts.slice(1) }), ['form-scripts', 'form-package-info'], 'does not belong in it'],
    ['a file more', ({ payload }) => ({ payload: new Map([...payload, ['more', 0o644]]) }), ['form-payload', 'form-package-info'], './more is missing'],
    ['another title', () => ({ title: 'Other' }), ['form-distribution'], 'Distribution does not say'],
    ['another place', () => ({ installLocation: '/x' }), ['form-package-info'], 'PackageInfo does not say'],
    ['another version of a bundle', ({ bundles }) => ({ bundles: (version) => bundles(version).map((one) => ({ ...one, version: '9.9' })) }), ['form-package-info', 'form-code'], 'Info.plist: CFBundleVersion'],
  ])('that Apple’s tools made does not say %s', async (_, change, expected, words) => {
    const found = await held({ ...APPLE, ...change(form) });
    expect(found.failed).toEqual(expected);
    expect(found.words).toContain(words);
  }); // biome-ignore format: a table

  it('may have no bundle, whose code is not asked then', async () => {
    expect((await held({ bundles: () => [] })).asked).toEqual(ALL.slice(0, -1));
  });

  it('needs its Payload and, with scripts, its Scripts', async () => {
    const [component] = opened.components;
    const run = async (change: object, to: Partial<OurForm> = {}) => {
      const list = new CheckList('a');
      const components = [{ ...component, ...change }];
      await checkOwnForm(list, { ...opened, components } as unknown as typeof opened, { ...form, ...APPLE, ...to });
      return list.checks.map(({ id, status }) => `${id} ${status}`);
    };
    expect(await run({ payload: undefined })).toEqual(['form-payload fail']);
    expect(await run({ scripts: undefined })).toEqual(['form-payload fail']);
    expect(await run({ folder: 'x.pkg' })).toEqual(['form-payload fail']);
    // That there is no Bom is said of the payload.
    expect(await run({ bom: undefined })).toContain('form-bom pass');
    expect(await run({ bom: undefined }, { madeBy: 'portable' })).toContain('form-bom pass');
    expect(await run({ scripts: undefined }, { scripts: ['preinstall'] })).toEqual(['form-payload fail']);
    expect(await run({ scripts: undefined }, { scripts: [] })).toEqual([
      'form-payload pass',
      'form-distribution pass',
      'form-package-info fail',
      'form-bom pass',
      'form-code pass',
    ]);
  });
});

describe('scripts of ours', () => {
  const withScript = async (name: string, change: (text: string) => string) => {
    const edit = (data: Buffer) => Buffer.from(change(data.toString()));
    return assemble(sample, { scripts: await packScripts(await changeFile(sample.scripts, name, edit)) });
  };

  it('say in their second line which one they are', async () => {
    for (const name of ['preinstall', 'postinstall']) {
      const other = name === 'preinstall' ? 'postinstall' : 'preinstall';
      const swapped = await withScript(`./${name}`, (text) => text.replace(`# ${name}`, `# ${other}`));
      const { failed, words } = await held({}, swapped);
      expect(failed).toEqual(['form-script-names']);
      expect(words).toContain(`./${name} is another script: its second line is "# ${other}`);
    }
    const bare = await held(
      {},
      withScript('./preinstall', () => '#!/bin/sh'),
    );
    expect(bare.words).toContain('./preinstall is another script: its second line is ""');
    const within = await held(
      {},
      withScript('./preinstall', (text) => text.replace('# preinstall', ': # preinstall')),
    );
    expect(within.words).toContain('./preinstall is another script: its second line is ": # preinstall');
    const long = await held(
      {},
      withScript('./preinstall', (text) => text.replace('# preinstall', 'x'.repeat(61))),
    );
    expect(long.words).toContain(`second line is "${'x'.repeat(60)}"`);
  });
});

describe('the bytes of an archive of ours', () => {
  const part = (change: Partial<Record<keyof Parts, (data: Buffer) => Buffer>>) =>
    assemble(
      sample,
      Object.fromEntries(Object.entries(change).map(([name, edit]) => [name, edit(sample.parts[name as keyof Parts])])),
    );

  it('name the header of gzip', async () => {
    const { words, failed } = await held({}, part({ payload: (data) => flip(data, 9) }));
    expect(failed).toEqual(['form-payload']);
    expect(words).toMatch(/gzip header 1f8b08\w+, expected 1f8b08/);
    expect((await held({}, part({ scripts: (data) => flip(data, 9) }))).failed).toEqual(['form-scripts']);
    expect((await held(APPLE, part({ payload: (data) => flip(data, 9) }))).failed).toEqual([]);
  });

  it('name the part of the Bom', async () => {
    const { bom } = sample.parts;
    const { indexOffset, varsOffset, varsLength } = BOM_HEADER.decode(bom);
    const block = (number: number) => BOM_BLOCK.decode(bom, indexOffset + 4 + number * BOM_BLOCK.size);
    const at = async (offset: number) => {
      const archive = await readXar(accessBuffer(await assemble(sample, { bom: flip(bom, offset) })));
      const [component] = opened.components;
      const member = (name: string) => findMember(archive, `${sample.folder}/${name}`);
      const components = [{ ...component, payload: member('Payload'), scripts: member('Scripts') }];
      const list = new CheckList('a');
      await checkOwnForm(list, { ...opened, archive, components } as unknown as typeof opened, form);
      expect(list.checks.filter(({ status }) => status === 'fail').map(({ id }) => id)).toEqual(['form-bom']);
      return list.checks.find(({ id }) => id === 'form-bom')?.reason;
    };
    const told = (offset: number, place: string) => {
      const bytes = (data: Buffer) => data.toString('hex', offset, offset + 4);
      return `Bom, byte ${offset} (${place}): expected ${bytes(bom)}, found ${bytes(flip(bom, offset))}`;
    };
    const [one, two] = [block(1), block(2)];
    for (const [offset, place] of [
      [8, 'header'],
      [BOM_HEADER.size - 1, 'header'],
      [BOM_HEADER.size, 'between the blocks'],
      [one.offset, 'block 1'],
      [one.offset + one.length - 1, 'block 1'],
      [two.offset, 'block 2'],
      [varsOffset, 'names of blocks'],
      [varsOffset + varsLength - 1, 'names of blocks'],
      [indexOffset, 'table of blocks'],
      [bom.length - 1, 'table of blocks'],
    ] as const)
      expect(await at(offset)).toBe(told(offset, place));
  });

  it('name what a record of the Bom lacks', async () => {
    const { records } = decodeBom(sample.parts.bom);
    const bom = (change: (record: (typeof records)[0]) => object | undefined) =>
      held({}, part({ bom: () => encodeBom(records.flatMap((record) => (change(record) ? [{ ...record, ...change(record) } as typeof record] : []))) }));
    const program = `${BUNDLE}/Contents/MacOS/Escrow Buddy`;
    const less = await bom(({ path }) => (path === `${BUNDLE}/Contents/Info.plist` ? undefined : {}));
    expect(less.failed).toEqual(['form-bom']);
    expect(less.words).toContain(`${BUNDLE}/Contents/Info.plist is not in the Bom`);
    const bare = await bom(({ path, architectures }) => (path === program ? { architectures: undefined } : architectures ? {} : {}));
    expect(bare.words).toContain(`the Bom does not list the slices of ${program}`);
    const same = await bom(() => ({}));
    expect(same.failed).toEqual([]);
  }); // biome-ignore format: short

  it('name the trailer of the scripts', async () => {
    const cpio = gunzipSync(await packScripts(sample.scripts));
    const place = cpio.lastIndexOf('070707') + 6;
    cpio.write('1', place);
    const { words } = await held({}, assemble(sample, { scripts: gzipSync(cpio) }));
    expect(words).toMatch(new RegExp(`inflated, byte ${place}, behind \\./\\w+, where the trailer and its padding are: `));
  }); // biome-ignore format: short

  it('name the place in the payload', async () => {
    const path = `${BUNDLE}/Contents/Info.plist`;
    const first = await contentOf(sample.payload, path);
    expect(first.length).toBeGreaterThan(0);
    const entries = sample.payload.map((entry) => (entry.path === path ? { ...entry, mtimeSeconds: 1 } : entry));
    const { failed, words } = await held({}, withPayload(sample, entries));
    expect(failed).toContain('form-payload');
    expect(words).toContain(`in the header of ${path}, field mtime`);
    const twice = await held(APPLE, withPayload(sample, sample.payload));
    expect(twice.failed).toEqual([]);
  });
});
