import { PipelineError } from '../../../src/base/errors.ts';
import type { CommandContext } from '../../command.ts';
import { readConfig } from '../../plan/config.ts';
import { checkCertificates } from '../../signing/replay.ts';
import { ghApi } from '../gh.ts';
import { keysOf } from '../release/keys.ts';
import { SetUpFault } from './set-up-fault.ts';

/** Variables of the repository that say as whom a service is asked. */
const VARIABLES = { aws: ['AWS_ROLE_ARN'], azure: ['AZURE_CLIENT_ID', 'AZURE_TENANT_ID'] } as const;

/**
 * Returns which variant signs, in words: stored keys, or the service, with the subject that its trust must name.
 *
 * @param at `repos/OWNER/NAME`
 * @throws SetUpFault when none or both are chosen, or what the chosen one needs is missing
 */
export async function examineKeys(context: CommandContext, at: string): Promise<string> {
  const config = await readConfig(context.root);
  const { variables } = await ghApi<{ variables: { name: string; value: string }[] }>(
    context,
    `${at}/actions/variables?per_page=30`,
  );
  const variableOf = (name: string) => variables.find((variable) => variable.name === name)?.value ?? '';
  try {
    const keys = keysOf(variableOf('SIGNING_KEYS'), config);
    if (keys === 'keychain') return 'keys in the secrets of the environment signing, used in a keychain of a Mac';
    // Public, and read by every job that asks for a signature.
    await checkCertificates({ root: context.root, config }, context.trust);
    if (keys === 'stored')
      return 'keys in the secrets of the environment signing, each approved and used by itself; each .p12 must be on one line of base64, with a password of 16 letters or more, which this cannot read';
    const missing = VARIABLES[keys].filter((name) => variableOf(name) === '');
    if (missing.length > 0)
      throw new SetUpFault(`keys in a service (${keys}): variables missing: ${missing.join(', ')}`);
    return `keys in a service (${keys}); it must trust ${await subjectsOf(context, at)}`;
  } catch (error) {
    // Of the repository's own making, not of what this account may read.
    if (error instanceof PipelineError && error.code !== 'TOOL_FAILED') throw new SetUpFault(error.message);
    throw error;
  }
}

/** The claim `sub` of a token of the environment, in the form that the repository has: since July 2026 with numbers in it. */
async function subjectsOf(context: CommandContext, at: string): Promise<string> {
  const {
    full_name: name,
    id,
    owner,
  } = await ghApi<{ full_name: string; id: number; owner: { id: number } }>(context, at);
  const [first, second] = name.split('/');
  return `repo:${first}@${owner.id}/${second}@${id}:environment:signing (repositories made before 15 July 2026: repo:${name}:environment:signing)`;
}
