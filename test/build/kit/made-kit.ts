import { dirname, join } from 'node:path';
import type { KitSource } from '../../../build/kit/make-kit.ts';
import { EXTRA_PACKAGES, type ExtraPackage } from '../../../build/plan/plan.ts';
import { builtPackage } from '../../support/built-package.ts';

/** Address of a release of nobody. */
export const KIT_URL = 'https://github.com/example/escrow-buddy/releases/download/v1.1.0/Escrow.Buddy-1.1.0.pkg';

/** Returns what the kit of the release that this test run built is made from. */
export function kitSource(url = KIT_URL): KitSource {
  const packagePath = builtPackage();
  const named = (name: string) => `Escrow.Buddy.${name[0]?.toUpperCase()}${name.slice(1)}-1.1.0-rehearsal.pkg`;
  const extras = EXTRA_PACKAGES.map((name) => [name, join(dirname(packagePath), 'extras', named(name))]);
  return { root: process.cwd(), packagePath, extras: Object.fromEntries(extras) as Record<ExtraPackage, string>, url };
}
