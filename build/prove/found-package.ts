import type { CheckList } from '../../src/base/check.ts';
import { UsageError } from '../../src/base/errors.ts';
import type { OpenPackage } from '../../src/package/open-package.ts';
import type { Plan } from '../plan/plan.ts';
import { packageIdentifiers } from '../stages/build-package.ts';
import type { ScriptPackage } from '../stages/generate-scripts.ts';

/**
 * Returns which package of a release it is, by the identifier of its Distribution, else of its first component.
 *
 * @throws UsageError `PROVE_OTHER_PRODUCT` when the sources make none of that identifier
 */
export function nameOf({ distribution, components }: OpenPackage, { config }: Plan): ScriptPackage {
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

/** Returns which tools made a package: pkgbuild writes its name into PackageInfo. */
export function madeBy({ components }: OpenPackage): 'apple' | 'portable' {
  return components[0]?.info.generatorVersion?.startsWith('InstallCmds') ? 'apple' : 'portable';
}

/**
 * Checks the time of files, which is one value, once, and returns the plan with the package's own, under which all else is compared.
 *
 * @param list gets `rebuilt-time`
 */
export function sameTime(list: CheckList, { archive }: OpenPackage, plan: Plan): Plan {
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
