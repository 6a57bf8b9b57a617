import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';
import { readWhole } from '../../src/base/with-file.ts';
import { ABILITIES, type AbilityName } from '../../src/verify/abilities.ts';
import type { Policy } from '../../src/verify/expectations.ts';

const absolute = z
  .string()
  .regex(/^\/(?!.*\/\.{1,2}(\/|$))[^\x00-\x1f]*$/, 'an absolute path without ..')
  .describe('an absolute path; what lies below a folder is allowed too');

/** Schema of a policy: demands of whoever installs a package, beyond those of macOS. */
export const POLICY_SCHEMA = z.strictObject({
  $schema: z.string().optional(),
  schema: z.literal(1),
  team: z
    .string()
    .regex(/^[A-Z0-9]{10}$/, '10 capital letters or digits')
    .optional()
    .describe('Team that must have signed the package and all code in it'),
  minimumMacOS: z
    .string()
    .regex(/^\d{1,3}(\.\d{1,2}){1,2}$/, 'a macOS version such as 11.0')
    .optional()
    .describe('macOS on which the package must still install and its code run'),
  allowedPaths: z.array(absolute).optional().describe('All that the package may lay down'),
  allowedMechanisms: z
    .array(z.string().regex(/^[^:,]+:[^:,]+(,privileged)?$/, 'PLUGIN:MECHANISM or PLUGIN:MECHANISM,privileged'))
    .optional()
    .describe('All entries of authorization rights that its scripts and files may name'),
  forbid: z
    .array(z.enum(Object.keys(ABILITIES) as [AbilityName, ...AbilityName[]]))
    .optional()
    .describe(`What it must not be able to do: ${abilityNames()}`),
});

function abilityNames(): string {
  return Object.entries(ABILITIES)
    .map(([name, { description }]) => `${name} (${description})`)
    .join('; ');
}

/**
 * Returns the policy in a file.
 *
 * @throws UsageError `POLICY_INVALID` that lists every problem
 */
export async function readPolicy(path: string): Promise<Policy> {
  return parsePolicy(await readWhole(path), path);
}

/**
 * Returns the policy in a text.
 *
 * @param name of the file, for messages
 * @throws UsageError `POLICY_INVALID` that lists every problem
 */
export function parsePolicy(source: Buffer, name: string): Policy {
  return parseDocument(source, {
    name,
    schema: POLICY_SCHEMA,
    code: 'POLICY_INVALID',
    hint: 'A policy is {"schema": 1} with any of team, minimumMacOS, allowedPaths, allowedMechanisms, forbid.',
  });
}
