import { fromBuffer } from '../../src/base/bytes.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import type { AbilityName } from '../../src/verify/abilities.ts';
import type { Policy } from '../../src/verify/expectations.ts';
import { type Sample, withPayload } from '../mutation/sample.ts';
import type { Attack } from './attack.ts';
import { withText } from './rebuild.ts';

export const PLACE = '/Library/Security/SecurityAgentPlugins';

/** The package of somebody else meets all of it; each attack makes it break one demand without showing it. */
export const DEMANDS = {
  paths: { allowedPaths: [`${PLACE}/Escrow Buddy.bundle`] },
  mechanisms: { allowedMechanisms: ['Escrow Buddy:Invoke,privileged'] },
  macOS: { minimumMacOS: '10.14.4' },
  team: { team: 'REHEARSAL0' },
} as const satisfies Record<string, Policy>;

/** All demands at once, which a stranger's package without an attack meets. */
export const WHOLE_POLICY: Policy = {
  ...DEMANDS.paths,
  ...DEMANDS.mechanisms,
  ...DEMANDS.macOS,
  ...DEMANDS.team,
  forbid: [],
};

/** Returns an attack on a package of somebody else that is held to a policy. */
export function policyAttack(
  name: string,
  policy: Policy,
  expect: RegExp,
  make: (sample: Sample) => Promise<Buffer>,
): Attack {
  return { name: `policy: ${name}`, on: 'policy', policy, expect, make: ({ stranger }) => make(stranger) };
}

/** Returns an attack that gives a package an ability which the policy forbids, by another text in one of its documents. */
export function forbidden(
  ability: AbilityName,
  part: 'distribution' | 'packageInfo',
  from: string | RegExp,
  to: string,
): Attack {
  return policyAttack(
    `forbidden ${ability}: ${to.slice(0, 60)}`,
    { forbid: [ability] },
    /^policy-forbidden: /,
    (sample) => withText(sample, part, from, to),
  );
}

const END = '</installer-gui-script>';

/** Returns the same attack by one more element in the Distribution. */
export const forbiddenElement = (ability: AbilityName, xml: string): Attack =>
  forbidden(ability, 'distribution', END, `${xml}${END}`);

const COMMON = { mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 1_700_000_000 };
export const file = (path: string, text: string | Buffer): PayloadEntry => ({
  ...COMMON,
  kind: 'file',
  path,
  source: fromBuffer(Buffer.from(text)),
});
export const folder = (path: string): PayloadEntry => ({ ...COMMON, kind: 'directory', path });
export const link = (path: string, target: string): PayloadEntry => ({ ...COMMON, kind: 'symlink', path, target });

/** Returns the package with more in its payload. */
export function withEntries(sample: Sample, ...more: readonly PayloadEntry[]): Promise<Buffer> {
  return withPayload(sample, [...sample.payload, ...more]);
}
