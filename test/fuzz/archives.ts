import { createHash } from 'node:crypto';
import { deflateSync, gzipSync, inflateSync } from 'node:zlib';
import { fromBuffer } from '../../src/base/bytes.ts';
import { WorkBudget } from '../../src/base/input/limits.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { gunzipMember } from '../../src/cpio/gunzip.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { openPayload } from '../../src/cpio/payload-stream.ts';
import { readCpio, readLinkTarget } from '../../src/cpio/read.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { attributeNames } from '../../src/tree/apple-double.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { CHECKSUM_ALGORITHMS, XAR_HEADER } from '../../src/xar/layout.ts';
import { extractMember, readXar } from '../../src/xar/read.ts';
import { deflatedFile, directory, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { drain, inPieces, type Reader, whole } from './reader.ts';

const FACTS = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 };
const ENTRIES: readonly PayloadEntry[] = [
  { ...FACTS, kind: 'directory', path: '.' },
  { ...FACTS, kind: 'directory', path: './folder' },
  { ...FACTS, kind: 'file', path: './folder/a', mode: 0o644, source: fromBuffer(Buffer.from('hello '.repeat(30))) },
  { ...FACTS, kind: 'symlink', path: './folder/link', target: 'a' },
];
/** The same archive in the compressions that we read and do not write: made by xz, bzip2 and by hand (pbzx). */
const XZ =
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AH/AGFdABgN3wekNHx8UJhTjJASadM5L83bzmIJLURx1sQ6o2DMWUMkXjbPTcQOU46bF8EAyjRj4WybXQzIijwFQgmO/+NMqgfgJwpBjfZ+lNl4ElgHd3ncE98HqwEG/dbrZGe4QQAAAAAAKOFcPpRI+DsAAX2ABAAAAAftbUqxxGf7AgAAAAAEWVo=';
const BZIP2 =
  'QlpoOTFBWSZTWRHbCDAAAEz/AF2iCABgAf+AoiQUACJEoACVBKoepkMjQNNqaAAqkTSMmgNDQHpPU3SZS/V5ELENiu+meKZDzIQ0ppJOGl8UkiiMrBtIEJQm50VUfi2NBKTGZhYiZAwes2hkYrzNhfImSQuM+9fla689cLEPcQTusQsIfxdyRThQkBHbCDA=';

const archive = () => whole(writeCpio(ENTRIES));

/** A newc archive of one file, or one with sums. */
function newc(magic: '070701' | '070702'): Buffer {
  const record = (name: string, mode: number, data: string) => {
    const sum = magic === '070702' ? [...Buffer.from(data)].reduce((total, byte) => total + byte, 0) : 0;
    const fields = [1, mode, 0, 0, 1, 1_700_000_000, data.length, 0, 0, 0, 0, name.length + 1, sum];
    const head = magic + fields.map((field) => field.toString(16).padStart(8, '0')).join('') + name;
    const pad = (text: string) => text + '\0'.repeat((4 - (text.length % 4)) % 4);
    return pad(`${head}\0`) + pad(data);
  };
  const all = record('.', 0o40755, '') + record('./a', 0o100644, 'hello') + record('TRAILER!!!', 0, '');
  return Buffer.from(all + '\0'.repeat((512 - (all.length % 512)) % 512), 'latin1');
}

async function xar(): Promise<Buffer> {
  const members = [storedFile('Payload', Buffer.from('abc'.repeat(20))), deflatedFile('Bom', Buffer.alloc(200, 7))];
  const entries = [
    deflatedFile('Distribution', Buffer.from('<a/>')),
    directory('a.pkg', members, { mode: 0o700, uid: 0, gid: 0, mtime: 1 }),
  ];
  const signatures = [{ style: 'CMS' as const, size: 512, certificates: [Buffer.alloc(40, 1)] }];
  return whole(emitXar(layoutXar(entries, { creationTime: 1_700_000_000, signatures }), [Buffer.alloc(300, 2)]));
}

async function readWholeXar(data: Buffer): Promise<void> {
  const opened = await readXar(accessBuffer(data), new WorkBudget(data.length));
  for (const member of opened.members) if (member.data) await drain(extractMember(opened, member));
}

/** The archive around a table of contents: header and digest are made to fit, so that the table itself is looked at. */
async function readToc(xml: Buffer): Promise<void> {
  const compressed = deflateSync(xml);
  const header = XAR_HEADER.encode({
    magic: 'xar!',
    headerSize: XAR_HEADER.size,
    version: 1,
    tocCompressedSize: BigInt(compressed.length),
    tocSize: BigInt(xml.length),
    checksumAlgorithm: CHECKSUM_ALGORITHMS.sha1.id,
  });
  const honest = await xar();
  const heap = honest.subarray(XAR_HEADER.size + Number(XAR_HEADER.decode(honest).tocCompressedSize));
  createHash('sha1').update(compressed).digest().copy(heap);
  await readWholeXar(Buffer.concat([header, compressed, heap]));
}

async function toc(): Promise<Buffer> {
  const data = await xar();
  const { tocCompressedSize } = XAR_HEADER.decode(data);
  return inflateSync(data.subarray(XAR_HEADER.size, XAR_HEADER.size + Number(tocCompressedSize)));
}

function appleDouble(): Buffer {
  const data = Buffer.alloc(200);
  data.write('0005160700020000', 'hex');
  data.write('Mac OS X        ', 8);
  data.write('00020000000900000032000000680000000200000' + '09a00000000', 24, 'hex');
  data.write('4154545200000000000000980000009000000008', 84, 'hex');
  data.writeUInt16BE(1, 118);
  data.write('00000090000000080000', 120, 'hex');
  data.write('\x05com.a', 130);
  return data;
}

export const ARCHIVES: readonly Reader[] = [
  { name: 'xar', seeds: async () => [await xar()], read: readWholeXar },
  { name: 'xar-toc', seeds: async () => [await toc()], read: readToc },
  {
    name: 'bom',
    seeds: async () => {
      const records = ENTRIES.map(({ kind, path, mode, uid, gid, mtimeSeconds }) => {
        const extra = kind === 'file' ? { cksum: 7 } : kind === 'symlink' ? { linkTarget: 'a' } : {};
        return { kind, path, mode, uid, gid, mtimeSeconds, size: 5, ...extra };
      });
      const slice = { cpuType: 7, cpuSubtype: 3, size: 5, cksum: 9 };
      return [
        encodeBom(records),
        encodeBom(records.map((one) => (one.kind === 'file' ? { ...one, architectures: [slice] } : one))),
      ];
    },
    read: decodeBom,
  },
  {
    name: 'cpio',
    seeds: async () => [await archive(), newc('070701'), newc('070702')],
    read: async (data) => {
      for await (const entry of readCpio(inPieces(data))) if (entry.kind === 'symlink') await readLinkTarget(entry);
    },
  },
  {
    name: 'gzip',
    seeds: async () => [await whole(gzipMember(writeCpio(ENTRIES))), gzipSync('hello '.repeat(50), { level: 9 })],
    read: (data) => drain(gunzipMember(inPieces(data), { maxBytes: 1 << 24 })),
  },
  {
    name: 'payload',
    seeds: async () => {
      const xz = Buffer.from(XZ, 'base64');
      const size = Buffer.alloc(28);
      size.write('pbzx');
      size.writeUInt32BE(1 << 24, 8);
      size.writeUInt32BE(512, 16);
      size.writeUInt32BE(xz.length, 24);
      return [xz, Buffer.from(BZIP2, 'base64'), Buffer.concat([size, xz]), gzipSync(await archive()), await archive()];
    },
    read: (data) => {
      const budget = new WorkBudget(data.length);
      return drain(readCpio(openPayload(inPieces(data), { spend: (bytes, cost) => budget.spend(bytes, cost * 20) })));
    },
  },
  { name: 'apple-double', seeds: async () => [appleDouble()], read: (data) => '.'.repeat(attributeNames(data).length) },
];
