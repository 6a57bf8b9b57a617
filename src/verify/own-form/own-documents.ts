import type { CheckList } from '../../base/check.ts';
import type { BomRecord } from '../../bom/bom.ts';
import { encodeBom } from '../../bom/encode.ts';
import { BOM_BLOCK, BOM_HEADER } from '../../bom/layout.ts';
import { bomRecords } from '../../bom/payload-records.ts';
import { packageInfoOf } from '../../package/component.ts';
import { type PayloadCounters, payloadCounters } from '../../package/counters.ts';
import { memberData, type OpenComponent } from '../../package/open-package.ts';
import { distributionOf } from '../../package/product.ts';
import { findMember, type XarArchive } from '../../xar/read.ts';
import type { OurForm } from '../expectations.ts';
import { documentDifferences, recordDifferences } from './apple-documents.ts';
import { bytesAt, firstDifference, textDifference } from './difference.ts';
import type { OwnTree } from './own-tree.ts';

/** What the documents of a package of ours follow from: its form, its version and what is in its payload. */
export interface OwnContent {
  readonly ours: OurForm;
  readonly version: string;
  readonly records: readonly BomRecord[];
  readonly counters: PayloadCounters;
  readonly cpuTypes: readonly number[];
}

/** Returns what the documents of a package follow from. */
export function ownContent(ours: OurForm, version: string, { entries, facts }: OwnTree): OwnContent {
  const records = bomRecords(entries, facts);
  const architectures = [...facts.values()].flatMap(({ macho }) => macho?.architectures ?? []);
  const cpuTypes = [...new Set(architectures.map(({ cpuType }) => cpuType))];
  return { ours, version, records, counters: payloadCounters(records), cpuTypes };
}

/** Returns our Distribution and PackageInfo for a content. */
export function ownDocuments({ ours, version, counters, cpuTypes }: OwnContent) {
  const { identifier, title, minimumSystemVersion, installLocation } = ours;
  const component = { identifier, version };
  const scripts = ours.scripts.map((name) => ({ path: `./${name}` }));
  const bundles = ours.bundles(version);
  return {
    Distribution: distributionOf(
      { identifier, version, title, minimumSystemVersion, component },
      { installKBytes: counters.installKBytes, cpuTypes },
    ),
    PackageInfo: packageInfoOf({ ...component, installLocation, bundles, scripts }, counters),
  };
}

/**
 * Checks Distribution, PackageInfo and Bom: our writers make these very bytes of the payload, the version and the form. Apple's tools
 * must have said the same, in their own way.
 */
export async function checkOwnDocuments(
  list: CheckList,
  archive: XarArchive,
  component: OpenComponent,
  content: OwnContent,
): Promise<void> {
  const { Distribution, PackageInfo } = ownDocuments(content);
  const data = async (path: string) => {
    const member = findMember(archive, path);
    return member ? memberData(archive, member) : Buffer.alloc(0);
  };
  const inside = (name: string) => data(`${component.folder}/${name}`);
  const records = component.bom?.records ?? [];
  if (content.ours.madeBy === 'apple') {
    list.check('form-distribution', documentDifferences('Distribution', await data('Distribution'), Distribution));
    list.check('form-package-info', documentDifferences('PackageInfo', await inside('PackageInfo'), PackageInfo));
    list.check('form-bom', recordDifferences(records, content.records));
    return;
  }
  list.check('form-distribution', [textDifference('Distribution', await data('Distribution'), Distribution)]);
  list.check('form-package-info', [textDifference('PackageInfo', await inside('PackageInfo'), PackageInfo)]);
  list.check('form-bom', bomProblems(await inside('Bom'), records, content.records));
}

function bomProblems(
  found: Buffer,
  records: readonly BomRecord[],
  expected: readonly BomRecord[],
): (string | undefined)[] {
  const bytes = encodeBom(expected);
  const at = firstDifference(found, bytes);
  if (at === undefined) return [];
  const named = expected.map((record) => recordProblem(record, records));
  return [
    ...named,
    `Bom, byte ${at} (${bomPart(bytes, at)}): expected ${bytesAt(bytes, at)}, found ${bytesAt(found, at)}`,
  ];
}

function recordProblem(expected: BomRecord, records: readonly BomRecord[]): string | undefined {
  const record = records.find(({ path }) => path === expected.path);
  if (!record) return `${expected.path} is not in the Bom`;
  if (expected.architectures && !record.architectures) return `the Bom does not list the slices of ${expected.path}`;
  return record.pathOnly ? `the Bom has the path ${expected.path} alone, without mode, owner and checksum` : undefined;
}

/** Says whether a byte lies in the header, in a block or in the table of blocks. */
function bomPart(bom: Buffer, at: number): string {
  const { indexOffset, varsOffset, varsLength } = BOM_HEADER.decode(bom);
  if (at < BOM_HEADER.size) return 'header';
  if (at >= varsOffset && at < varsOffset + varsLength) return 'names of blocks';
  if (at >= indexOffset) return 'table of blocks';
  const count = bom.readUInt32BE(indexOffset);
  for (let block = 1; block < count; block++) {
    const { offset, length } = BOM_BLOCK.decode(bom, indexOffset + 4 + block * BOM_BLOCK.size);
    if (at >= offset && at < offset + length) return `block ${block}`;
  }
  return 'between the blocks';
}
