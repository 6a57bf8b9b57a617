import { beforeAll, describe, expect, it } from 'vitest';
import { type BundleEntry, fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { sealable } from '../../../src/code-signature/seal/code-resources.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { FileIndex } from '../../../src/code-signature/verify/file-index.ts';
import { verifyBundle } from '../../../src/code-signature/verify/verify-code.ts';
import { sampleBundle } from '../sample.ts';
import { AD_HOC } from '../signers.ts';

let signed: readonly BundleEntry[];
beforeAll(async () => {
  signed = (await signBundle(sampleBundle(), { kind: 'ad-hoc' })).entries;
});

const file = (path: string): BundleEntry => ({ path, mode: 0o755, data: Buffer.from('x') });

/** What fails of the signed bundle with further entries, as `id: reason`. */
function failures(...more: readonly BundleEntry[]): string[] {
  const { checks } = verifyBundle([...signed, ...more], AD_HOC);
  return checks.filter(({ status }) => status === 'fail').map(({ id, reason }) => `${id}: ${reason}`);
}

describe('a path that only begins like one that is allowed', () => {
  it.each<[string, readonly BundleEntry[], string]>([
    ['a folder beside Contents', [file('Contents-evil/a')], 'bundle-places: Contents-evil/a lies beside Contents'],
    ['a file beside Contents', [file('Contentsx')], 'bundle-places: Contentsx lies beside Contents'],
    [
      'a file that codesign allows there, and more',
      [file('.DS_Storex')],
      'bundle-places: .DS_Storex lies beside Contents',
    ],
    ['a folder of such a name', [file('.DS_Store/a')], 'bundle-places: .DS_Store/a lies beside Contents'],
    ['one that ends so', [file('x.DS_Store')], 'bundle-places: x.DS_Store lies beside Contents'],
    [
      'a folder beside the signature',
      [file('Contents/_CodeSignature-evil/a')],
      'seal-added: _CodeSignature-evil/a was added',
    ],
    ['a file beside the receipt', [file('Contents/_MASReceiptx')], 'seal-added: _MASReceiptx was added'],
  ])('is refused: %s', (_, more, expected) => {
    expect(failures(...more).join('\n')).toContain(expected);
  });

  // bundlediskrep.cpp of Security-61901: the signature, a receipt of the App Store, and an old link are left out of every seal.
  it.each(['_MASReceipt', '_MASReceipt/receipt', 'CodeResources'])('is no such path: %s', (path) => {
    expect(failures(file(`Contents/${path}`)).join()).not.toContain(`${path} was added`);
  });

  it.each(['CodeResourcesx', 'xCodeResources', 'x_MASReceipt', 'CodeResources/a', 'Resources/CodeResources'])(
    'is %s',
    (path) => {
      expect(failures(file(`Contents/${path}`)).join()).toContain(`seal-added: ${path} was added`);
    },
  );

  it('is refused beside nested code, and so is that code while nobody sealed it', () => {
    const added = failures(file('Contents/MacOS/tool'), file('Contents/MacOS/tool-evil')).join('\n');
    expect(added).toContain('MacOS/tool was added');
    expect(added).toContain('MacOS/tool-evil was added');
  });

  it('is no place for a link to lead to', () => {
    const link: BundleEntry = { path: 'Contents/Resources/to', mode: 0o755, symlink: 'folder' };
    const inside = failures(link, file('Contents/Resources/folder/a')).join('\n');
    expect(inside).not.toContain('which is not there');
    const beside = failures(link, file('Contents/Resources/folderx')).join('\n');
    expect(beside).toContain('Resources/to points to folder, which is not there');
  });

  it('is sealed', () => {
    const paths = [
      'Contents/_CodeSignature/a',
      'Contents/_CodeSignature-evil/a',
      'Contents/_MASReceipt',
      'Contents/_MASReceiptx',
      'Contents-evil/a',
    ];
    const found = sealable(paths.map(file), 'tool').map(({ path }) => path);
    expect(found).toEqual(['_CodeSignature-evil/a', '_MASReceiptx']);
  });

  it('is no place of its own where it lies deeper', () => {
    const paths = ['x/Contents/Resources/a', 'Contents/Resources/_CodeSignature/a', 'Contents/Resources/_MASReceipt/a'];
    expect(sealable(paths.map(file), 'tool').map(({ path }) => path)).toEqual([
      'Resources/_CodeSignature/a',
      'Resources/_MASReceipt/a',
    ]);
    expect(failures(file('x/Contents/a'))).toContain('bundle-places: x/Contents/a lies beside Contents');
    const index = new FileIndex([{ path: 'c/b/x', symlink: 'y' }]);
    expect([index.hasBelow('b'), index.hasBelow('c'), index.hasBelow('c/b')]).toEqual([false, true, true]);
  });

  it('is sealed with the bundle where it lies deeper', async () => {
    const deeper = file('Contents/Resources/Contents/_CodeSignature/a');
    const { entries } = await signBundle([...sampleBundle(), deeper], { kind: 'ad-hoc' });
    expect(entries).toContainEqual(deeper);
    const { checks } = verifyBundle(entries, AD_HOC);
    expect(checks.filter(({ status }) => status === 'fail')).toEqual([]);
  });

  it('may begin a name with two dots', async () => {
    const link = (symlink: string): BundleEntry => ({ path: 'Contents/Resources/to', mode: 0o755, symlink });
    const said = (symlink: string) => failures(link(symlink), file('Contents/Resources/a..b')).join('\n');
    expect(said('a..b')).not.toContain('points out');
    expect(said('../..x')).not.toContain('points out');
    expect(said('../../x')).toContain('Resources/to points out of Contents, to ../../x');
    expect(said('../..')).toContain('Resources/to points out of Contents, to ../..');
  });
});

describe('a path that is there twice', () => {
  it('stands for the first of its files, and for none that is a link', () => {
    const twice: BundleEntry[] = [
      { path: 'a', mode: 0, data: Buffer.from('1') },
      { path: 'a', mode: 0, data: Buffer.from('2') },
      { path: 'l', mode: 0, symlink: 'a' },
    ];
    expect([fileAt(twice, 'a')?.toString(), fileAt(twice, 'l'), fileAt(twice, 'b')]).toEqual([
      '1',
      undefined,
      undefined,
    ]);
  });
});
