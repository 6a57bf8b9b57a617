import { FormatError } from '../base/errors.ts';
import { beyond, LIMITS } from '../base/input/limits.ts';
import { BOM_BLOCK, BOM_HEADER, BOM_MAGIC, BOM_VAR } from './layout.ts';

/** The blocks and variables of a Bom file; nothing is copied. */
export interface BomStore {
  /** Block number by variable name. */
  readonly vars: ReadonlyMap<string, number>;
  /** Blocks in use that nobody asked for so far. */
  untouched(): number;
  /**
   * Returns the bytes of a block.
   *
   * @param structure what is expected there, for the error
   * @throws FormatError `BOM_NULL_BLOCK` when the number stands for none, `BOM_BLOCK` when there is no such block
   */
  block(number: number, structure: string): Buffer;
  /** Returns where a block lies in the file. */
  offsetOf(number: number): number;
}

interface Extent {
  readonly offset: number;
  readonly length: number;
}

/**
 * Returns the container of a Bom file, its tables checked.
 *
 * All offsets in errors are those in the file. The free list is only checked to fit: it describes holes and nothing uses it.
 *
 * @throws FormatError `FORMAT_TRUNCATED`, `BOM_HEADER`, `BOM_INDEX` (block table and free list), `BOM_OVERLAP`, `BOM_VARS`
 */
export function openBomStore(file: Buffer): BomStore {
  const header = BOM_HEADER.decode(file);
  checkHeader(header);
  const index = slice(file, header.indexOffset, header.indexLength, 'indexOffset');
  const vars = slice(file, header.varsOffset, header.varsLength, 'varsOffset');
  const blocks = readBlockTable(index, header.indexOffset, file.length);
  checkExtents(file, blocks, header);
  const touched = new Set<number>();
  return {
    vars: readVars(vars, header.varsOffset),
    untouched: () => header.blockCount - touched.size,
    block(number, structure) {
      const extent = blocks[number];
      if (number === 0 || (extent?.offset === 0 && extent.length === 0)) {
        throw new FormatError(
          'BOM_NULL_BLOCK',
          structure,
          0,
          `expected a block, found number ${number}, which stands for none`,
        );
      }
      if (!extent) {
        throw new FormatError('BOM_BLOCK', structure, 0, `expected a block below ${blocks.length}, found ${number}`);
      }
      touched.add(number);
      return file.subarray(extent.offset, extent.offset + extent.length);
    },
    offsetOf: (number) => blocks[number]?.offset ?? 0,
  };
}

function checkHeader({ magic, version }: { magic: string; version: number }): void {
  if (magic !== BOM_MAGIC) {
    throw new FormatError('BOM_HEADER', 'BomHeader', 0, `expected magic ${BOM_MAGIC}, found ${JSON.stringify(magic)}`);
  }
  if (version !== 1) {
    throw new FormatError(
      'BOM_HEADER',
      'BomHeader',
      BOM_HEADER.offsetOf('version'),
      `expected version 1, found ${version}`,
    );
  }
}

function slice(file: Buffer, offset: number, length: number, field: 'indexOffset' | 'varsOffset'): Buffer {
  if (offset < BOM_HEADER.size || offset + length > file.length) {
    const problem = `expected ${field} and length within ${file.length} bytes behind the header, found ${offset} and ${length}`;
    throw new FormatError('BOM_HEADER', 'BomHeader', BOM_HEADER.offsetOf(field), problem);
  }
  return file.subarray(offset, offset + length);
}

/** Reads the block table and checks the free list behind it. */
function readBlockTable(index: Buffer, start: number, fileSize: number): Extent[] {
  const bad = (at: number, problem: string) => new FormatError('BOM_INDEX', 'BomIndex', start + at, problem);
  if (index.length < 8) throw bad(0, `expected at least 8 bytes, found ${index.length}`);
  const count = index.readUInt32BE(0);
  const freeAt = 4 + count * BOM_BLOCK.size;
  if (count === 0 || freeAt + 4 > index.length) {
    throw bad(0, `expected 1 to ${Math.floor((index.length - 8) / BOM_BLOCK.size)} blocks, found ${count}`);
  }
  const most = Math.max(LIMITS.bomBlocks, Math.floor(fileSize / LIMITS.bomBytesPerBlock));
  if (count > most) throw beyond('BomIndex', 'blocks', most);
  const blocks = Array.from({ length: count }, (_, number) => BOM_BLOCK.decode(index, 4 + number * BOM_BLOCK.size));
  if (blocks[0]?.offset !== 0 || blocks[0].length !== 0) throw bad(4, 'expected block 0 to be (0, 0)');
  const free = index.readUInt32BE(freeAt);
  const room = Math.floor((index.length - freeAt - 4) / BOM_BLOCK.size);
  if (free > room) throw bad(freeAt, `expected a free list of at most ${room} holes, found ${free}`);
  return blocks;
}

/** Throws unless every block lies in the file, over nothing else, and the header counts them right. */
function checkExtents(
  file: Buffer,
  blocks: readonly Extent[],
  header: { blockCount: number; indexOffset: number; indexLength: number; varsOffset: number; varsLength: number },
): void {
  // Numbers of blocks become words only in an error: there can be half a million.
  const used: (Extent & { name: string | number })[] = [
    { name: 'the header', offset: 0, length: BOM_HEADER.size },
    { name: 'the index', offset: header.indexOffset, length: header.indexLength },
    { name: 'the variables', offset: header.varsOffset, length: header.varsLength },
  ];
  const fixed = used.length;
  for (const [number, { offset, length }] of blocks.entries()) {
    if (offset === 0 && length === 0) continue;
    if (offset + length > file.length) {
      const at = header.indexOffset + 4 + number * BOM_BLOCK.size;
      const problem = `expected block ${number} within ${file.length} bytes, found ${offset} and ${length}`;
      throw new FormatError('BOM_INDEX', 'BomIndex', at, problem);
    }
    used.push({ name: number, offset, length });
  }
  if (used.length - fixed !== header.blockCount) {
    const problem = `expected ${used.length - fixed} blocks in use, found ${header.blockCount}`;
    throw new FormatError('BOM_HEADER', 'BomHeader', BOM_HEADER.offsetOf('blockCount'), problem);
  }
  used.sort((a, b) => a.offset - b.offset);
  for (let index = 1; index < used.length; index++) {
    const [before, one] = [used[index - 1] as (typeof used)[number], used[index] as (typeof used)[number]];
    if (before.offset + before.length > one.offset) {
      throw new FormatError(
        'BOM_OVERLAP',
        'BomIndex',
        one.offset,
        `expected ${blockName(one.name)} behind ${blockName(before.name)}, found them overlap`,
      );
    }
  }
}

const blockName = (name: string | number) => (typeof name === 'string' ? name : `block ${name}`);

function readVars(data: Buffer, start: number): Map<string, number> {
  const bad = (at: number, problem: string) => new FormatError('BOM_VARS', 'BomVars', start + at, problem);
  if (data.length < 4) throw bad(0, `expected a count, found ${data.length} bytes`);
  const count = data.readUInt32BE(0);
  const vars = new Map<string, number>();
  let at = 4;
  for (let index = 0; index < count; index++) {
    if (at + BOM_VAR.size > data.length) throw bad(at, `expected ${count} variables, found ${index}`);
    const { block, nameLength } = BOM_VAR.decode(data, at);
    const name = data.toString('latin1', at + BOM_VAR.size, at + BOM_VAR.size + nameLength);
    if (name.length < nameLength) throw bad(at, `expected a name of ${nameLength} bytes, found ${name.length}`);
    if (vars.has(name)) throw bad(at, `expected ${JSON.stringify(name)} once`);
    vars.set(name, block);
    at += BOM_VAR.size + nameLength;
  }
  if (at !== data.length) throw bad(at, `expected the end after ${count} variables, found ${data.length - at} bytes`);
  return vars;
}
