import { makePlan } from '../../build/plan/plan.ts';
import { claimedPackage, ourForm } from '../../build/stages/our-form.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { openPackage } from '../../src/package/open-package.ts';
import { REHEARSAL_TEAM } from '../../src/rehearsal/authority.ts';
import type { OurForm, PackageReport, Policy } from '../../src/verify/expectations.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { assemble, openSample, type Sample } from '../mutation/sample.ts';

/** A package that the right key signed, or that needs no key, and that must not pass. */
export interface Attack {
  /** What an attacker did, in words; no two attacks have the same. */
  readonly name: string;
  /** On a package of ours, on one of somebody else, or on one that is held to a policy. */
  readonly on: 'ours' | 'stranger' | 'policy';
  /** Must match the reason of a failed check: it has to name the attack. */
  readonly expect: RegExp;
  readonly policy?: Policy;
  make(kit: AttackKit): Promise<Buffer> | Buffer;
}

/** What attacks are made from. */
export interface AttackKit {
  /** Of this checkout, signed in a rehearsal. */
  readonly ours: Sample;
  /** The same bundle in a package of another identifier, title and file name. */
  readonly stranger: Sample;
  /** Returns the form to which a package is held: that of ours when it says it is one of ours. */
  formOf(file: Buffer, name: string): Promise<OurForm | null>;
}

/** What became of an attack. */
export interface AttackOutcome {
  readonly attack: Attack;
  /** Failed checks, as `id: reason`. */
  readonly failed: readonly string[];
  /** Whether one of them names the attack. */
  readonly named: boolean;
}

/** Returns what attacks on the package of a finished sample are made from. */
export async function attackKit(
  root: string,
  ours: Sample,
  madeBy: OurForm['madeBy'] = 'portable',
): Promise<AttackKit> {
  const plan = await makePlan({ root, outFolder: root, sourceDateEpoch: '1700000000' });
  return {
    ours,
    stranger: await strangerOf(ours),
    async formOf(file, name) {
      const opened = await openPackage(accessBuffer(file)).catch(() => undefined);
      const claimed = claimedPackage(plan.config, opened, name);
      return claimed ? ourForm(plan, claimed, { madeBy, teamIdentifier: REHEARSAL_TEAM, version: null }) : null;
    },
  };
}

async function strangerOf(sample: Sample): Promise<Sample> {
  const renamed = (document: Buffer) =>
    Buffer.from(
      document
        .toString()
        .replace(/(?<!<bundle (path="[^"]*" )?id=")com\.netflix\.Escrow-Buddy/g, 'com.example.tool')
        .replace('<title>Escrow Buddy</title>', '<title>Tool</title>'),
    );
  const { distribution, packageInfo } = sample.parts;
  const parts = { distribution: renamed(distribution), packageInfo: renamed(packageInfo) };
  return openSample(await assemble({ ...sample, folder: 'com.example.tool.pkg' }, parts), sample.authority);
}

/** Makes an attack and returns what verification says of it, as the command `verify` would. */
export async function checkAttack(attack: Attack, kit: AttackKit): Promise<AttackOutcome> {
  const file = await attack.make(kit);
  const failed = await failures(file, kit, attack.policy);
  return { attack, failed, named: failed.some((words) => attack.expect.test(words)) };
}

/** Checks a file as the command does that was given it under a name of no meaning. */
export async function checked(file: Buffer, kit: AttackKit, policy?: Policy): Promise<PackageReport> {
  const { trust } = kit.ours.authority;
  const ours = await kit.formOf(file, 'download.pkg');
  return verifyPackage(accessBuffer(file), { trust, now: new Date(), ours, policy });
}

/** Returns what a file fails, as `id: reason`. */
export async function failures(file: Buffer, kit: AttackKit, policy?: Policy): Promise<string[]> {
  const { checks } = await checked(file, kit, policy);
  return checks.filter(({ status }) => status === 'fail').map(({ id, reason }) => `${id}: ${reason}`);
}
