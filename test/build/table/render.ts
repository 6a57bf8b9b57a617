import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { commandAgain } from '../../../build/again.ts';
import { PACKAGE, packagePath, SHAPES, type Situation, situationsOf } from './situations.ts';

/** What a command answered. */
interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const ROOT = process.cwd();
const CLI = join(ROOT, '.build/cli.mjs');
/** A port on which nobody listens. */
const CLOSED = 'http://127.0.0.1:9';

/** Returns the table of every command in every situation, as Markdown: what is printed, and the exit code. */
export async function renderTable(scratch: string): Promise<string> {
  const sections: string[] = [];
  for (const command of Object.keys(SHAPES)) {
    const situations = situationsOf(command);
    const answers = await Promise.all(situations.map((situation) => answer(situation, scratch)));
    const rows = situations.map((situation, at) => row(situation, answers[at] as Answer, scratch));
    const again = commandAgain({ argv: command.split(' '), root: ROOT, program: CLI, cwd: ROOT });
    sections.push(
      `## ${command}\n\n| when | typed | exit | it says |\n|---|---|---|---|\n${rows.join('\n')}\n| Ctrl-C | | 130 | \`error: interrupted\`<br>\`To go on: ${again}\` |\n`,
    );
  }
  return sections.join('\n');
}

function answer({ name, argv }: Situation, scratch: string): Promise<Answer> {
  const words = argv.map((word) => (word === PACKAGE ? packagePath() : word));
  const offline = { HTTP_PROXY: CLOSED, HTTPS_PROXY: CLOSED, NO_PROXY: '' };
  const child = spawn(process.execPath, [CLI, ...words], {
    cwd: scratch,
    env: { ...process.env, NO_COLOR: '1', ...(name === 'no network' && offline) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const parts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].on('data', (part) => {
      parts[stream] += part;
    });
  }
  return new Promise((done) => child.on('close', (status) => done({ status, ...parts })));
}

function row({ name, argv }: Situation, { status, stdout, stderr }: Answer, scratch: string): string {
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
