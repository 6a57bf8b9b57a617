import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { encodeBom } from '../../../src/bom/encode.ts';
import { bomRecords } from '../../../src/bom/payload-records.ts';
import { writeCpio } from '../../../src/cpio/write.ts';
import { NAME } from '../../../src/pki/asn1/oids.ts';
import { makeCertificate } from '../../../src/rehearsal/certificate-maker.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { deflatedFile, emitXar, layoutXar, storedFile, type XarEntry } from '../../../src/xar/write.ts';
import { collect, directory } from '../../support/payload.ts';

/** A small file that is made to cost much. */
export interface Bomb {
  readonly name: string;
  make(): Promise<Buffer>;
  /** What the report names, where it must name a limit. */
  readonly limit?: RegExp;
  /** Whether it is also held to a policy, which reads everything once more. */
  readonly policy?: true;
  /** A program that makes it. */
  readonly needs?: 'xz' | 'bzip2';
}

export const KIB = 1024;
export const MIB = 1024 * KIB;
/** What a small package may decode, in words; see `WorkBudget`. */
export const DECODED = /bytes decoded in all/;

export const INFO = (extra = '') =>
  Buffer.from(`<pkg-info identifier="com.example.bomb" version="1"><payload numberOfFiles="1"/>${extra}</pkg-info>`);
const EMPTY_BOM = encodeBom(bomRecords([directory('.')], new Map()));

/** A thin arm64 program that is nothing but a header. */
export const PROGRAM = Buffer.alloc(32);
PROGRAM.writeUInt32LE(0xfeedfacf, 0);
PROGRAM.writeUInt32LE(0x0100000c, 4);
PROGRAM.writeUInt32LE(2, 12);

export const archive = (members: readonly XarEntry[]) =>
  collect(emitXar(layoutXar(members, { creationTime: 0, signatures: [] })));
export const component = (members: readonly XarEntry[], info = INFO(), bom = EMPTY_BOM) =>
  archive([deflatedFile('Bom', bom), deflatedFile('PackageInfo', info), ...members]);
export const cpio = (entries: readonly PayloadEntry[]) => collect(writeCpio([directory('.'), ...entries]));
export const payload = async (entries: readonly PayloadEntry[], bom = EMPTY_BOM, level = 6) =>
  component([storedFile('Payload', gzipSync(await cpio(entries), { level }))], INFO(), bom);

export const numbered = (count: number, make: (index: number) => PayloadEntry[]) =>
  Array.from({ length: count }, (_, index) => make(index)).flat();

/** Returns the start of an archive of one file: its header, its name and what it begins with. */
export function oneFile(name: string, size: number, start: Buffer = Buffer.alloc(0)): Buffer {
  const octal = (value: number, width: number) => value.toString(8).padStart(width, '0');
  const header =
    `070707${octal(0, 6)}${octal(1, 6)}${octal(0o100755, 6)}${octal(0, 6)}${octal(0, 6)}${octal(1, 6)}${octal(0, 6)}` +
    `${octal(0, 11)}${octal(name.length + 1, 6)}${octal(size, 11)}${name}\0`;
  return Buffer.concat([Buffer.from(header), start]);
}

/** Returns the gzip archive of one file of zeros with what is at its start, deflated without ever being held. */
export function zeros(name: string, size: number, start?: Buffer): Buffer {
  // One block of zeros is deflated once and repeated; the stream is cut off, which nobody gets to see.
  const block = deflateRawOf(Buffer.alloc(4 * MIB));
  const parts = [Buffer.from('1f8b0800000000000003', 'hex'), deflateRawOf(oneFile(name, size, start))];
  for (let done = 0; done < size; done += 4 * MIB) parts.push(block);
  return Buffer.concat(parts);
}

/** zlib's stream without its header and end, flushed to a byte, so that another may follow. */
function deflateRawOf(data: Buffer): Buffer {
  const whole = deflateSync(data, { finishFlush: 2 }); // Z_SYNC_FLUSH
  return whole.subarray(2);
}

/** Returns what a compressor of the system makes of bytes. */
export function packed(tool: 'xz' | 'bzip2', data: Buffer, ...options: string[]): Buffer {
  return execFileSync(tool, ['-c', ...options], { input: data, maxBuffer: 1 << 28 });
}

/** Returns a pbzx stream: one chunk, as often as is asked. */
export function pbzx(size: number, chunk: Buffer, count: number): Buffer {
  const words = (...values: number[]) => {
    const fields = Buffer.alloc(8 * values.length);
    for (const [index, value] of values.entries()) fields.writeBigUInt64BE(BigInt(value), index * 8);
    return fields;
  };
  const one = Buffer.concat([words(size, chunk.length), chunk]);
  return Buffer.concat([Buffer.from('pbzx'), words(size), ...Array.from({ length: count }, () => one)]);
}

/** Certificates that could each have issued the others. */
export function certificates(count: number): Buffer[] {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const plan = {
    subject: [[NAME.commonName, 'Any']] as const,
    publicKey,
    notBefore: new Date('2020-01-01'),
    notAfter: new Date('2040-01-01'),
    authority: true,
    keyUsage: 0x86,
  };
  return Array.from({ length: count }, () => makeCertificate(plan, { certificate: undefined, privateKey }).der);
}
