import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, type CommanderError } from 'commander';
import { UsageError } from '../src/base/errors.ts';
import { addCommand, type Configure, type Execute } from './command.ts';
import { EXIT_CODES } from './exit-code.ts';

/** A command: how it is called, what it is for, and where it is. Only the one that runs is loaded. */
interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<Configure>;
}

const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'release',
    summary: 'run every stage: from source to the signed package',
    load: async () => (await import('./commands/release.ts')).configureRelease,
  },
  {
    name: 'build',
    summary: 'the same up to the unsigned package, with ad-hoc signed code',
    load: async () => (await import('./commands/release.ts')).configureBuild,
  },
  {
    name: 'parts',
    summary: 'compile, and gather what signs a release elsewhere: one folder, one archive',
    load: async () => (await import('./commands/parts.ts')).configureParts,
  },
  {
    name: 'csr',
    summary: 'make the certificate requests for both identities, with new keys or keys in a service',
    load: async () => (await import('./commands/csr.ts')).configureCsr,
  },
  {
    name: 'digests',
    summary: 'list what a key is to sign, for a job that holds that key or the way to it, and nothing else',
    load: async () => (await import('./commands/timestamp.ts')).configureDigests,
  },
  {
    name: 'timestamp',
    summary: 'check what a key signed in a job of its own, and have it stamped',
    load: async () => (await import('./commands/timestamp.ts')).configureTimestamp,
  },
  {
    name: 'github',
    summary: 'the commands that the workflows call',
    load: async () => (await import('./github/commands.ts')).configureGitHub,
  },
  {
    name: 'inspect',
    summary: 'show what a flat package, Bom or Mach-O file holds',
    load: async () => (await import('./commands/inspect.ts')).configureInspect,
  },
  {
    name: 'expand',
    summary: 'unpack a flat package, its payload and its scripts into a new folder',
    load: async () => (await import('./commands/expand.ts')).configureExpand,
  },
  {
    name: 'verify',
    summary: "check a finished package, ours or anyone else's, without the network",
    load: async () => (await import('./commands/verify.ts')).configureVerify,
  },
  {
    name: 'prove',
    summary: 'rebuild a finished package from its sources, and compare every byte that needs no key',
    load: async () => (await import('./commands/prove.ts')).configureProve,
  },
  {
    name: 'evidence',
    summary: 'gather the evidence for a finished package in one zip',
    load: async () => (await import('./commands/evidence.ts')).configureEvidence,
  },
  {
    name: 'kit',
    summary: "make the files that admins' systems need from a finished package",
    load: async () => (await import('./commands/kit.ts')).configureKit,
  },
  {
    name: 'index',
    summary: 'check the list of releases, or add one to its end',
    load: async () => (await import('./commands/release-index.ts')).configureReleaseIndex,
  },
  {
    name: 'compare',
    summary: 'show what differs between two packages',
    load: async () => (await import('./commands/compare.ts')).configureCompare,
  },
  {
    name: 'notarize',
    summary: 'ask the notary about a submission',
    load: async () => (await import('./commands/notarize.ts')).configureNotarize,
  },
  {
    name: 'staple',
    summary: "attach the notary's ticket to a package or a bundle",
    load: async () => (await import('./commands/staple.ts')).configureStaple,
  },
  {
    name: 'doctor',
    summary: 'check that this machine and the configuration can make a release',
    load: async () => (await import('./commands/doctor.ts')).configureDoctor,
  },
];

/**
 * Returns the command line: every command by name and summary, and the options of the one that `argv` names.
 *
 * @param root the project's folder, whose version is told
 * @param execute gets what the command is to do, once `argv` has been parsed
 * @param print takes what --help and --version say
 */
export async function commandLine(
  argv: readonly string[],
  root: string,
  execute: Execute,
  print: (text: string) => void,
): Promise<Command> {
  const program = new Command('escrow-buddy')
    .description('Builds, signs, notarizes and publishes the Escrow Buddy installer package.')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined, writeOut: print })
    .showHelpAfterError(false)
    // A terminal of 60 columns leaves half of that beside the names of options.
    .configureHelp({ minWidthToWrap: 20 })
    .helpCommand(false)
    .version(await versionOf(root), '--version', 'print the version')
    .addHelpText('after', exitCodeHelp());
  const wanted = argv.find((word) => !word.startsWith('-'));
  for (const { name, summary, load } of COMMANDS) {
    const command = addCommand(program, name, summary);
    if (name === wanted) (await load())(command, execute);
  }
  return program;
}

/** Returns what a person is told of words that the command line does not take. */
export function usageErrorOf(error: CommanderError, program: Command, argv: readonly string[]): UsageError {
  // Such as `doctor explain`; empty when none is known.
  const command = typedCommand(program, argv);
  const message = `${command === '' ? '' : `${command}: `}${error.message.replace(/^error: /, '')}`;
  const hint = `To see ${command === '' ? 'the commands' : 'its options and an example'}: npm run -s cli -- ${command === '' ? '' : `${command} `}--help`;
  if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed') {
    return new UsageError('USAGE', 'no command was given', { hint });
  }
  return new UsageError('USAGE', message, { hint });
}

function exitCodeHelp(): string {
  const lines = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code.padStart(3)}  ${meaning}`);
  return `\nExit codes:\n${lines.join('\n')}\n`;
}

/** Returns the words of `argv` that name a command, such as `doctor explain`. */
function typedCommand(program: Command, argv: readonly string[]): string {
  const names: string[] = [];
  let commands = program.commands;
  for (const word of argv.filter((candidate) => !candidate.startsWith('-'))) {
    const found = commands.find((command) => command.name() === word);
    if (!found) break;
    names.push(word);
    commands = found.commands;
  }
  return names.join(' ');
}

/** The version in package.json; of a folder of parts, what its own package.json says. */
async function versionOf(root: string): Promise<string> {
  try {
    return (JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}
