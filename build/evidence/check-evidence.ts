import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Check, CheckList } from '../../src/base/check.ts';
import { documentIn, parseJson } from '../../src/base/document.ts';
import { PipelineError } from '../../src/base/errors.ts';
import { withFile } from '../../src/base/with-file.ts';
import { parseNotaryLog } from '../../src/notary/log.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { readXar } from '../../src/xar/read.ts';
import { unzip, zipProblems } from '../kit/zip.ts';
import { LOG_FILE, SBOM_FILE, SUMS_FILE, VERIFY_REPORT_FILE } from '../plan/output-files.ts';
import { parsePolicy } from '../plan/policy.ts';
import { VERIFICATION_SCHEMA, verificationDocument } from '../report/verification-document.ts';
import { sbomProblems } from '../sbom/check-sbom.ts';
import { readPackageContent } from '../sbom/package-content.ts';
import { type AttestationTrust, checkAttestation } from './attestation.ts';
import { BUNDLES_FILE, INDEX_FILE, indexOf, POLICY_FILE, PROVENANCE_FILE, subjectOf } from './make-evidence.ts';
import { PROVENANCE_SCHEMA, type Provenance } from './provenance.ts';

/** A package and what it is checked by. */
export interface EvidenceSubject {
  readonly file: string;
  readonly trust: Trust;
  readonly ours: OurForm | null;
  /** Whose attestations are believed; null: none is checked. */
  readonly attestation: AttestationTrust | null;
}

type Found = ReadonlyMap<string, Buffer>;

const DEMANDED = [LOG_FILE, VERIFY_REPORT_FILE, SBOM_FILE, SUMS_FILE, POLICY_FILE, PROVENANCE_FILE, INDEX_FILE];

/**
 * Holds evidence to a package, without the network: every statement that can be made again is made again and compared.
 *
 * @param archive the zip
 */
export async function checkEvidence(archive: Buffer, subject: EvidenceSubject): Promise<readonly Check[]> {
  const list = new CheckList('evidence');
  try {
    const { files, mtimeSeconds } = await unzip(archive);
    list.check('evidence-archive', await zipProblems(archive, files, mtimeSeconds));
    const found: Found = new Map(files.map(({ path, data }) => [path, data]));
    const missing = DEMANDED.filter((path) => !found.has(path));
    if (missing.length > 0) {
      list.fail('evidence-files', `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`);
      return list.checks;
    }
    const strange = [...found.keys()].filter((path) => !DEMANDED.includes(path) && path !== BUNDLES_FILE);
    const index = indexOf(files).equals(found.get(INDEX_FILE) as Buffer);
    list.check('evidence-files', [
      found.size !== files.length && 'a file is there twice',
      ...strange.map((path) => `${path} does not belong in it`),
      !index && `${INDEX_FILE} does not name the files and digests that are there`,
    ]);
    await checkStatements(list, found, subject);
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    list.fail('evidence-files', error.message);
  }
  return list.checks;
}

async function checkStatements(list: CheckList, found: Found, subject: EvidenceSubject): Promise<void> {
  const data = (path: string) => found.get(path) as Buffer;
  const content = await readPackageContent(subject.file);
  const provenance = documentIn(data(PROVENANCE_FILE), PROVENANCE_SCHEMA);
  list.check(
    'evidence-provenance',
    provenance ? provenanceProblems(provenance, found, content) : ['it is not a provenance statement'],
  );
  list.check('evidence-sums', sumsProblems(data(SUMS_FILE).toString('utf8'), found, content.sha256));
  list.check(
    'evidence-sbom',
    sbomProblems(
      list.read('evidence-sbom', () => parseJson(data(SBOM_FILE), SBOM_FILE)),
      content,
    ),
  );
  list.check('evidence-notary-log', await logProblems(data(LOG_FILE), subject.file));
  await checkAgain(list, found, subject);
  checkBundles(list, found.get(BUNDLES_FILE), content.sha256, subject.attestation);
}

/** Without an attestation everything agrees with the package, and nobody vouches for what cannot be made again. */
function checkBundles(
  list: CheckList,
  bundles: Buffer | undefined,
  sha256: string,
  trust: AttestationTrust | null,
): void {
  if (!bundles) list.skip('attestation', 'the evidence holds no Sigstore bundle: nobody vouches for its provenance');
  else if (!trust) list.skip('attestation', 'to check its Sigstore bundles, give --trusted-root and --signer');
  else list.add(checkAttestation(bundles, sha256, trust));
}

function provenanceProblems(
  { subject: [product], predicate }: Provenance,
  found: Found,
  content: { readonly sha256: string; readonly version: string },
): (string | false)[] {
  const { buildDefinition, runDetails } = predicate;
  const { version } = buildDefinition.externalParameters;
  const others = [...found].map(([path, data]) => subjectOf({ path, data }));
  const expected = others.filter(({ name }) => ![PROVENANCE_FILE, INDEX_FILE, BUNDLES_FILE].includes(name));
  const named = new Map(runDetails.byproducts.map(({ name, digest }) => [name, digest.sha256]));
  return [
    product.digest.sha256 !== content.sha256 && `it is of another package: sha256 ${product.digest.sha256}`,
    version !== content.version && `it is of version ${version}, the package of ${content.version}`,
    ...expected.map(
      ({ name, digest }) => named.get(name) !== digest.sha256 && `it was made with another ${name}: ${named.get(name)}`,
    ),
    named.size !== expected.length && 'it names other files than the evidence holds',
  ];
}

function sumsProblems(text: string, found: Found, packageSha256: string): string[] {
  const lines = text.split('\n').slice(0, -1);
  const parsed = lines.map((line) => /^([0-9a-f]{64}) {2}(\S.*)$/.exec(line));
  const strange = lines
    .filter((_, at) => !parsed[at])
    .map((line) => `${JSON.stringify(line)} is not a line of digests`);
  const wrong = parsed.flatMap((match) => {
    const [, sha256, name = ''] = match ?? [];
    const data = found.get(name);
    return data && createHash('sha256').update(data).digest('hex') !== sha256 ? [`${name} has another digest`] : [];
  });
  const names = parsed.map((match) => match?.[2]);
  return [
    ...strange,
    ...wrong,
    ...[LOG_FILE, VERIFY_REPORT_FILE, SBOM_FILE]
      .filter((name) => !names.includes(name))
      .map((name) => `${name} is not named`),
    ...(parsed.some((match) => match?.[1] === packageSha256) ? [] : ['the package is not named']),
  ];
}

/** The notary saw the package without its ticket. */
async function logProblems(source: Buffer, file: string): Promise<(string | false)[]> {
  const log = parseNotaryLog(source);
  if (!log) return ['it is not a log of the notary service'];
  const { sha256, tocDigest } = await withFile(file, async (access) => {
    const { trailing, checksum } = await readXar(access);
    const bare = await access.read(0, trailing.offset);
    return { sha256: createHash('sha256').update(bare).digest('hex'), tocDigest: checksum.value.toString('hex') };
  });
  return [
    log.status !== 'Accepted' && `its status is ${log.status}`,
    log.sha256 !== sha256 && `it is about a package with sha256 ${log.sha256}, this one had ${sha256}`,
    !log.ticketContents.some(({ cdhash }) => tocDigest.startsWith(cdhash)) && 'no ticket was made for this package',
  ];
}

/** The report says what is found now, and the policy is one that the package meets. */
async function checkAgain(list: CheckList, found: Found, { file, trust, ours }: EvidenceSubject): Promise<void> {
  const policy = list.read('evidence-policy', () => parsePolicy(found.get(POLICY_FILE) as Buffer, POLICY_FILE));
  const reported = documentIn(found.get(VERIFY_REPORT_FILE) as Buffer, VERIFICATION_SCHEMA);
  const check = (demands: typeof policy) =>
    withFile(file, (access) => verifyPackage(access, { trust, now: new Date(), ours, policy: demands }));
  const now = verificationDocument(file, await check(undefined), trust);
  const results = ({ checks }: typeof now) => checks.map(({ id, subject, status }) => `${id} of ${subject}: ${status}`);
  list.check('evidence-report', [
    !reported && 'it is not a verification report',
    reported?.verdict === 'fail' && 'its verdict is fail',
    reported !== undefined && !isDeepStrictEqual(reported.facts, now.facts) && 'it is about another package',
    reported !== undefined && reported.trust !== now.trust && `it believed ${reported.trust}, not ${now.trust}`,
    reported !== undefined &&
      !isDeepStrictEqual(results(reported), results(now)) &&
      'its checks are not those made now',
  ]);
  if (!policy) return;
  const failed = (await check(policy)).checks.filter(({ id, status }) => status === 'fail' && id.startsWith('policy'));
  list.check(
    'evidence-policy',
    failed.map(({ id, reason }) => `${id}: ${reason}`),
  );
}
