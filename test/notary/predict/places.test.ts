import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { predictNotary } from '../../../src/notary/predict/predict.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { readXar } from '../../../src/xar/read.ts';
import { sampleBundle, sampleSlice } from '../../code-signature/sample.ts';
import { NOW, rehearsalSigner } from '../../code-signature/signers.ts';
import { directory, file, symlink } from '../../support/payload.ts';
import { packageOf, productOf } from '../../verify/others.ts';

let authority: RehearsalAuthority;
beforeAll(async () => {
  ({ authority } = await rehearsalSigner());
});
const program = (path: string): PayloadEntry => file(path, sampleSlice('arm64'));
const said = async (data: Buffer) => {
  const { issues, code } = await predictNotary(accessBuffer(data), { archiveName: 'a.pkg', trust: authority.trust, now: NOW });
  // Packages of others have no timestamp here, which is told too.
  const found = issues.filter(({ path }) => path !== 'a.pkg');
  return [found.map(({ path, message }) => `${path}: ${message}`), code.length];
}; // biome-ignore format: short
const UNSIGNED = 'The binary is not signed.';

describe('the path of code in the log of the notary', () => {
  it.each<[string, string]>([
    ['/', 'a.pkg Contents/Payload/tool'],
    ['/Library/A', 'a.pkg Contents/Payload/Library/A/tool'],
    ['//Library/A//', 'a.pkg Contents/Payload/Library/A/tool'],
    ['Library', 'a.pkg Contents/Payload/Library/tool'],
  ])('in a payload for %j is %s', async (installLocation, path) => {
    const data = await packageOf(authority, { installLocation, payload: [program('./tool'), file('./text', 'x')] });
    expect(await said(data)).toEqual([[`${path}: ${UNSIGNED}`], 0]);
  });

  it('among scripts, and in components of a product', async () => {
    const scripts = await packageOf(authority, { scripts: [program('./tool')], payload: [] });
    expect(await said(scripts)).toEqual([[`a.pkg Contents/Scripts/tool: ${UNSIGNED}`], 0]);
    const product = await productOf(authority, { 'b.pkg': { identifier: 'b', installLocation: '/', payload: [program('./tool')], scripts: [program('./two')] }, 'c.pkg': { identifier: 'c', installLocation: '/x', payload: [program('./three')] } });
    expect(await said(product)).toEqual([
      [`a.pkg/b.pkg Contents/Payload/tool: ${UNSIGNED}`, `a.pkg/b.pkg Contents/Scripts/two: ${UNSIGNED}`, `a.pkg/c.pkg Contents/Payload/x/three: ${UNSIGNED}`],
      0,
    ]);
  }); // biome-ignore format: a table

  it('in a bundle is that of its main executable, once; all else is a program', async () => {
    const entries = sampleBundle().flatMap((entry) => ('data' in entry ? [{ path: entry.path, data: entry.data }] : []));
    const folders = (root: string) => ['', '/Contents', '/Contents/MacOS', '/Contents/Resources', '/Contents/Resources/en.lproj'].map((path) => directory(`./${root}${path}`));
    const bundle = (root: string) => entries.map(({ path, data }): PayloadEntry => file(`./${root}/${path}`, data));
    const payload = [...folders('A.bundle'), ...bundle('A.bundle'), program('./A.bundle/Contents/MacOS/other'), symlink('./link', 'A.bundle'), directory('./text'), file('./text/Contents', 'x')];
    const [found] = await said(await packageOf(authority, { installLocation: '/', payload }));
    const main = 'a.pkg Contents/Payload/A.bundle/Contents/MacOS/Escrow Buddy';
    expect(found).toEqual([`${main}: ${UNSIGNED}`, `${main}: ${UNSIGNED}`, `a.pkg Contents/Payload/A.bundle/Contents/MacOS/other: ${UNSIGNED}`]);
    // A bundle whose executable is not there is passed over; a program in its place is a program.
    const headless = [directory('./B.bundle'), directory('./B.bundle/Contents'), ...bundle('B.bundle').filter(({ path }) => path.endsWith('Contents/Info.plist')), program('./B.bundle/Contents/tool')];
    expect((await said(await packageOf(authority, { installLocation: '/', payload: headless })))[0]).toEqual([`a.pkg Contents/Payload/B.bundle/Contents/tool: ${UNSIGNED}`]);
    // One that is called as nothing is.
    const none = [...headless.slice(0, -1), program('./B.bundle/null')];
    expect((await said(await packageOf(authority, { installLocation: '/', payload: none })))[0]).toEqual([`a.pkg Contents/Payload/B.bundle/null: ${UNSIGNED}`]);
    const root = [directory('./Contents'), directory('./Contents/MacOS'), directory('./Contents/Resources'), directory('./Contents/Resources/en.lproj'), ...entries.map(({ path, data }): PayloadEntry => file(`./${path}`, data))];
    expect((await said(await packageOf(authority, { installLocation: '/A', payload: root })))[0]).toEqual(Array(2).fill(`a.pkg Contents/Payload/A/Contents/MacOS/Escrow Buddy: ${UNSIGNED}`));
  }); // biome-ignore format: a table
});

describe('what cannot be extracted', () => {
  it('is told of, and the rest is looked at', async () => {
    const damaged = { identifier: 'b', installLocation: '/', payload: [program('./tool')], pack: (cpio: Buffer) => cpio.subarray(0, 200) };
    const product = await productOf(authority, { 'b.pkg': damaged, 'c.pkg': { identifier: 'c', installLocation: '/', payload: [program('./tool')] } });
    const { issues } = await predictNotary(accessBuffer(product), { archiveName: 'a.pkg', trust: authority.trust, now: NOW });
    const found = issues.map(({ path, message }) => `${path}: ${message}`);
    expect(found).toContain('a.pkg: The contents of the package at a.pkg/b.pkg/Payload could not be extracted.');
    expect(found).toContain(`a.pkg/c.pkg Contents/Payload/tool: ${UNSIGNED}`);
    expect(found.join()).not.toContain('b.pkg Contents');
  }); // biome-ignore format: a table

  it('is not what ends in a fault of ours', async () => {
    const data = await packageOf(authority, { installLocation: '/', payload: [program('./tool')] });
    const { members, heapStart } = await readXar(accessBuffer(data));
    const place = heapStart + (members.find(({ path }) => path.endsWith('Payload'))?.data?.offset ?? 0);
    const access = accessBuffer(data);
    const read = async (at: number, size: number) => {
      if (at === place) throw new TypeError('ours');
      return access.read(at, size);
    };
    const options = { archiveName: 'a.pkg', trust: authority.trust, now: NOW };
    await expect(predictNotary({ size: access.size, read }, options)).rejects.toThrow(TypeError);
  });

  it('is nothing of a few megabytes', async () => {
    const large = file('./large', Buffer.alloc(3 * 1024 * 1024));
    expect((await said(await packageOf(authority, { installLocation: '/', payload: [large, program('./tool')] })))[0]).toEqual([`a.pkg Contents/Payload/tool: ${UNSIGNED}`]);
  }); // biome-ignore format: a table
});
