import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { FormatError } from '../../base/errors.ts';
import { digestFile, unfinishedName } from '../../base/files.ts';
import { withFile } from '../../base/with-file.ts';
import { type OpenPackage, openPackage } from '../../package/open-package.ts';
import { distributionOf, memberOf, type ProductPlan, type UnsignedProduct } from '../../package/product.ts';
import type { PackageBuilder, WorkOptions } from '../toolchain.ts';
import { runPkgbuild } from './pkgbuild.ts';
import { runProductbuild } from './productbuild.ts';

/** Returns the package builder that runs pkgbuild and productbuild. */
export function applePackageBuilder(): PackageBuilder {
  return {
    async build(plan, path, options) {
      const work = await mkdtemp(join(tmpdir(), 'product-'));
      // A folder beside the place, so that the tool writes a file of the right name and renaming it stays on one disk.
      const beside = unfinishedName(path);
      const made = join(beside, basename(path));
      try {
        await mkdir(beside);
        await buildInto(plan, work, made, options);
        const facts = await readFacts(made);
        await rename(made, path);
        return { kind: 'unsigned-product', ...(await digestFile(path)), ...facts };
      } finally {
        await Promise.all([rm(work, { recursive: true, force: true }), rm(beside, { recursive: true, force: true })]);
      }
    },
  };
}

async function buildInto(plan: ProductPlan, work: string, path: string, options: WorkOptions): Promise<void> {
  const component = join(work, memberOf(plan));
  await runPkgbuild(plan.component, component, options);
  // What pkgbuild counted goes into the Distribution, and the code it found decides which processors are named.
  const distribution = await withPackage(component, async (opened) =>
    distributionOf(plan, {
      installKBytes: theComponent(opened).info.payload.installKBytes,
      cpuTypes: cpuTypesOf(opened),
    }),
  );
  const { identifier, version } = plan;
  await runProductbuild({ distribution, component, identifier, version, path }, options);
}

async function readFacts(
  path: string,
): Promise<Pick<UnsignedProduct, 'tocDigest' | 'numberOfFiles' | 'installKBytes'>> {
  return withPackage(path, async (opened) => ({
    tocDigest: opened.archive.checksum.value.toString('hex'),
    ...theComponent(opened).info.payload,
  }));
}

function withPackage<T>(path: string, use: (opened: OpenPackage) => Promise<T>): Promise<T> {
  return withFile(path, async (access) => use(await openPackage(access)));
}

function theComponent(opened: OpenPackage) {
  const [component] = opened.components;
  if (!component || opened.components.length > 1) {
    const problem = `expected one component, found ${opened.components.length}`;
    throw new FormatError('PACKAGE_COMPONENTS', 'flat package', 0, problem);
  }
  return component;
}

function cpuTypesOf(opened: OpenPackage): number[] {
  const records = theComponent(opened).bom?.records ?? [];
  return [...new Set(records.flatMap((record) => record.architectures ?? []).map(({ cpuType }) => cpuType))];
}
