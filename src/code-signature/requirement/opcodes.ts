import type { RequirementMatch } from './requirement.ts';

/** `exprForm`, the only form there is. Source: Security-61901 requirement.h. */
export const EXPRESSION_FORM = 1;
/** Opcodes. Source: enum ExprOp, Security-61901 requirement.h. */
export const PLAIN = {
  false: 0,
  true: 1,
  anchorApple: 3,
  trustedCertificates: 13,
  anchorAppleGeneric: 15,
  notarized: 21,
  legacyDeveloperId: 23,
} as const;
export const OP = {
  identifier: 2,
  certificateHash: 4,
  infoPlistValue: 5,
  and: 6,
  or: 7,
  cdHash: 8,
  not: 9,
  infoPlistField: 10,
  certificateField: 11,
  trustedCertificate: 12,
  certificateExtension: 14,
  entitlement: 16,
  certificatePolicy: 17,
  namedAnchor: 18,
  namedCode: 19,
  platform: 20,
  certificateDate: 22,
} as const;
/** Match operations. Source: enum MatchOperation, Security-61901 requirement.h. */
export const MATCHES: readonly RequirementMatch['kind'][] = [
  'exists',
  'equal',
  'contains',
  'beginsWith',
  'endsWith',
  'lessThan',
  'greaterThan',
  'lessEqual',
  'greaterEqual',
  'on',
  'before',
  'after',
  'onOrBefore',
  'onOrAfter',
  'absent',
];
