import type { Command } from 'commander';
import { type CommandContext, type CommandResult, type CommonOptions, type Execute, example } from '../command.ts';
import { comparePackages, isSameContent } from '../compare/compare.ts';
import { describePackage } from '../compare/describe.ts';
import { renderComparison } from '../compare/render.ts';

/** Adds the options of `compare`. */
export function configureCompare(command: Command, execute: Execute): void {
  command
    .argument('<old>', 'flat package')
    .argument('<new>', 'flat package')
    .addHelpText('after', example('npm run -s cli -- compare Escrow.Buddy-1.0.0.pkg Escrow.Buddy-1.1.0.pkg'))
    .action((old: string, now: string, options: CommonOptions) =>
      execute((context) => compare(context, old, now), options),
    );
}

/** Shows what differs between two packages, ours or others'. Neither is checked: that is what `verify` is for. */
export async function compare({ verbose }: CommandContext, old: string, now: string): Promise<CommandResult> {
  const comparison = comparePackages(await describePackage(old), await describePackage(now));
  return {
    document: { schema: 1, sameContent: isSameContent(comparison), ...comparison },
    text: renderComparison(comparison, verbose),
  };
}
