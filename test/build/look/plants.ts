import { createHash } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { fromBuffer } from '../../../src/base/bytes.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { assemble, changeFile, packScripts, type Sample, withPayload } from '../../mutation/sample.ts';

/** The package that differences are planted in. */
export interface Ground {
  readonly sample: Sample;
  readonly epoch: string;
}

/** Returns a package with one difference, signed anew: outside, nothing is wrong with it. */
export type Plant = (ground: Ground) => Promise<Buffer>;
export const replaced = (text: Buffer, from: string | RegExp, to: string) => {
  const changed = text.toString().replace(from, to);
  if (changed === text.toString()) throw new Error(`nothing to replace: ${from}`);
  return Buffer.from(changed);
};
export const inPayload =
  (change: (entries: readonly PayloadEntry[]) => PayloadEntry[] | Promise<PayloadEntry[]>): Plant =>
  async ({ sample }) =>
    withPayload(sample, await change(sample.payload));
export const inFile = (path: string, change: (data: Buffer) => Buffer): Plant =>
  inPayload((entries) => changeFile(entries, path, change));
export const inScripts =
  (change: (entries: readonly PayloadEntry[]) => PayloadEntry[] | Promise<PayloadEntry[]>): Plant =>
  async ({ sample }) =>
    assemble(sample, { scripts: await packScripts(await change(sample.scripts)) });
export const inInfo =
  (from: string | RegExp, to: string): Plant =>
  ({ sample }) =>
    assemble(sample, { packageInfo: replaced(sample.parts.packageInfo, from, to) });
export const inDistribution =
  (from: string | RegExp, to: string): Plant =>
  ({ sample }) =>
    assemble(sample, { distribution: replaced(sample.parts.distribution, from, to) });
/** A table of contents with a change, and its digest. No key signs it: signatures are left aside. */
export const inToc =
  (from: string | RegExp, to: string): Plant =>
  async ({ sample: { file } }) => {
    const heap = 28 + Number(file.readBigUInt64BE(8));
    const toc = replaced(inflateSync(file.subarray(28, heap)), from, to);
    const packed = deflateSync(toc);
    const head = Buffer.from(file.subarray(0, 28));
    for (const [place, { length }] of [
      [8, packed],
      [16, toc],
    ] as const)
      head.writeBigUInt64BE(BigInt(length), place);
    return Buffer.concat([head, packed, createHash('sha1').update(packed).digest(), file.subarray(heap + 20)]);
  };
export const inArchive =
  (change: (file: Buffer) => Buffer): Plant =>
  async ({ sample }) =>
    change(sample.file);
export const extra = (path: string, mode = 0o755, content = '#!/bin/sh\n') => ({
  kind: 'file' as const,
  path,
  mode,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  source: fromBuffer(Buffer.from(content)),
});

export const flipAt = (place: (program: Buffer) => number) => (program: Buffer) => {
  const copy = Buffer.from(program);
  const at = place(copy);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
};

/** Differences by what they are: the words of the finding, and how to make them. */
export type Plants = Readonly<Record<string, readonly [RegExp, Plant]>>;
