import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { type Check, CheckList } from '../../src/base/check.ts';
import { PipelineError, UsageError } from '../../src/base/errors.ts';
import { WorkBudget } from '../../src/base/input/limits.ts';
import { withFile } from '../../src/base/with-file.ts';
import {
  developerIdRequirement,
  type Requirement,
  rootRequirement,
} from '../../src/code-signature/requirement/requirement.ts';
import type { BundleSigner } from '../../src/code-signature/sign/sign-bundle.ts';
import { cpioEntries, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import { bytesAt, firstDifference, textDifference } from '../../src/verify/own-form/difference.ts';
import { reservationOf } from '../../src/verify/own-form/own-archive.ts';
import { signerOfProgram } from '../../src/verify/own-form/own-code.ts';
import { readHeap } from '../../src/xar/read.ts';
import { resignXar } from '../../src/xar/resign.ts';
import type { SignatureReservation } from '../../src/xar/toc-render.ts';
import { emitXar } from '../../src/xar/write.ts';
import { type Manifest, readManifest } from '../plan/manifest.ts';
import { makePlan, type Plan } from '../plan/plan.ts';
import { packageIdentifiers } from '../stages/build-package.ts';
import type { ScriptPackage } from '../stages/generate-scripts.ts';
import { compareMembers } from './compare-members.ts';
import { contentsOf } from './content.ts';
import { type Rebuilt, rebuild, type TakenSignatures } from './rebuild.ts';

/** What is proven of a package, and from what. */
export interface ProofInput {
  readonly file: string;
  /** Folder with a checkout of the tag. */
  readonly source: string;
  readonly sourceDateEpoch: string | undefined;
  readonly trust: Trust;
  readonly signal: AbortSignal;
  /** By default the one that made the package. */
  readonly toolchain?: Pick<Toolchain, 'compiler' | 'packageBuilder'>;
}

/** What was found when a package was made again from its sources. */
export interface Proof {
  readonly checks: readonly Check[];
  readonly version: string;
  readonly commit: string | null;
  /** Tools that compiled here. */
  readonly tools: Readonly<Record<string, string>>;
}

/**
 * Makes a package again from its sources and says what differs.
 *
 * Only what its keys alone can make is taken from the finished file: the signatures over table of contents and code. Everything
 * else comes from the sources; with the signatures put in their places both files are the same, byte for byte, up to the ticket.
 */
export async function proveContents(input: ProofInput): Promise<Proof> {
  const outFolder = await mkdtemp(join(tmpdir(), 'prove-'));
  try {
    return await withFile(input.file, async (access) =>
      compareWithSources(input, await openPackage(access, new WorkBudget(access.size)), outFolder),
    );
  } finally {
    await rm(outFolder, { recursive: true, force: true });
  }
}

async function compareWithSources(input: ProofInput, found: OpenPackage, outFolder: string): Promise<Proof> {
  const { source, signal } = input;
  const manifest = await readManifest(dirname(input.file)).catch(() => null);
  const list = new CheckList('package');
  const sources = await makePlan({ root: source, outFolder, sourceDateEpoch: input.sourceDateEpoch });
  const name = nameOf(found, sources);
  const plan = sameTime(list, found, sources);
  const toolchain = input.toolchain ?? selectToolchain(madeBy(found));
  const taken = await takenSignatures(list, found, plan, input.trust);
  const rebuilt = await rebuild(plan, taken, toolchain, signal);
  await withFile(rebuilt.paths[name], async (access) => {
    const own = await openPackage(access);
    const otherZlib = zlibReason(manifest);
    const members = compareMembers(await contentsOf(found), await contentsOf(own), otherZlib);
    list.add(members.checks);
    if (members.otherCode) checkTools(list, members.tools, rebuilt, manifest);
    if (members.sameContent) await checkWhole(list, found, own, otherZlib);
    else list.skip('rebuilt-whole', 'what is named above differs');
  });
  return { checks: list.checks, version: plan.version, commit: plan.commit, tools: rebuilt.tools };
}

/** Which package of a release it is. */
function nameOf({ distribution, components }: OpenPackage, { config }: Plan): ScriptPackage {
  const identifier = distribution?.product?.id ?? components[0]?.info.identifier;
  const identifiers = packageIdentifiers(config);
  const found = Object.entries(identifiers).find(([, own]) => own === identifier)?.[0];
  if (found) return found as ScriptPackage;
  throw new UsageError(
    'PROVE_OTHER_PRODUCT',
    `the package is ${JSON.stringify(identifier)}; the sources make ${Object.values(identifiers).join(', ')}`,
    { hint: 'Name the checkout that it was made from: --source DIR' },
  );
}

/** pkgbuild writes its name into PackageInfo. */
function madeBy({ components }: OpenPackage): 'apple' | 'portable' {
  return components[0]?.info.generatorVersion?.startsWith('InstallCmds') ? 'apple' : 'portable';
}

/** The time of files is one value, checked once; all else is compared under the package's own. */
function sameTime(list: CheckList, { archive }: OpenPackage, plan: Plan): Plan {
  const time = archive.creationTime ?? plan.sourceDateEpoch;
  const utc = (seconds: number) => new Date(seconds * 1000).toISOString();
  // Without a commit, a note or a dated version there is no time that the package ought to have.
  if (plan.timeFrom === 'file times') list.skip('rebuilt-time', 'the sources do not say of when they are');
  else {
    const problem = `the package is of ${utc(time)}, expected ${utc(plan.sourceDateEpoch)} (${plan.timeFrom})`;
    list.check('rebuilt-time', [time !== plan.sourceDateEpoch && problem]);
  }
  return { ...plan, sourceDateEpoch: time };
}

async function takenSignatures(
  list: CheckList,
  found: OpenPackage,
  plan: Plan,
  trust: Trust,
): Promise<TakenSignatures> {
  const { identifier, executable } = plan.config.bundle;
  const program = await programIn(found, executable);
  if (!program) return { signer: { kind: 'ad-hoc' }, requirement: namedRequirement(found, identifier, trust) };
  try {
    const signer = signerOfProgram(program);
    return { signer, requirement: signedRequirement(signer, identifier) };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    list.fail('rebuilt-signer', `the program's signatures cannot be read: ${error.message}`);
    return { signer: { kind: 'ad-hoc' }, requirement: namedRequirement(found, identifier, trust) };
  }
}

function signedRequirement(signer: BundleSigner, identifier: string): Requirement {
  return signer.kind === 'identity' ? signer.requirement(identifier) : { op: 'identifier', value: identifier };
}

/** A package without code of its own: both certificates of a release have one team. */
function namedRequirement({ archive }: OpenPackage, identifier: string, trust: Trust): Requirement {
  const certificates = archive.signatures[0]?.certificates.map(parseCertificate) ?? [];
  const [leaf, root] = [certificates[0], certificates.at(-1)];
  if (!leaf || !root) return { op: 'identifier', value: identifier };
  return trust.name === 'rehearsal'
    ? rootRequirement(identifier, Buffer.from(root.sha1, 'hex'))
    : developerIdRequirement(identifier, leaf.organizationalUnit ?? '');
}

async function programIn({ archive, components }: OpenPackage, executable: string): Promise<Buffer | undefined> {
  const payload = components[0]?.payload;
  if (!payload) return undefined;
  for await (const { path, data } of cpioEntries(archive, payload)) {
    if (!path.endsWith(`/Contents/MacOS/${executable}`)) continue;
    const parts: Buffer[] = [];
    for await (const chunk of data) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts);
  }
  return undefined;
}

/** zlib promises the same content, not the same stream, in each of its versions. */
function zlibReason(manifest: Manifest | null): string | null {
  const recorded = manifest?.tools.zlib;
  if (recorded === undefined || recorded === process.versions.zlib) return null;
  return `release.json names zlib ${recorded}, here it is ${process.versions.zlib}`;
}

/** Another compiler makes other code of the same sources: that must be said before anybody suspects the worst. */
function checkTools(list: CheckList, named: readonly string[], { tools }: Rebuilt, manifest: Manifest | null): void {
  const recorded = Object.entries(tools)
    .filter(([tool, version]) => manifest?.tools[tool] !== undefined && manifest.tools[tool] !== version)
    .map(([tool, version]) => `release.json names ${tool} ${manifest?.tools[tool]}, here it is ${version}`);
  const reasons = [...recorded, ...named];
  if (reasons.length === 0) list.pass('rebuilt-compiler', 'the same tools, so that they are not the reason');
  else list.fail('rebuilt-compiler', `another compiler is a reason for other code: ${reasons.join('; ')}`);
}

/** The file that the sources make, with the signatures in their places, against the finished one. */
async function checkWhole(
  list: CheckList,
  found: OpenPackage,
  own: OpenPackage,
  otherZlib: string | null,
): Promise<void> {
  const { archive } = found;
  const rooms = archive.signatures.map(reservationOf);
  const strange = rooms.find((room) => typeof room === 'string');
  if (strange !== undefined) return list.fail('rebuilt-toc', strange as string);
  const layout = resignXar(own.archive, { signatures: rooms as SignatureReservation[] });
  const { headerSize, tocCompressedSize } = archive.header;
  const toc = inflateSync(await archive.access.read(headerSize, tocCompressedSize));
  const difference = textDifference('table of contents', toc, inflateSync(layout.compressedToc));
  list.check('rebuilt-toc', [difference]);
  if (difference !== undefined) return list.skip('rebuilt-whole', 'the table of contents differs');
  const signatures = await Promise.all(archive.signatures.map(({ range }) => readHeap(archive, range)));
  const parts: Buffer[] = [];
  for await (const chunk of emitXar(layout, signatures)) parts.push(Buffer.from(chunk));
  const [expected, there] = [Buffer.concat(parts), await archive.access.read(0, archive.trailing.offset)];
  const at = firstDifference(there, expected);
  const firstByte = at !== undefined && `byte ${at}: expected ${bytesAt(expected, at)}, found ${bytesAt(there, at)}`;
  list.check(
    'rebuilt-whole',
    [otherZlib === null && firstByte],
    [otherZlib !== null && firstByte && `${firstByte}: ${otherZlib}`],
  );
}
