import type { Bom, BomRecord } from '../../src/bom/bom.ts';
import { decodeBom } from '../../src/bom/decode.ts';
import { architectureName } from '../../src/macho/layout.ts';
import type { BomArchitecture } from '../../src/tree/file-facts.ts';
import type { Inspection } from './inspection.ts';

/** Shows a Bom: a line a path, with kind and mode, owner, size and checksum. */
export function inspectBom(data: Buffer): Inspection {
  const bom = decodeBom(data);
  return { document: { bom }, lines: [`Bom, ${bom.records.length} paths`, ...bomLines(bom)] };
}

/** Returns a line a path: mode as `ls` counts it, owner, size, checksum. */
export function bomLines(bom: Bom): string[] {
  return bom.records.map((record) => {
    const { path, uid, gid, size, cksum, architectures } = record;
    const sum = cksum === undefined ? '' : ` ${cksum}`;
    const slices = architectures ? ` ${architectures.map(architectureText).join(' ')}` : '';
    return `  ${modeText(record)} ${uid}:${gid} ${String(size).padStart(9)} ${path}${record.linkTarget ? ` -> ${record.linkTarget}` : ''}${sum}${slices}`;
  });
}

const KIND_LETTERS = { file: '-', directory: 'd', symlink: 'l' } as const;

function modeText({ kind, mode, pathOnly }: BomRecord): string {
  return `${KIND_LETTERS[kind]}${pathOnly ? '----' : mode.toString(8).padStart(4, '0')}`;
}

function architectureText({ cpuType, cpuSubtype, size }: BomArchitecture): string {
  return `[${architectureName(cpuType, cpuSubtype)} ${size}]`;
}
