import * as z from 'zod';
import { parseJson } from '../../../src/base/document.ts';

/** What of package-lock.json says which code is installed. @see https://docs.npmjs.com/cli/configuring-npm/package-lock-json */
const LOCK_SCHEMA = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      dev: z.boolean().optional(),
    }),
  ),
});
type Locked = z.infer<typeof LOCK_SCHEMA>['packages'][string];

/** One package whose code is not what it was. */
export interface LockChange {
  /** Place in the tree, such as `node_modules/zod`. */
  readonly place: string;
  readonly kind: 'added' | 'removed' | 'version' | 'same version, other bytes';
  readonly from: string | null;
  readonly to: string | null;
  /** Whether it runs in development only; everything else is in the one file that signs. */
  readonly development: boolean;
}

/**
 * Returns which installed packages differ between two package-lock.json, in order of their place.
 *
 * @param before text of the older file; null when there was none
 */
export function lockChanges(before: string | null, after: string): LockChange[] {
  const [older, newer] = [before === null ? {} : parse(before), parse(after)];
  const places = [...new Set([...Object.keys(older), ...Object.keys(newer)])].filter((place) => place !== '').sort();
  return places.flatMap((place) => {
    const [from, to] = [older[place], newer[place]];
    const kind = kindOf(from, to);
    if (kind === undefined) return [];
    const development = (to ?? from)?.dev === true;
    return [{ place, kind, from: from?.version ?? null, to: to?.version ?? null, development }];
  });
}

function kindOf(from: Locked | undefined, to: Locked | undefined): LockChange['kind'] | undefined {
  if (!from) return 'added';
  if (!to) return 'removed';
  if (from.version !== to.version) return 'version';
  // What comes from a repository has no digest: its address names the commit.
  const same = from.integrity === to.integrity && (to.integrity !== undefined || from.resolved === to.resolved);
  return same ? undefined : 'same version, other bytes';
}

function parse(source: string): z.infer<typeof LOCK_SCHEMA>['packages'] {
  return LOCK_SCHEMA.parse(parseJson(source, 'package-lock.json')).packages;
}
