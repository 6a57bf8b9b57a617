import type { Requirement, RequirementMatch } from './requirement.ts';

/** What a requirement can ask of one certificate. */
export interface RequirementCertificate {
  /** SHA-1 of its DER. */
  readonly sha1: Buffer;
  /** Subject by Apple's short names: `subject.CN`, `subject.OU`, `subject.O`, `subject.C`, `subject.UID`. */
  readonly subject: ReadonlyMap<string, string>;
  /** Dotted OIDs of its extensions. */
  readonly extensions: ReadonlySet<string>;
  /** Dotted OIDs of its certificate policies. */
  readonly policies: ReadonlySet<string>;
}

/** What is known of the code that a requirement checks. */
export interface RequirementSubject {
  readonly identifier: string;
  readonly cdHashes: readonly Buffer[];
  /** Leaf first, root last; empty for ad-hoc code. */
  readonly certificates: readonly RequirementCertificate[];
  /** Whether the chain was found to end at a root of Apple's. */
  readonly anchoredByApple: boolean;
  /** Texts of Info.plist by key. */
  readonly infoPlist: ReadonlyMap<string, string>;
}

/** `unknown`: it asks for something that cannot be known from the files, such as notarization or the user's trust settings. */
export type RequirementResult = 'true' | 'false' | 'unknown';

/**
 * Returns whether code meets a requirement, as far as that can be known without a Mac.
 *
 * @see Security-61901 reqinterp.cpp
 * @example evaluateRequirement({ op: 'identifier', value: 'a' }, { identifier: 'a', … }) // 'true'
 */
export function evaluateRequirement(requirement: Requirement, subject: RequirementSubject): RequirementResult {
  switch (requirement.op) {
    case 'true':
      return 'true';
    case 'false':
      return 'false';
    case 'identifier':
      return verdict(subject.identifier === requirement.value);
    case 'anchorAppleGeneric':
      return verdict(subject.anchoredByApple);
    case 'certificateHash':
      return verdict(certificateAt(subject, requirement.slot)?.sha1.equals(requirement.sha1));
    case 'and':
      return both(evaluateRequirement(requirement.left, subject), evaluateRequirement(requirement.right, subject));
    case 'or':
      return inverse(
        both(
          inverse(evaluateRequirement(requirement.left, subject)),
          inverse(evaluateRequirement(requirement.right, subject)),
        ),
      );
    case 'not':
      return inverse(evaluateRequirement(requirement.operand, subject));
    case 'cdHash':
      return verdict(subject.cdHashes.some((hash) => hash.equals(requirement.hash)));
    case 'infoPlistValue':
      return verdict(subject.infoPlist.get(requirement.key) === requirement.value);
    case 'infoPlistField':
      return matches(requirement.match, subject.infoPlist.get(requirement.key));
    case 'certificateField':
      return matches(requirement.match, certificateAt(subject, requirement.slot)?.subject.get(requirement.field));
    case 'certificateExtension':
      return presence(requirement.match, certificateAt(subject, requirement.slot)?.extensions.has(requirement.oid));
    case 'certificatePolicy':
      return presence(requirement.match, certificateAt(subject, requirement.slot)?.policies.has(requirement.oid));
    default:
      return 'unknown';
  }
}

/** Slot 0 is the leaf, -1 the root, and other negative numbers count from there. */
function certificateAt(subject: RequirementSubject, slot: number): RequirementCertificate | undefined {
  return subject.certificates.at(slot);
}

/** @param present undefined where there is no such certificate, which then has nothing */
function presence(match: RequirementMatch, present: boolean | undefined): RequirementResult {
  if (match.kind === 'exists') return verdict(present);
  return match.kind === 'absent' ? verdict(!present) : 'unknown';
}

function matches(match: RequirementMatch, found: string | undefined): RequirementResult {
  if (match.kind === 'absent') return verdict(found === undefined);
  if (found === undefined) return 'false';
  switch (match.kind) {
    case 'exists':
      return 'true';
    case 'equal':
      return verdict(found === match.value);
    case 'contains':
      return verdict(found.includes(match.value));
    case 'beginsWith':
      return verdict(found.startsWith(match.value));
    case 'endsWith':
      return verdict(found.endsWith(match.value));
    default:
      // Apple compares numbers inside of texts; nothing that we sign or were shown asks for it.
      return 'unknown';
  }
}

function verdict(holds: boolean | undefined): RequirementResult {
  return holds ? 'true' : 'false';
}

function both(left: RequirementResult, right: RequirementResult): RequirementResult {
  if (left === 'false' || right === 'false') return 'false';
  return left === 'true' && right === 'true' ? 'true' : 'unknown';
}

function inverse(result: RequirementResult): RequirementResult {
  if (result === 'unknown') return 'unknown';
  return result === 'true' ? 'false' : 'true';
}
