import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accessBuffer, accessFile } from '../../src/base/random-access.ts';
import { readHeap, readXar, type XarArchive } from '../../src/xar/read.ts';
import { resignXar } from '../../src/xar/resign.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { childElements, textOf, type XmlElement } from '../../src/xml/xml.ts';
import { realPackages } from '../support/needs.ts';
import { collect, faultOf, readWhole, SECONDS, sealXar } from '../support/xar.ts';

const RSA = { style: 'RSA', size: 256, certificates: [Buffer.alloc(70, 1), Buffer.alloc(80, 2)] } as const;
const CMS = { style: 'CMS', size: 1024, certificates: [Buffer.alloc(70, 1)] } as const;
const ENTRIES = [
  deflatedFile('Distribution', Buffer.from('text')),
  directory('a', [storedFile('b', Buffer.from('beta'))]),
];

const emit = (...parameters: Parameters<typeof emitXar>) => collect(emitXar(...parameters));

/** Names and texts of all file elements except offsets: what re-signing must keep. */
function kept(node: XmlElement): unknown {
  const children = childElements(node).filter(({ name }) => name !== 'offset');
  return [node.name, { ...node.attributes }, children.length > 0 ? children.map(kept) : textOf(node)];
}

function files(archive: XarArchive): unknown {
  return childElements(childElements(archive.root, 'toc')[0]!, 'file').map(kept);
}

describe('resignXar', () => {
  it('makes of an unsigned archive what would have been made at once', async () => {
    const unsigned = await readXar(accessBuffer(await emit(layoutXar(ENTRIES, { creationTime: SECONDS }))));
    const signatures = [Buffer.alloc(256, 3), Buffer.alloc(1000, 4)];
    const resigned = await emit(resignXar(unsigned, { signatures: [RSA, CMS] }), signatures);
    const atOnce = await emit(layoutXar(ENTRIES, { creationTime: SECONDS, signatures: [RSA, CMS] }), signatures);
    expect(resigned.equals(atOnce)).toBe(true);
  });

  it('takes signatures away again, and what lay behind the heap', async () => {
    const unsigned = await emit(layoutXar(ENTRIES, { creationTime: SECONDS }));
    const options = { creationTime: SECONDS, signatures: [RSA, CMS] };
    const signed = await emit(layoutXar(ENTRIES, options), [Buffer.alloc(256), Buffer.alloc(9)]);
    const stapled = await readXar(accessBuffer(Buffer.concat([signed, Buffer.from('staple')])));
    expect((await emit(resignXar(stapled, { signatures: [] }))).equals(unsigned)).toBe(true);
  });

  it('drops the time of the old signature and keeps elements it does not know', async () => {
    const xml =
      '<xar><toc><signature-creation-time>1.0</signature-creation-time><future a="b">kept</future>' +
      '<checksum style="sha1"><offset>0</offset><size>20</size></checksum></toc></xar>';
    const archive = await readXar(accessBuffer(sealXar(xml)));
    const { archive: resigned } = await readWhole(
      await emit(resignXar(archive, { signatures: [CMS] }), [Buffer.alloc(1)]),
    );
    const toc = childElements(resigned.root, 'toc')[0]!;
    expect(childElements(toc).map(({ name }) => name)).toEqual(['future', 'checksum', 'x-signature']);
  });

  it('can change the digest', async () => {
    const archive = await readXar(accessBuffer(await emit(layoutXar(ENTRIES, { creationTime: SECONDS }))));
    const layout = resignXar(archive, { signatures: [], checksum: 'sha256' });
    const { archive: resigned, contents } = await readWhole(await emit(layout));
    expect(resigned.checksum.style).toBe('sha256');
    expect(contents.get('a/b')?.toString()).toBe('beta');
  });

  it('refuses an archive whose digest lies behind data', async () => {
    const checksum = 'a9993e364706816aba3e25717850c26c9cd0d89d'; // SHA-1 of `abc`, FIPS 180-2 appendix A
    const xml =
      '<xar><toc><checksum style="sha1"><offset>0</offset><size>20</size></checksum>' +
      '<x-signature style="CMS"><offset>23</offset><size>2</size></x-signature><file id="1"><data><length>3</length>' +
      `<offset>20</offset><size>3</size><encoding style="application/octet-stream"/><extracted-checksum style="sha1">${checksum}` +
      `</extracted-checksum><archived-checksum style="sha1">${checksum}</archived-checksum></data><type>file</type><name>a</name></file></toc></xar>`;
    const { archive } = await readWhole(sealXar(xml, Buffer.from('abc..')));
    expect(await faultOf(() => resignXar(archive, { signatures: [] }))).toMatchObject({
      code: 'XAR_RESIGN_HEAP',
      offset: xml.indexOf('<offset>20'),
    });
  });

  it.skipIf(realPackages.missing)(`keeps every byte and element of real packages${realPackages.note}`, async () => {
    const folder = join(realPackages.folder as string, 'pkg');
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.pkg'))) {
      const handle = await open(join(folder, name));
      const archive = await readXar(await accessFile(handle));
      const layout = resignXar(archive, { signatures: [RSA, CMS] });
      const { archive: resigned } = await readWhole(await emit(layout, [Buffer.alloc(256, 5), Buffer.alloc(1024, 6)]));
      const oldEnd = Math.max(20, ...archive.signatures.map(({ range }) => range.offset + range.size));
      const rest = (of: XarArchive, offset: number) => readHeap(of, { offset, size: of.heapSize - offset });
      expect((await rest(resigned, 1300)).equals(await rest(archive, oldEnd)), name).toBe(true);
      await handle.close();
      expect(files(resigned), name).toEqual(files(archive));
      expect(resigned.signatures.map(({ certificates }) => certificates.length)).toEqual([2, 1]);
      expect(resigned.trailing.size).toBe(0);
    }
  });
});
