/** How a value is compared; `value` is text, or seconds since 2001 for the four date forms. */
export type RequirementMatch =
  | { readonly kind: 'exists' | 'absent' }
  | { readonly kind: StringMatch; readonly value: string }
  | { readonly kind: DateMatch; readonly value: bigint };
export type StringMatch =
  | 'equal'
  | 'contains'
  | 'beginsWith'
  | 'endsWith'
  | 'lessThan'
  | 'greaterThan'
  | 'lessEqual'
  | 'greaterEqual';
export type DateMatch = 'on' | 'before' | 'after' | 'onOrBefore' | 'onOrAfter';

/** A requirement as a tree. `slot` is a certificate's place in the chain: 0 the leaf, -1 the root. OIDs are dotted. */
export type Requirement =
  | {
      readonly op:
        | 'false'
        | 'true'
        | 'anchorApple'
        | 'anchorAppleGeneric'
        | 'trustedCertificates'
        | 'notarized'
        | 'legacyDeveloperId';
    }
  | { readonly op: 'identifier'; readonly value: string }
  | { readonly op: 'certificateHash'; readonly slot: number; readonly sha1: Buffer }
  | { readonly op: 'infoPlistValue'; readonly key: string; readonly value: string }
  | { readonly op: 'and' | 'or'; readonly left: Requirement; readonly right: Requirement }
  | { readonly op: 'not'; readonly operand: Requirement }
  | { readonly op: 'cdHash'; readonly hash: Buffer }
  | { readonly op: 'infoPlistField' | 'entitlement'; readonly key: string; readonly match: RequirementMatch }
  | { readonly op: 'certificateField'; readonly slot: number; readonly field: string; readonly match: RequirementMatch }
  | {
      readonly op: 'certificateExtension' | 'certificatePolicy' | 'certificateDate';
      readonly slot: number;
      readonly oid: string;
      readonly match: RequirementMatch;
    }
  | { readonly op: 'trustedCertificate'; readonly slot: number }
  | { readonly op: 'namedAnchor' | 'namedCode'; readonly name: string }
  | { readonly op: 'platform'; readonly platform: number };

/** Apple's markers in Developer ID certificates: the authority's, and the one of the leaf for applications. */
const DEVELOPER_ID_CA = '1.2.840.113635.100.6.2.6';
const DEVELOPER_ID_APPLICATION = '1.2.840.113635.100.6.1.13';

/**
 * Returns the designated requirement that codesign makes for a Developer ID application certificate.
 *
 * @see Security-61901 drmaker.cpp
 * @example renderRequirement(developerIdRequirement('com.example.a', 'ABCDE12345'))
 */
export function developerIdRequirement(identifier: string, teamIdentifier: string): Requirement {
  const exists: RequirementMatch = { kind: 'exists' };
  return and(
    { op: 'identifier', value: identifier },
    and(
      { op: 'anchorAppleGeneric' },
      and(
        { op: 'certificateExtension', slot: 1, oid: DEVELOPER_ID_CA, match: exists },
        and(
          { op: 'certificateExtension', slot: 0, oid: DEVELOPER_ID_APPLICATION, match: exists },
          { op: 'certificateField', slot: 0, field: 'subject.OU', match: { kind: 'equal', value: teamIdentifier } },
        ),
      ),
    ),
  );
}

/**
 * Returns the designated requirement for a chain that does not end at Apple: the identifier and the root's own hash.
 *
 * @param rootSha1 SHA-1 of the root certificate's DER, 20 bytes
 * @see Security-61901 drmaker.cpp, `nonAppleAnchor`
 */
export function rootRequirement(identifier: string, rootSha1: Buffer): Requirement {
  return and({ op: 'identifier', value: identifier }, { op: 'certificateHash', slot: -1, sha1: rootSha1 });
}

function and(left: Requirement, right: Requirement): Requirement {
  return { op: 'and', left, right };
}
