import { notaryApi } from '../../../src/notary/rest/api.ts';
import type { CommandContext, CommandResult } from '../../command.ts';
import { readKey } from '../../notary/connection.ts';
import { readConfig } from '../../plan/config.ts';

/**
 * Asks the notary for the team's last submissions: that works with a valid key and a signed agreement only.
 *
 * @throws UsageError what is missing or wrong with the key; RefusedError what Apple says, such as that an agreement is to be signed
 */
export async function notaryAccess(context: CommandContext): Promise<CommandResult> {
  const { services } = await readConfig(context.root);
  const submissions = await notaryApi({ url: services.notary, key: await readKey(context.env) }).history(
    context.signal,
  );
  const newest = submissions[0];
  return {
    document: { schema: 1, submissions: submissions.length, newest: newest ?? null },
    text: `The notary accepts the key; ${newest ? `last submission ${newest.name}, ${newest.status}` : 'nothing was submitted yet'}\n`,
  };
}
