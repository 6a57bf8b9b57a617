import type { Command } from 'commander';
import { UsageError } from '../../src/base/errors.ts';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, example } from '../command.ts';
import { explain, renderExplanation, TABLES } from '../messages/advice.ts';

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

/** Says what a message of Apple's tools or services means, who must act and what comes next; unknown ones are shown as they are. */
export async function explainMessage(
  _context: CommandContext,
  message: string,
  { tool }: ExplainOptions,
): Promise<CommandResult> {
  const tools = [...new Set(TABLES.flatMap((table) => table.tools))].sort();
  if (tool !== undefined && !tools.includes(tool)) {
    throw new UsageError('USAGE', `nothing is known of what ${JSON.stringify(tool)} prints`, {
      hint: `Known are ${tools.join(', ')}; without --tool all of them are looked at.`,
    });
  }
  const known = explain(message, tool);
  const unknown = `Not known:\n${message}\nPlease report it with the lines around it, so that it becomes known.\n`;
  const text = known.map((one) => `${renderExplanation(one)}\n`).join('\n');
  return { document: { schema: 1, message, known }, text: known.length > 0 ? text : unknown };
}
