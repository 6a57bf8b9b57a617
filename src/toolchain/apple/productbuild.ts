import { writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

const BUILD_TIMEOUT_MS = 600_000;

/** What a product archive is assembled from. */
export interface ProductbuildInput {
  readonly distribution: Buffer;
  /** Component package, in the folder where the Distribution file may be put. */
  readonly component: string;
  readonly identifier: string;
  readonly version: string;
  /** File to make or replace. */
  readonly path: string;
}

/** Writes a product archive with productbuild, around a component and with our own Distribution. */
export async function runProductbuild(input: ProductbuildInput, options: WorkOptions): Promise<void> {
  const folder = dirname(input.component);
  const distribution = `${input.component}.Distribution`;
  await writeFile(distribution, inputForm(input.distribution));
  const argv = [
    '--quiet',
    '--distribution',
    distribution,
    '--package-path',
    folder,
    '--identifier',
    input.identifier,
    '--version',
    input.version,
    input.path,
  ];
  await runAppleTool('productbuild', argv, { ...options, timeoutMs: BUILD_TIMEOUT_MS });
}

/**
 * Returns a Distribution as productbuild reads it: packages by file name, where the archive's own has the member as a fragment
 * (`#com.example.a.pkg`); productbuild adds the `#` (observed in the inputs and outputs of public installers).
 */
function inputForm(distribution: Buffer): string {
  return distribution.toString('utf8').replace(/(<pkg-ref [^>]*>)#([^<]+)(?=<\/pkg-ref>)/g, '$1$2');
}
