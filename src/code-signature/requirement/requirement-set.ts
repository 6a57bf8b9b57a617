import { FormatError } from '../../base/errors.ts';
import { encodeSuperBlob, MAGIC_REQUIREMENTS, parseSuperBlob } from '../super-blob.ts';
import { parseRequirement } from './decode.ts';
import { encodeRequirement } from './encode.ts';
import type { Requirement } from './requirement.ts';

/** kSecDesignatedRequirementType. Source: Security-61901 CSCommon.h. */
const DESIGNATED = 3;

/** Returns a requirement set that holds `designated`, or an empty one (12 bytes) as ad-hoc signatures have it. */
export function encodeRequirementSet(designated: Requirement | null): Buffer {
  const blobs = designated === null ? [] : [{ type: DESIGNATED, data: encodeRequirement(designated) }];
  return encodeSuperBlob(MAGIC_REQUIREMENTS, blobs);
}

/** Returns the requirements of a set by their type; 3 is the designated one. Throws FormatError. */
export function parseRequirementSet(data: Buffer): Map<number, Requirement> {
  const { length, blobs, packed } = parseSuperBlob(data, MAGIC_REQUIREMENTS);
  if (!packed) throw new FormatError('REQUIREMENT_INVALID', 'RequirementSet', 0, 'the requirements are not packed');
  if (length !== data.length)
    throw new FormatError(
      'REQUIREMENT_INVALID',
      'RequirementSet',
      length,
      `${data.length - length} bytes after the set`,
    );
  return new Map(blobs.map((blob) => [blob.type, parseRequirement(blob.data)]));
}

/** Returns the designated requirement of a set, or null without one. Throws FormatError. */
export function designatedRequirement(set: Buffer): Requirement | null {
  return parseRequirementSet(set).get(DESIGNATED) ?? null;
}
