import { join } from 'node:path';
import { buildProduct, type UnsignedProduct } from '../../src/flat-package/product.ts';
import { outputName, type Plan } from '../plan.ts';
import type { StageContext, StageResult } from '../run.ts';
import type { AssembledPayload } from './assemble-payload.ts';

/** Builds the flat package: one component inside a product archive, not signed. */
export async function buildPackage(
  assembled: AssembledPayload,
  { plan, signal }: Pick<StageContext, 'plan' | 'signal'>,
): Promise<StageResult<UnsignedProduct>> {
  const product = await buildProduct(
    productPlan(plan, assembled),
    join(plan.outFolder, outputName(plan, 'package')),
    signal,
  );
  return {
    value: product,
    words: `${product.numberOfFiles} entries, ${product.installKBytes} KiB installed, ${product.size} bytes`,
  };
}

/** Returns what the package is made from. */
function productPlan(plan: Plan, { payload, scripts }: AssembledPayload) {
  const { bundle, package: settings, product, macOS } = plan.config;
  const { identifier, installLocation } = settings;
  return {
    identifier,
    version: plan.version,
    title: product.title,
    minimumSystemVersion: macOS.installer,
    creationTime: plan.sourceDateEpoch,
    component: {
      identifier,
      version: plan.version,
      installLocation,
      payload,
      scripts,
      bundles: [
        { path: bundle.name, id: bundle.identifier, shortVersion: plan.version, version: String(plan.bundleVersion) },
      ],
    },
  };
}
