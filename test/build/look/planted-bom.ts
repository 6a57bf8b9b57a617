import { fromBuffer } from '../../../src/base/bytes.ts';
import type { PayloadEntry } from '../../../src/tree/entry.ts';
import { assemble, changeEntry, changeFile, payloadParts, type Sample, withPayload } from '../../mutation/sample.ts';

type Change = (entries: readonly PayloadEntry[]) => readonly PayloadEntry[] | Promise<readonly PayloadEntry[]>;
type Row = readonly [words: RegExp, plant: (ground: { readonly sample: Sample }) => Promise<Buffer>];

/** The Bom of a payload with a change, beside the payload as it is. */
const ofAnother = (change: Change): Row => [
  /Bom, line/,
  async ({ sample }) => {
    const { bom } = await payloadParts(sample, await change(sample.payload));
    return assemble(sample, { bom: bom as Buffer });
  },
];
const CONTENTS = './Escrow Buddy.bundle/Contents';
/** One that may be run, one that may not, and a folder. */
const PATHS = { program: `${CONTENTS}/MacOS/Escrow Buddy`, document: `${CONTENTS}/Info.plist`, folder: CONTENTS };
const FACTS: Readonly<Record<string, Partial<Pick<PayloadEntry, 'mode' | 'uid' | 'gid' | 'mtimeSeconds'>>>> = {
  'that everybody may write': { mode: 0o777 },
  'that runs as its owner': { mode: 0o4755 },
  'of another owner': { uid: 1 },
  'of another group': { gid: 20 },
  'of another time': { mtimeSeconds: 1 },
};
const CONTENT: Readonly<Record<string, (data: Buffer) => Buffer>> = {
  'of another size': (data) => Buffer.concat([data, Buffer.from('x')]),
  'with another byte': (data) => Buffer.concat([data.subarray(0, -1), Buffer.from('~')]),
};
const many = Array.from({ length: 600 }, (_, index): PayloadEntry => {
  const path = `${CONTENTS}/Resources/more-${String(index).padStart(3, '0')}`;
  return { kind: 'file', path, mode: 0o644, uid: 0, gid: 0, mtimeSeconds: 0, source: fromBuffer(Buffer.from('x')) };
});

/** Differences in the Bom alone, by which a Mac repairs what it installed. */
export const BOM: Readonly<Record<string, Row>> = {
  ...Object.fromEntries(
    Object.entries(PATHS).flatMap(([name, path]) =>
      Object.entries(FACTS).map(([what, facts]) => [
        `a Bom with a ${name} ${what}`,
        ofAnother((entries) => changeEntry(entries, path, (entry) => ({ ...entry, ...facts }))),
      ]),
    ),
  ),
  ...Object.fromEntries(
    (['program', 'document'] as const).flatMap((name) =>
      Object.entries(CONTENT).map(([what, change]) => [
        `a Bom with a ${name} ${what}`,
        ofAnother((entries) => changeFile(entries, PATHS[name], change)),
      ]),
    ),
  ),
  'a Bom without a file': ofAnother((entries) => entries.filter(({ path }) => path !== PATHS.document)),
};

/** A Bom in whose table one record of a file ends before its checksum, which the bytes behind it still have. */
export const SHORT_BOM: Row = [
  /Bom, line/,
  async ({ sample }) => {
    const bom = Buffer.from((await payloadParts(sample, sample.payload)).bom as Buffer);
    // An address and a length of four bytes each for every block. Source: mac-bom, bom-structs.h.
    for (let at = bom.readUInt32BE(16) + 4; ; at += 8) {
      const [address, length] = [bom.readUInt32BE(at), bom.readUInt32BE(at + 4)];
      // 27 bytes up to the checksum: kind, architecture, mode, owner, group, time, size, 1.
      if (length < 27 || bom[address] !== 1 || (bom.readUInt16BE(address + 4) & 0o170000) !== 0o100000) continue;
      bom.writeUInt32BE(26, at + 4);
      return assemble(sample, { bom });
    }
  },
];

/** A Bom with so many files that its tree has two levels. */
const deep = (entries: readonly PayloadEntry[]) =>
  entries.flatMap((entry) => (entry.path === `${CONTENTS}/Resources` ? [entry, ...many] : [entry]));
export const DEEP_BOM: Row = ofAnother(deep);
/** So many files with the Bom that they have. */
export const deepPayload: Row[1] = ({ sample }) => withPayload(sample, deep(sample.payload));
