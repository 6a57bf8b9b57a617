import type { CommandContext, CommandResult } from '../../command.ts';
import { ghApi, repositoryOf } from '../gh.ts';

/** Title of the one issue; it is found again by this. */
const TITLE = 'Something that releases need is about to end';
/** Environment variables with the findings of the jobs before, joined by `; `, and with the jobs' results. */
const SUBJECTS = {
  CERTIFICATES: 'Certificates',
  NOTARY: 'Notary key and agreement',
  PINS: 'Pinned actions',
  PLATFORMS: 'Machines',
} as const;

/** Opens one issue with what the weekly check found, or updates the one that is open; closes it when nothing is left. */
export async function fileIssue(context: CommandContext): Promise<CommandResult> {
  const body = renderFindings(context.env);
  const repository = repositoryOf(context.env);
  const open = await ghApi<{ number: number; title: string; body: string | null }[]>(
    context,
    `repos/${repository}/issues?state=open&per_page=100`,
  );
  const existing = open.find(({ title }) => title === TITLE);
  const done = (action: string, number: number | null): CommandResult => ({
    document: { schema: 1, action, number },
    text: `${action}${number === null ? '' : ` #${number}`}\n`,
  });
  if (body === '') {
    if (!existing) return done('nothing to report', null);
    await ghApi(context, `repos/${repository}/issues/${existing.number}`, {
      method: 'PATCH',
      body: { state: 'closed' },
    });
    return done('closed', existing.number);
  }
  if (existing?.body === body) return done('unchanged', existing.number);
  if (existing) {
    await ghApi(context, `repos/${repository}/issues/${existing.number}`, { method: 'PATCH', body: { body } });
    return done('updated', existing.number);
  }
  const created = await ghApi<{ number: number }>(context, `repos/${repository}/issues`, {
    method: 'POST',
    body: { title: TITLE, body },
  });
  return done('opened', created.number);
}

/** Returns the issue's text, empty when no job found anything; a job that failed is a finding. */
export function renderFindings(env: CommandContext['env']): string {
  const parts = Object.entries(SUBJECTS).flatMap(([key, title]) => {
    const findings = (env[`${key}_FINDINGS`] ?? '').split('; ').filter(Boolean);
    const result = env[`${key}_RESULT`] ?? '';
    if (result !== 'success' && result !== '')
      findings.push(`the check itself ended with: ${result}; its log says why`);
    return findings.length === 0 ? [] : [`### ${title}\n\n${findings.map((line) => `- ${line}`).join('\n')}`];
  });
  return parts.length === 0 ? '' : `${parts.join('\n\n')}\n\nWhat to do: docs/releasing.md.`;
}
