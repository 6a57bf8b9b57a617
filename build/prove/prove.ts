import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Check, CheckList } from '../../src/base/check.ts';
import { WorkBudget } from '../../src/base/input/limits.ts';
import { withFile } from '../../src/base/with-file.ts';
import { type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';
import type { Toolchain } from '../../src/toolchain/toolchain.ts';
import { readManifest } from '../plan/manifest.ts';
import { makePlan } from '../plan/plan.ts';
import { checkWhole } from './check-whole.ts';
import { compareMembers } from './compare-members.ts';
import { contentsOf } from './content.ts';
import { madeBy, nameOf, sameTime } from './found-package.ts';
import { checkTools, zlibReason } from './other-tools.ts';
import { rebuild } from './rebuild.ts';
import { takenSignatures } from './taken-signatures.ts';

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
