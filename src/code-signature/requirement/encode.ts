import { encodeBlob, MAGIC_REQUIREMENT } from '../super-blob.ts';
import { EXPRESSION_FORM, MATCHES, OP, PLAIN } from './opcodes.ts';
import type { Requirement, RequirementMatch } from './requirement.ts';

/** Returns the blob of one requirement, header included. */
export function encodeRequirement(requirement: Requirement): Buffer {
  return encodeBlob(MAGIC_REQUIREMENT, Buffer.concat([word(EXPRESSION_FORM), encodeExpression(requirement)]));
}

function encodeExpression(requirement: Requirement): Buffer {
  const { op } = requirement;
  if (op in PLAIN) return word(PLAIN[op as keyof typeof PLAIN]);
  return Buffer.concat([word(OP[op as keyof typeof OP]), ...encodeOperands(requirement)]);
}

function encodeOperands(requirement: Requirement): Buffer[] {
  switch (requirement.op) {
    case 'identifier':
      return [bytes(Buffer.from(requirement.value))];
    case 'certificateHash':
      return [word(requirement.slot), bytes(requirement.sha1)];
    case 'infoPlistValue':
      return [bytes(Buffer.from(requirement.key)), bytes(Buffer.from(requirement.value))];
    case 'and':
    case 'or':
      return [encodeExpression(requirement.left), encodeExpression(requirement.right)];
    case 'not':
      return [encodeExpression(requirement.operand)];
    case 'cdHash':
      return [bytes(requirement.hash)];
    case 'infoPlistField':
    case 'entitlement':
      return [bytes(Buffer.from(requirement.key)), encodeMatch(requirement.match)];
    case 'certificateField':
      return [word(requirement.slot), bytes(Buffer.from(requirement.field)), encodeMatch(requirement.match)];
    case 'certificateExtension':
    case 'certificatePolicy':
    case 'certificateDate':
      return [word(requirement.slot), bytes(encodeOid(requirement.oid)), encodeMatch(requirement.match)];
    case 'trustedCertificate':
      return [word(requirement.slot)];
    case 'namedAnchor':
    case 'namedCode':
      return [bytes(Buffer.from(requirement.name))];
    case 'platform':
      return [word(requirement.platform)];
    default:
      return [];
  }
}

function encodeMatch(match: RequirementMatch): Buffer {
  const kind = word(MATCHES.indexOf(match.kind));
  if (!('value' in match)) return kind;
  if (typeof match.value === 'string') return Buffer.concat([kind, bytes(Buffer.from(match.value))]);
  const seconds = Buffer.alloc(8);
  seconds.writeBigInt64BE(match.value);
  return Buffer.concat([kind, seconds]);
}

function word(value: number): Buffer {
  const data = Buffer.alloc(4);
  data.writeInt32BE(value | 0);
  return data;
}

/** Length, bytes, zeros up to a multiple of 4. */
function bytes(value: Buffer): Buffer {
  return Buffer.concat([word(value.length), value, Buffer.alloc((4 - (value.length % 4)) % 4)]);
}

/** Returns the body of an OID's DER, without tag and length. */
export function encodeOid(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const digits = [first * 40 + second, ...rest].flatMap((part) => {
    const groups = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left % 128) + 128);
    return groups;
  });
  return Buffer.from(digits);
}
