import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseJson } from '../../src/base/document.ts';
import type { Plan } from '../plan/plan.ts';
import { packagePaths } from '../stages/build-package.ts';
import { buildSbom, type Sbom } from './cyclonedx.ts';
import { readBuildPackages } from './npm-packages.ts';
import { readPackageContent } from './package-content.ts';

/**
 * Returns the SBOM of the finished package of a plan, read from the file itself.
 *
 * @param tools versions of what compiled and signed, as the manifest has them
 * @throws UsageError `LOCK_INVALID` without npm's lock file
 */
export async function makeSbom(plan: Plan, tools: Readonly<Record<string, string>>): Promise<Sbom> {
  const path = packagePaths(plan).product;
  const pipeline = parseJson(await readFile(join(plan.root, 'package.json'), 'utf8'), 'package.json') as {
    readonly name: string;
    readonly license: string;
  };
  return buildSbom({
    product: { title: plan.config.product.title, file: basename(path), license: pipeline.license },
    content: await readPackageContent(path),
    commit: plan.commit,
    sourceDateEpoch: plan.sourceDateEpoch,
    tools: { ...tools, [pipeline.name]: plan.version },
    npmPackages: await readBuildPackages(plan.root),
  });
}
