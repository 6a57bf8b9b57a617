import type { Command } from 'commander';
import { ANY_TOOL } from '../../src/apple-messages/find-messages.ts';
import { UsageError } from '../../src/base/errors.ts';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, example } from '../command.ts';
import { type Explanation, explain, explainNearest, renderExplanation, TABLES } from '../messages/advice.ts';

/** Options of `doctor explain`. */
export interface ExplainOptions {
  /** Program that printed the message. */
  readonly tool?: string;
}

/** Adds the options of `doctor explain`. */
export function configureExplain(command: Command, execute: Execute): void {
  command
    .argument('<message>', 'one or more lines, as they were printed')
    .option('--tool <name>', 'program that printed it, such as codesign, stapler or notary-log')
    .addHelpText('after', example('npm run -s cli -- doctor explain "errSecInternalComponent"'))
    .action((message: string, options: ExplainOptions & CommonOptions) =>
      execute((context) => explainMessage(context, message, options), options),
    );
}

/**
 * Says what a message of Apple's tools or services means, who must act and what comes next. An unknown one is shown as it is, with
 * the known ones that are most like it, and exits 6: nobody vouches for those.
 */
export async function explainMessage(
  _context: CommandContext,
  message: string,
  { tool }: ExplainOptions,
): Promise<CommandResult> {
  const tools = [...new Set(TABLES.flatMap((table) => table.tools))].filter((name) => name !== ANY_TOOL).sort();
  if (tool !== undefined && !tools.includes(tool)) {
    throw new UsageError('USAGE', `nothing is known of what ${JSON.stringify(tool)} prints`, {
      hint: `Known are ${tools.join(', ')}; without --tool all of them are looked at.`,
    });
  }
  const known = explain(message, tool);
  const nearest = known.length > 0 ? [] : explainNearest(message, tool);
  return {
    document: { schema: 1, message, known, nearest },
    text: known.length > 0 ? `${known.map((one) => renderExplanation(one)).join('\n\n')}\n` : unknown(message, nearest),
    exitCode: known.length > 0 ? 0 : 6,
  };
}

function unknown(message: string, nearest: readonly Explanation[]): string {
  const like = nearest.map((one) => `\n${renderExplanation(one, '  ')}\n`);
  return [
    `Not known:\n${message}\n`,
    ...(like.length > 0 ? ['\nNot the same, but like it:\n', ...like, '\n'] : []),
    'Please report it with the lines around it, so that it becomes known.\n',
  ].join('');
}
