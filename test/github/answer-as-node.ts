import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { maskCommands } from '../../build/report/github.ts';
import { removeOwnUnfinished } from '../../src/base/files.ts';
import type { Answer } from '../support/answered.ts';
import { inProcess } from '../support/in-process.ts';

let busy = false;

/** Does what a Node was asked for, where that is the command line of this tree (answered-node.ts). */
export async function answer([count, folder, ...rest]: readonly string[]): Promise<Answer | undefined> {
  const words = rest.slice(0, Number(count));
  const env = Object.fromEntries(rest.slice(Number(count)).map(variable));
  const first = words.findIndex((word) => !word.startsWith('-'));
  const program = resolve(folder as string, words[first] ?? '');
  if (busy || !isOfThisTree(program)) return undefined;
  busy = true;
  try {
    const root = rootOf(program);
    const run = await inProcess(words.slice(first + 1), { cwd: folder as string, root, program, env, only: true });
    return { code: run.status ?? 1, out: run.stdout, err: maskCommands(env) + run.stderr };
  } finally {
    removeOwnUnfinished();
    busy = false;
  }
}

function variable(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Another one may have been poisoned, or be of another commit. */
function isOfThisTree(program: string): boolean {
  return program.endsWith('/cli.mjs') && existsSync(program) && readFileSync(program).equals(ofThisTree());
}

let bundle: Buffer | undefined;
function ofThisTree(): Buffer {
  bundle ??= readFileSync('.build/cli.mjs');
  return bundle;
}

/** In a checkout the command line lies in a folder of its own, in parts beside the configuration. */
function rootOf(program: string): string {
  const folder = dirname(program);
  return existsSync(join(folder, 'release.config.json')) ? folder : dirname(folder);
}
