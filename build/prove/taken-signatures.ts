import type { CheckList } from '../../src/base/check.ts';
import { PipelineError } from '../../src/base/errors.ts';
import {
  developerIdRequirement,
  type Requirement,
  rootRequirement,
} from '../../src/code-signature/requirement/requirement.ts';
import type { BundleSigner } from '../../src/code-signature/sign/sign-bundle.ts';
import { cpioEntries, type OpenPackage } from '../../src/package/open-package.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import { parseCertificate } from '../../src/pki/x509/certificate.ts';
import { signerOfProgram } from '../../src/verify/own-form/own-code.ts';
import type { Plan } from '../plan/plan.ts';
import type { TakenSignatures } from './rebuild.ts';

/**
 * Returns what only the keyholder can make, from the finished package: the signatures of its program, and the requirement that its
 * scripts make of the bundle. A package without a program is named by who signed its archive.
 *
 * @param list gets `rebuilt-signer` when the program's signatures cannot be read
 */
export async function takenSignatures(
  list: CheckList,
  found: OpenPackage,
  plan: Plan,
  trust: Trust,
): Promise<TakenSignatures> {
  const { identifier, executable } = plan.config.bundle;
  const program = await programIn(found, executable);
  if (!program) return { signer: { kind: 'ad-hoc' }, requirement: namedRequirement(found, identifier, trust) };
  try {
    const signer = signerOfProgram(program);
    return { signer, requirement: signedRequirement(signer, identifier) };
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    list.fail('rebuilt-signer', `the program's signatures cannot be read: ${error.message}`);
    return { signer: { kind: 'ad-hoc' }, requirement: namedRequirement(found, identifier, trust) };
  }
}

function signedRequirement(signer: BundleSigner, identifier: string): Requirement {
  return signer.kind === 'identity' ? signer.requirement(identifier) : { op: 'identifier', value: identifier };
}

/** A package without code of its own: both certificates of a release have one team. */
function namedRequirement({ archive }: OpenPackage, identifier: string, trust: Trust): Requirement {
  const certificates = archive.signatures[0]?.certificates.map(parseCertificate) ?? [];
  const [leaf, root] = [certificates[0], certificates.at(-1)];
  if (!leaf || !root) return { op: 'identifier', value: identifier };
  return trust.name === 'rehearsal'
    ? rootRequirement(identifier, Buffer.from(root.sha1, 'hex'))
    : developerIdRequirement(identifier, leaf.organizationalUnit ?? '');
}

async function programIn({ archive, components }: OpenPackage, executable: string): Promise<Buffer | undefined> {
  const payload = components[0]?.payload;
  if (!payload) return undefined;
  for await (const { path, data } of cpioEntries(archive, payload)) {
    if (!path.endsWith(`/Contents/MacOS/${executable}`)) continue;
    const parts: Buffer[] = [];
    for await (const chunk of data) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts);
  }
  return undefined;
}
