import type { Requirement, RequirementMatch } from './requirement.ts';

/** How tightly the surrounding expression binds: what is looser gets parentheses. */
const PRIMARY = 0;
const AND = 1;
const OR = 2;

/** Seconds between 1970 and 2001, where Apple's dates begin. */
const EPOCH_2001 = 978307200n;
const COMPARISONS: Readonly<Partial<Record<RequirementMatch['kind'], string>>> = {
  lessThan: '<',
  greaterThan: '>',
  lessEqual: '<=',
  greaterEqual: '>=',
  on: '=',
  before: '<',
  after: '>',
  onOrBefore: '<=',
  onOrAfter: '>=',
};

/**
 * Returns a requirement as `codesign -d -r-` prints it, without `designated => `.
 *
 * @see Security-61901 reqdumper.cpp
 * @example renderRequirement({ op: 'identifier', value: 'com.example.a' }) // 'identifier "com.example.a"'
 */
export function renderRequirement(requirement: Requirement): string {
  return render(requirement, OR);
}

function render(requirement: Requirement, level: number): string {
  switch (requirement.op) {
    case 'false':
      return 'never';
    case 'true':
      return 'always';
    case 'anchorApple':
      return 'anchor apple';
    case 'anchorAppleGeneric':
      return 'anchor apple generic';
    case 'trustedCertificates':
      return 'anchor trusted';
    case 'notarized':
      return 'notarized';
    case 'legacyDeveloperId':
      return 'legacy';
    case 'identifier':
      return `identifier ${quoted(requirement.value)}`;
    case 'certificateHash':
      return `certificate ${slotName(requirement.slot)} = H"${requirement.sha1.toString('hex')}"`;
    case 'infoPlistValue':
      return `info[${key(requirement.key)}] = ${quoted(requirement.value)}`;
    case 'and':
      return parenthesized(level < AND, `${render(requirement.left, AND)} and ${render(requirement.right, AND)}`);
    case 'or':
      return parenthesized(level < OR, `${render(requirement.left, OR)} or ${render(requirement.right, OR)}`);
    case 'not':
      return `! ${render(requirement.operand, PRIMARY)}`;
    case 'cdHash':
      return `cdhash H"${requirement.hash.toString('hex')}"`;
    case 'infoPlistField':
      return `info[${key(requirement.key)}]${matchText(requirement.match)}`;
    case 'entitlement':
      return `entitlement[${key(requirement.key)}]${matchText(requirement.match)}`;
    case 'certificateField':
      return certificate(requirement.slot, key(requirement.field), requirement.match);
    case 'certificateExtension':
      return certificate(requirement.slot, `field.${requirement.oid}`, requirement.match);
    case 'certificatePolicy':
      return certificate(requirement.slot, `policy.${requirement.oid}`, requirement.match);
    case 'certificateDate':
      return certificate(requirement.slot, `timestamp.${requirement.oid}`, requirement.match);
    case 'trustedCertificate':
      return `certificate ${slotName(requirement.slot)} trusted`;
    case 'namedAnchor':
      return `anchor apple ${quoted(requirement.name)}`;
    case 'namedCode':
      return `(${quoted(requirement.name)})`;
    case 'platform':
      return `platform = ${requirement.platform}`;
    default: {
      const never: never = requirement;
      throw new TypeError(String(never));
    }
  }
}

function certificate(slot: number, element: string, match: RequirementMatch): string {
  return `certificate ${slotName(slot)}[${element}]${matchText(match)}`;
}

function slotName(slot: number): string {
  if (slot === 0) return 'leaf';
  return slot === -1 ? 'root' : String(slot);
}

function matchText(match: RequirementMatch): string {
  switch (match.kind) {
    case 'exists':
      return ' /* exists */';
    case 'absent':
      return ' absent ';
    case 'equal':
      return ` = ${quoted(match.value)}`;
    case 'contains':
      return ` ~ ${quoted(match.value)}`;
    case 'beginsWith':
      return ` = ${quoted(match.value)}*`;
    case 'endsWith':
      return ` = *${quoted(match.value)}`;
    case 'lessThan':
    case 'greaterThan':
    case 'lessEqual':
    case 'greaterEqual':
      return ` ${COMPARISONS[match.kind]} ${quoted(match.value)}`;
    default:
      return ` ${COMPARISONS[match.kind]} timestamp "${appleDate(match.value)}"`;
  }
}

/** Out of the range of a Date, the seconds themselves are shown. */
function appleDate(seconds: bigint): string {
  const date = new Date(Number(seconds + EPOCH_2001) * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : date.toISOString();
}

/** A word of letters and digits that begins with a letter needs no quotes. */
function quoted(text: string): string {
  return /^[A-Za-z][A-Za-z0-9]*$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Keys may hold dots without quotes. */
function key(text: string): string {
  return /^[A-Za-z][A-Za-z0-9.]*$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function parenthesized(needed: boolean, text: string): string {
  return needed ? `(${text})` : text;
}
