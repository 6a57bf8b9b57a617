import { PipelineError } from '../../src/base/errors.ts';
import { slicesOf } from '../../src/macho/fat.ts';
import { type Macho, parseMacho } from '../../src/macho/macho.ts';
import { bytesAt, firstDifference } from '../../src/verify/own-form/difference.ts';
import { buildTools, type Region, regionsOf, symbolAt } from './code-regions.ts';

/** A slice with its parts by name. */
interface Slice {
  readonly data: Buffer;
  readonly macho: Macho;
  readonly regions: ReadonlyMap<string, Region>;
}

/** What differs between a program and the one that the sources make. */
export interface CodeDifference {
  readonly problems: readonly string[];
  /** Slices of which LC_BUILD_VERSION names other tools. */
  readonly tools: readonly string[];
}

/** Returns what differs between two Mach-O files: the slice, the section or other part, the symbol and the first byte. */
export function codeDifference(found: Buffer, expected: Buffer): CodeDifference {
  if (found.equals(expected)) return { problems: [], tools: [] };
  let slices: Slice[];
  try {
    slices = slicesOf(found).map(openSlice);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { problems: [`it cannot be read as a program: ${error.message}`], tools: [] };
  }
  const ours = slicesOf(expected).map(openSlice);
  const names = (list: readonly Slice[]) => list.map(({ macho }) => macho.architecture).join(', ');
  if (names(slices) !== names(ours))
    return { problems: [`slices ${names(slices)}, expected ${names(ours)}`], tools: [] };
  const pairs = ours.map((own, index) => ({ own, found: slices[index] as Slice }));
  const problems = pairs.flatMap(({ own, found: other }) => sliceProblems(other, own));
  return {
    problems: problems.length > 0 ? problems : [`byte ${firstDifference(found, expected)}, outside of the slices`],
    tools: pairs.flatMap(({ own, found: other }) => toolDifference(other, own)),
  };
}

function openSlice(data: Buffer): Slice {
  const macho = parseMacho(data);
  return { data, macho, regions: new Map(regionsOf(data, macho).map((region) => [region.name, region])) };
}

function toolDifference(found: Slice, own: Slice): string[] {
  const [was, is] = [found, own].map(({ data, macho }) => buildTools(data, macho).join(', ') || 'no tool');
  return was === is ? [] : [`${own.macho.architecture} names ${was}, here ${is}`];
}

function sliceProblems(found: Slice, own: Slice): string[] {
  if (found.data.equals(own.data)) return [];
  const { architecture } = own.macho;
  const names = [...new Set([...own.regions.keys(), ...found.regions.keys()])];
  const problems = names.flatMap((name) => regionProblem(name, found, own));
  if (problems.length > 0) return problems.map((problem) => `${architecture}, ${problem}`);
  const at = firstDifference(found.data, own.data) as number;
  const values = `expected ${bytesAt(own.data, at)}, found ${bytesAt(found.data, at)}`;
  return [`${architecture}, byte ${at}, between its parts: ${values}`];
}

function regionProblem(name: string, found: Slice, own: Slice): string[] {
  const [there, expected] = [found.regions.get(name), own.regions.get(name)];
  if (!there) return [`${name} is missing`];
  if (!expected) return [`${name} is there, which the sources make none of`];
  const [was, is] = [bytesOf(found, there), bytesOf(own, expected)];
  const at = firstDifference(was, is);
  if (at === undefined) return [];
  const symbol = there.address === undefined ? '' : symbolAt(found.data, found.macho, there.address + BigInt(at));
  const size = was.length === is.length ? '' : `; ${was.length} bytes, expected ${is.length}`;
  return [`${name}, byte ${at}${symbol}: expected ${bytesAt(is, at)}, found ${bytesAt(was, at)}${size}`];
}

const bytesOf = ({ data }: Slice, { offset, size }: Region) => data.subarray(offset, offset + size);
