import { encodeBom } from '../../src/bom/encode.ts';
import { bomRecords } from '../../src/bom/payload-records.ts';
import { gzipMember } from '../../src/cpio/gzip.ts';
import { writeCpio } from '../../src/cpio/write.ts';
import { payloadCounters } from '../../src/package/counters.ts';
import { renderDistribution } from '../../src/package/distribution.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { checkEntries, type PayloadEntry } from '../../src/tree/entry.ts';
import type { FileFacts } from '../../src/tree/file-facts.ts';
import {
  deflatedFile,
  emitXar,
  directory as folder,
  layoutXar,
  storedFile,
  type XarEntry,
} from '../../src/xar/write.ts';
import { usualSignature } from '../mutation/signing.ts';
import { collect, directory } from '../support/payload.ts';

/** What a component package of somebody else is made of; all has a usual value. */
export interface PackageParts {
  readonly payload: readonly PayloadEntry[];
  /** Entries of the Scripts archive; none without. */
  readonly scripts: readonly PayloadEntry[];
  /** Names of the scripts that PackageInfo lists. */
  readonly run: readonly string[];
  /** Changes the bytes of the Payload member. */
  readonly pack: (cpio: Buffer) => Promise<Buffer> | Buffer;
  /** Further elements of PackageInfo. */
  readonly info: string;
  readonly more: readonly XarEntry[];
  readonly installLocation: string;
  readonly identifier: string;
}

/** Returns a bare component package, signed by an authority or by nobody. */
export async function packageOf(
  authority: RehearsalAuthority | null,
  parts: Partial<PackageParts> = {},
): Promise<Buffer> {
  return signed(authority, await componentMembers(parts));
}

/** Components of a product, by their folder. */
export type ProductParts = Readonly<Record<string, Partial<PackageParts> & { readonly identifier: string }>>;

/**
 * Returns a product archive with components of somebody else, signed by an authority or by nobody.
 *
 * @param edit changes the Distribution
 */
export async function productOf(
  authority: RehearsalAuthority | null,
  parts: ProductParts,
  edit = (distribution: string) => distribution,
): Promise<Buffer> {
  const references = Object.entries(parts).map(([member, { identifier }]) => ({
    id: identifier,
    version: '1.0',
    installKBytes: 0,
    member,
    versionedBundles: [],
  }));
  const distribution = renderDistribution({
    product: { id: 'com.example.product', version: '1.0' },
    title: 'Example',
    minimumSystemVersion: '11.0',
    hostArchitectures: ['arm64', 'x86_64'],
    packages: references,
  });
  const folders = await Promise.all(
    Object.entries(parts).map(async ([name, own]) =>
      folder(name, await componentMembers(own), { mode: 0o755, uid: 0, gid: 0, mtime: 1_700_000_000 }),
    ),
  );
  return signed(authority, [deflatedFile('Distribution', Buffer.from(edit(distribution.toString()))), ...folders]);
}

async function signed(authority: RehearsalAuthority | null, entries: readonly XarEntry[]): Promise<Buffer> {
  if (!authority) return collect(emitXar(layoutXar(entries, { creationTime: 1_700_000_000, signatures: [] })));
  const signature = usualSignature(authority);
  const layout = layoutXar(entries, { creationTime: 1_700_000_000, signatures: signature.rooms });
  return collect(emitXar(layout, await signature.sign(layout.tocDigest)));
}

async function componentMembers(parts: Partial<PackageParts>): Promise<XarEntry[]> {
  const { payload = [], scripts = [], run = ['postinstall'], info = '', more = [], installLocation = '/' } = parts;
  const { identifier = 'com.example.tool' } = parts;
  const entries = checkEntries([directory('.'), ...payload]);
  const facts = new Map<string, FileFacts>();
  const cpio = await collect(writeCpio(entries, (entry, found) => facts.set(entry.path, found)));
  const records = bomRecords(entries, facts);
  const { numberOfFiles, installKBytes } = payloadCounters(records);
  const named = scripts.length > 0 ? run.map((name) => `<${name} file="./${name}"/>`).join('') : '';
  const packageInfo =
    `<pkg-info identifier="${identifier}" version="1.0" install-location="${installLocation}" auth="root">` +
    `<payload numberOfFiles="${numberOfFiles}" installKBytes="${installKBytes}"/>${info}` +
    `${named && `<scripts>${named}</scripts>`}</pkg-info>`;
  const packed = parts.pack ? await parts.pack(cpio) : await gzip(cpio);
  return [
    deflatedFile('Bom', encodeBom(records)),
    storedFile('Payload', packed),
    ...(scripts.length > 0 ? [storedFile('Scripts', await scriptsArchive(scripts))] : []),
    deflatedFile('PackageInfo', Buffer.from(packageInfo)),
    ...more,
  ];
}

/** Returns an archive as pkgbuild packs it. */
export function gzip(archive: Buffer): Promise<Buffer> {
  return collect(
    gzipMember(
      (async function* () {
        yield archive;
      })(),
      { level: 1 },
    ),
  );
}

/** Returns a Scripts member. */
export async function scriptsArchive(scripts: readonly PayloadEntry[]): Promise<Buffer> {
  return gzip(await collect(writeCpio(checkEntries([directory('.'), ...scripts]))));
}
