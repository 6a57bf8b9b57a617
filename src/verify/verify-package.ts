import { CheckList } from '../base/check.ts';
import { WorkBudget } from '../base/input/limits.ts';
import type { RandomAccess } from '../base/random-access.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import { type OpenPackage, openPackage } from '../package/open-package.ts';
import { type Ability, packageAbilities } from './abilities.ts';
import { checkArchive, checkGaps, checkMembers, checkNames } from './archive.ts';
import { checkComponent } from './component.ts';
import { isExact, type PackageExpectations, type PackageReport } from './expectations.ts';
import { checkArchitectures, checkDistribution } from './metadata.ts';
import { checkOwnForm } from './own-form/own-form.ts';
import { checkPolicy } from './policy/policy.ts';
import { readAbout } from './read-about.ts';
import { checkArchiveSignature, type SignatureFacts } from './signature.ts';
import { checkTrailing } from './staple.ts';

/**
 * Returns whether a flat package is what its signer made: every check that can be made without the network and without a Mac.
 *
 * Archive, both signatures, certificates, timestamp, ticket, Bom against Payload, scripts, metadata, and the signature of every
 * piece of code inside. What a file holds never makes it throw; an unreadable part fails its check and skips those that need it.
 *
 * @param access the finished file, opened afresh
 * @example
 * const report = await verifyPackage(await accessFile(handle), { trust: appleTrust(), now: new Date(), ours: null });
 * report.checks.filter((check) => check.status === 'fail')
 */
export async function verifyPackage(access: RandomAccess, expectations: PackageExpectations): Promise<PackageReport> {
  const list = new CheckList('package');
  const budget = new WorkBudget(access.size);
  const archive = await checkArchive(list, access, budget);
  if (!archive) return reportOf(list, {}, []);
  await checkMembers(list, archive);
  checkNames(list, archive, expectations.ours);
  checkGaps(list, archive, isExact(expectations));
  const signature = await checkArchiveSignature(list, archive, expectations);
  checkOurTeam(list, signature, expectations);
  const ticketIssuedAt = await checkTrailing(list, archive, expectations);
  const outside = { signature, ticketIssuedAt, tocDigest: archive.checksum.value };
  const opened = await readAbout(list, 'package-contents', () => openPackage(access, budget));
  if (!opened) return reportOf(list, outside, []);
  list.pass('package-contents');
  const abilities = await packageAbilities(opened);
  const slices = await checkContents(list, opened, signature, expectations);
  if (expectations.policy) {
    const teamIdentifier = signature.signer?.organizationalUnit ?? null;
    await checkPolicy(list, expectations.policy, { opened, teamIdentifier, abilities }, expectations);
  }
  return reportOf(list, { ...outside, opened, abilities }, slices);
}

async function checkContents(
  list: CheckList,
  opened: OpenPackage,
  signature: SignatureFacts,
  expectations: PackageExpectations,
): Promise<readonly SliceFacts[]> {
  const ours = expectations.ours !== null;
  checkDistribution(list, opened, expectations.ours);
  const checked = [];
  for (const component of opened.components)
    checked.push(
      await checkComponent(component, opened, expectations, {
        name: component.folder === '' ? 'component' : component.folder,
        depth: 0,
        fromScripts: false,
        signedAt: signature.timestamp,
      }),
    );
  for (const { checks } of checked) list.add(checks);
  const slices = checked.flatMap((component) => component.slices);
  checkArchitectures(list, opened, slices, ours);
  if (expectations.ours) await checkOwnForm(list, opened, expectations.ours);
  return slices;
}

function checkOurTeam(list: CheckList, { signer }: SignatureFacts, { ours }: PackageExpectations): void {
  if (!ours || !signer) return;
  if (ours.teamIdentifier === null) {
    list.skip('package-our-team', 'no team is configured, so any Developer ID passes');
    return;
  }
  const team = signer.organizationalUnit;
  list.check('package-our-team', [
    team !== ours.teamIdentifier && `the package is signed by team ${team ?? 'none'}, expected ${ours.teamIdentifier}`,
  ]);
}

interface Outside {
  readonly signature?: SignatureFacts;
  readonly ticketIssuedAt?: Date | undefined;
  readonly tocDigest?: Buffer;
  readonly opened?: OpenPackage;
  readonly abilities?: readonly Ability[];
}

function reportOf(list: CheckList, outside: Outside, slices: readonly SliceFacts[]): PackageReport {
  const { signature, opened } = outside;
  const first = opened?.components[0]?.info;
  return {
    checks: list.checks,
    installs: (opened?.components ?? []).map(({ info: { identifier, version, installLocation = '/', payload } }) => ({
      identifier,
      version,
      installLocation,
      numberOfFiles: payload.numberOfFiles,
    })),
    abilities: outside.abilities ?? [],
    valid: list.checks.every(({ status }) => status !== 'fail'),
    facts: {
      identifier: opened?.distribution?.product?.id ?? first?.identifier ?? null,
      version: opened?.distribution?.product?.version ?? first?.version ?? null,
      tocDigest: outside.tocDigest?.toString('hex') ?? null,
      signer: signature?.signer?.commonName ?? null,
      teamIdentifier: signature?.signer?.organizationalUnit ?? null,
      timestamp: signature?.timestamp ?? null,
      ticketIssuedAt: outside.ticketIssuedAt ?? null,
      slices,
    },
  };
}
