import { resolve } from 'node:path';
import { demandFolder } from '../src/base/place/folder.ts';
import { selectToolchain } from '../src/toolchain/select.ts';
import type { Toolchain } from '../src/toolchain/toolchain.ts';
import type { CommandContext } from './command.ts';
import { compiledEarlier, readCompiledRecord } from './parts/parts.ts';
import { makePlan, type Plan } from './plan/plan.ts';
import type { ReleaseSigning } from './signing/identities.ts';

/** What the command line says of sources, tools and results. */
export interface PrepareOptions {
  readonly toolchain?: 'portable' | 'apple' | 'auto';
  /** Whose client submits and staples, where that is not to be the toolchain's. */
  readonly notary?: 'portable' | 'apple';
  readonly out?: string;
  /** Package of the release before. */
  readonly previous?: string;
  /** Folder that `parts` made: its slices are taken, and all else that a release reads. */
  readonly compiled?: string;
  readonly resume?: boolean;
}

/** Plan and tools of a run. */
export interface Prepared {
  readonly plan: Plan;
  /** False where slices come from a folder of parts. */
  readonly compilesHere: boolean;
  /** Who signs decides whose timestamps are asked for, and whether Apple's tools can sign at all. */
  toolchainFor(signing: Signing | null): Toolchain;
}

/** Returns the plan and the tools; with --compiled, both as the machine that compiled had them. */
export async function prepare(
  { root, env }: Pick<CommandContext, 'root' | 'env'>,
  { compiled, out, previous, toolchain: choice, notary, resume }: PrepareOptions,
): Promise<Prepared> {
  const previousPackage = previous === undefined ? undefined : resolve(previous);
  if (compiled === undefined) {
    const outFolder = resolve(out ?? resolve(root, 'out'));
    const plan = await makePlan({ root, outFolder, sourceDateEpoch: env.SOURCE_DATE_EPOCH, previousPackage });
    const toolchainFor = (signing: Signing | null) =>
      askedOnce(toolchainOf(choice ?? plan.config.signing.toolchain, signing, notary));
    return { plan, compilesHere: true, toolchainFor };
  }
  const folder = resolve(compiled);
  await demandFolder(folder);
  const record = await readCompiledRecord(folder);
  const outFolder = resolve(out ?? resolve(folder, 'out'));
  const sourceDateEpoch = String(record.sourceDateEpoch);
  const plan = await makePlan({ root: folder, outFolder, sourceDateEpoch, previousPackage });
  // What is left to do once a package is signed can be done on any machine, so that a Mac that is gone stops nobody.
  const recorded = resume && record.toolchain === 'apple' ? 'auto' : record.toolchain;
  const toolchainFor = (signing: Signing | null) => {
    const here = toolchainOf(choice ?? recorded, signing, notary);
    return { ...here, compiler: compiledEarlier(folder, record, here.compiler) };
  };
  return { plan: { ...plan, commit: record.commit }, compilesHere: false, toolchainFor };
}

/** A compiler is asked for its version before the first stage, and remembers its answer for the stage that records it. */
function askedOnce(toolchain: Toolchain): Toolchain {
  const { compiler } = toolchain;
  let versions: ReturnType<typeof compiler.versions> | undefined;
  const asked = () => {
    versions ??= compiler.versions();
    return versions;
  };
  return { ...toolchain, compiler: { ...compiler, versions: asked } };
}

/** Who signs or signed: whose timestamps are asked for is known only before. */
type Signing = Pick<ReleaseSigning, 'mode'> & Partial<Pick<ReleaseSigning, 'timestamp' | 'signingTime'>>;

/** Apple's tools believe only what leads to Apple and ask only its services, so a rehearsal has them compile and build, no more. */
function toolchainOf(
  choice: 'portable' | 'apple' | 'auto',
  signing: Signing | null,
  client: PrepareOptions['notary'],
): Toolchain {
  const toolchain = selectToolchain(choice, signing?.timestamp, signing?.signingTime);
  if (signing?.mode !== 'rehearsal') {
    const { notary, stapler } = client === undefined ? toolchain : selectToolchain(client);
    return { ...toolchain, notary, stapler };
  }
  if (toolchain.name === 'portable') return toolchain;
  const { compiler, packageBuilder } = toolchain;
  const portable = selectToolchain('portable', signing.timestamp, signing.signingTime);
  return { ...portable, name: toolchain.name, compiler, packageBuilder };
}
