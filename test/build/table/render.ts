import { join } from 'node:path';
import { commandAgain } from '../../../build/again.ts';
import { type CliRun, cli } from '../../support/cli.ts';
import { inProcess } from '../../support/in-process.ts';
import { PACKAGE, packagePath, SHAPES, type Situation, situationsOf } from './situations.ts';

const ROOT = process.cwd();
const CLI = join(ROOT, '.build/cli.mjs');
/** A port on which nobody listens. */
const CLOSED = 'http://127.0.0.1:9';

/** Returns the table of every command in every situation, as Markdown: what is printed, and the exit code. */
export async function renderTable(scratch: string): Promise<string> {
  const sections: string[] = [];
  for (const command of Object.keys(SHAPES)) {
    const situations = situationsOf(command);
    const rows: string[] = [];
    for (const situation of situations) rows.push(row(situation, await answer(situation, scratch), scratch));
    const again = commandAgain({ argv: command.split(' '), root: ROOT, program: CLI, cwd: ROOT });
    sections.push(
      `## ${command}\n\n| when | typed | exit | it says |\n|---|---|---|---|\n${rows.join('\n')}\n| Ctrl-C | | 130 | \`error: interrupted\`<br>\`To go on: ${again}\` |\n`,
    );
  }
  return sections.join('\n');
}

/** Only a process of its own takes the proxies that its environment names. */
async function answer({ name, argv }: Situation, scratch: string): Promise<CliRun> {
  const words = argv.map((word) => (word === PACKAGE ? packagePath() : word));
  const offline = { HTTP_PROXY: CLOSED, HTTPS_PROXY: CLOSED, NO_PROXY: '' };
  return name === 'no network'
    ? cli(words, { cwd: scratch, env: offline })
    : inProcess(words, { cwd: scratch, root: ROOT });
}

function row({ name, argv }: Situation, { status, stdout, stderr }: CliRun, scratch: string): string {
  const said = name === '--json' ? codeOf(stdout) : stderr;
  const lines = plain(said, scratch)
    .split('\n')
    .filter((line) => line !== '' && !/^(!| {2}Replaces)/.test(line));
  const shown = lines.map((line) => `\`${line.replaceAll('|', '\\|').replaceAll('`', "'")}\``).join('<br>');
  return `| ${name} | \`${argv.slice(argv[0] === 'doctor' && argv[1] === 'explain' ? 2 : 1).join(' ') || ' '}\` | ${status} | ${shown} |`;
}

/** A document on standard output, whole: one that ends early is no JSON. */
function codeOf(stdout: string): string {
  const { error } = JSON.parse(stdout) as { error: { code: string; exitCode: number } };
  return `{"error":{"code":"${error.code}","exitCode":${error.exitCode}, ...}}`;
}

/** What differs from machine to machine is left out. */
function plain(text: string, scratch: string): string {
  return text
    .replaceAll(packagePath(), PACKAGE)
    .replaceAll(scratch, '.')
    .replaceAll(ROOT, 'PROJECT')
    .replace(/\b[0-9a-f]{40}\b/g, 'CDHASH')
    .replace(/npm --prefix PROJECT/g, 'npm');
}
