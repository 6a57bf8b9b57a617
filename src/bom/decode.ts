import { FormatError } from '../base/errors.ts';
import type { Bom, BomRecord, BomTotal } from './bom.ts';
import { BOM_FILE, BOM_INFO, BOM_PATH_INFO, BOM_TOTAL, BOM_VINDEX } from './layout.ts';
import { decodeBomRecord } from './record.ts';
import { type BomStore, openBomStore } from './store.ts';
import { type TreeEntry, walkTree } from './tree.ts';

/**
 * Returns what a Bom file lists.
 *
 * Time and memory are bounded by the size of the file: blocks may not overlap, and no block of a tree is visited twice.
 *
 * @param file the whole file; what the records hold is copied out of it
 * @throws FormatError with offsets in the file: those of `openBomStore`, `walkTree` and `decodeBomRecord`, and `BOM_INFO`, `BOM_PATH`
 *   (a name or id that cannot be), `BOM_DUPLICATE_ID`, `BOM_DUPLICATE_PATH`, `BOM_PATH_LENGTH`, `BOM_MISSING_PARENT`,
 *   `BOM_UNREACHABLE`, `BOM_UNSUPPORTED`
 * @example decodeBom(readFileSync('Bom')).records.map(({ path }) => path) // ['.', './Example.bundle', ...]
 */
export function decodeBom(file: Buffer): Bom {
  const store = openBomStore(file);
  const nodes = walkTree(store, variable(store, 'Paths'), 'Paths').map((entry) => readPath(store, entry));
  const totals = readInfo(store, nodes.length);
  checkSideTrees(store);
  const records = resolvePaths(nodes);
  return { records, totals, sorted: isSorted(nodes), orphanBlocks: store.untouched() };
}

/** A path as the tree has it. */
interface PathNode {
  readonly id: number;
  readonly parent: number;
  /** Bytes of the last component. */
  readonly name: Buffer;
  readonly record: Omit<BomRecord, 'path'>;
  /** Of the name's block in the file, for errors. */
  readonly offset: number;
}

/**
 * Longest path accepted; PATH_MAX of macOS is 1,024 (sys/syslimits.h). Without a bound a small file of folders inside each other
 * costs memory that grows with the square of their number.
 */
const PATH_MAX = 4096;

function variable(store: BomStore, name: string): number {
  const block = store.vars.get(name);
  if (block === undefined) throw new FormatError('BOM_VARS', 'BomVars', 0, `expected a variable ${name}, found none`);
  return block;
}

function readInfo(store: BomStore, paths: number): BomTotal[] {
  const block = variable(store, 'BomInfo');
  const data = store.block(block, 'BomInfo');
  const bad = (field: 'version' | 'pathCount' | 'entryCount', problem: string) =>
    new FormatError('BOM_INFO', 'BomInfo', store.offsetOf(block) + BOM_INFO.offsetOf(field), problem);
  const { version, pathCount, entryCount } = BOM_INFO.decode(data);
  if (version !== 1) throw bad('version', `expected version 1, found ${version}`);
  // One more than there are, by Apple's tools; as many, by stuckliste.
  if (pathCount !== paths + 1 && pathCount !== paths)
    throw bad('pathCount', `expected ${paths + 1} paths, found ${pathCount}`);
  const room = (data.length - BOM_INFO.size) / BOM_TOTAL.size;
  if (entryCount !== room) throw bad('entryCount', `expected ${room} entries, found ${entryCount}`);
  return Array.from({ length: entryCount }, (_, index) => {
    const { cpuType, size } = BOM_TOTAL.decode(data, BOM_INFO.size + index * BOM_TOTAL.size);
    return { cpuType, size };
  });
}

function readPath(store: BomStore, { value, key }: TreeEntry): PathNode {
  const info = store.block(value, 'BomPathInfo');
  const { id, record } = BOM_PATH_INFO.decode(info);
  const file = store.block(key, 'BomFile');
  const offset = store.offsetOf(key);
  const { parent } = BOM_FILE.decode(file);
  const name = file.subarray(BOM_FILE.size, -1);
  const problem = nameProblem(file, name, parent) ?? (id === 0 ? 'expected an id from 1, found 0' : undefined);
  if (problem) throw new FormatError('BOM_PATH', 'BomFile', offset, problem);
  if (info.length !== BOM_PATH_INFO.size) {
    const problem = `expected ${BOM_PATH_INFO.size} bytes, found ${info.length}`;
    throw new FormatError('BOM_PATH', 'BomPathInfo', store.offsetOf(value), problem);
  }
  const data = store.block(record, 'BomRecord');
  return { id, parent, name, record: decodeBomRecord(data, store.offsetOf(record)), offset };
}

function nameProblem(file: Buffer, name: Buffer, parent: number): string | undefined {
  if (file.indexOf(0, BOM_FILE.size) !== file.length - 1) return 'expected a name that ends with its only NUL';
  const text = name.toString('utf8');
  if (!Buffer.from(text).equals(name)) return 'expected a name in UTF-8';
  if (text === '' || text === '..' || text.includes('/'))
    return `expected one path component, found ${JSON.stringify(text)}`;
  if ((text === '.') !== (parent === 0))
    return `expected "." as the only name without a parent, found ${JSON.stringify(text)}`;
  return undefined;
}

/** The trees beside Paths hold nothing in an ordinary Bom; their shape is checked, hard links are left alone. */
function checkSideTrees(store: BomStore): void {
  const links = store.vars.get('HLIndex');
  if (links !== undefined) walkTree(store, links, 'HLIndex');
  const vindex = store.vars.get('VIndex');
  if (vindex !== undefined) walkTree(store, BOM_VINDEX.decode(store.block(vindex, 'BomVIndex')).tree, 'VIndex');
  const large = store.vars.get('Size64');
  if (large !== undefined && walkTree(store, large, 'Size64').length > 0) {
    throw new FormatError(
      'BOM_UNSUPPORTED',
      'BomTree',
      store.offsetOf(large),
      'expected no file from 4 GiB on, found Size64 entries',
    );
  }
}

/** Returns the records with whole paths, in the order of the tree. */
function resolvePaths(nodes: readonly PathNode[]): BomRecord[] {
  const children = new Map<number, PathNode[]>();
  const byId = new Map<number, PathNode>();
  for (const node of nodes) {
    if (byId.has(node.id))
      throw new FormatError('BOM_DUPLICATE_ID', 'BomPathInfo', node.offset, `expected id ${node.id} once`);
    byId.set(node.id, node);
  }
  for (const node of nodes) {
    if (node.parent === 0) continue;
    if (byId.get(node.parent)?.record.kind !== 'directory') {
      const problem = `expected a directory with id ${node.parent} above ${JSON.stringify(node.name.toString())}, found none`;
      throw new FormatError('BOM_MISSING_PARENT', 'BomFile', node.offset, problem);
    }
    const siblings = children.get(node.parent);
    if (siblings) siblings.push(node);
    else children.set(node.parent, [node]);
  }
  const paths = nameFromRoot(nodes, children);
  return nodes.map((node) => {
    const path = paths.get(node);
    if (path !== undefined) return { path, ...node.record };
    const problem = `expected ${JSON.stringify(node.name.toString())} below the root, found its folders hold each other`;
    throw new FormatError('BOM_UNREACHABLE', 'BomFile', node.offset, problem);
  });
}

/** Returns the path of every node that the root leads to. */
function nameFromRoot(nodes: readonly PathNode[], children: ReadonlyMap<number, PathNode[]>): Map<PathNode, string> {
  const roots = nodes.filter(({ parent }) => parent === 0);
  if (roots.length !== 1) {
    throw new FormatError('BOM_PATH', 'BomFile', roots[1]?.offset ?? 0, `expected one root, found ${roots.length}`);
  }
  const paths = new Map(roots.map((root) => [root, '.']));
  // The map grows while it is walked.
  for (const [{ id, offset }, path] of paths) {
    if (path.length > PATH_MAX) {
      const problem = `expected paths of at most ${PATH_MAX} characters, found ${path.length}`;
      throw new FormatError('BOM_PATH_LENGTH', 'BomFile', offset, problem);
    }
    const names = new Set<string>();
    for (const child of children.get(id) ?? []) {
      const name = child.name.toString('utf8');
      if (names.has(name)) {
        throw new FormatError(
          'BOM_DUPLICATE_PATH',
          'BomFile',
          child.offset,
          `expected ${JSON.stringify(`${path}/${name}`)} once`,
        );
      }
      names.add(name);
      paths.set(child, `${path}/${name}`);
    }
  }
  return paths;
}

function isSorted(nodes: readonly PathNode[]): boolean {
  return nodes.every((node, index) => {
    const before = nodes[index - 1];
    if (!before) return true;
    return before.parent < node.parent || (before.parent === node.parent && Buffer.compare(before.name, node.name) < 0);
  });
}
