import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { type Answering, answeredProgram } from '../support/answered.ts';
import { keptBuild } from '../support/kept-build.ts';

/**
 * Puts a Node into a folder that has this process do what a step wants of the command line of this tree, as every step wants it: in
 * half the time that a process of its own takes. Whatever else a Node is asked to run, or another command line, runs in a real one.
 *
 * What a process of its own is there for is not looked at then: a day has jobs that start one for each step, and a night all (replay.ts).
 */
export async function placeNode(bin: string): Promise<void> {
  // What bash was given is what Node would have been given: bash sets variables of its own.
  const ask = `printf '%s\\0' "$#" "$PWD" "$@"; cat "/proc/$$/environ"`;
  const program = await answeredProgram(await bundled(), ask, `exec "${process.execPath}" "$@"`);
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'node'), program, { mode: 0o755 });
}

/** In one file, as the command line itself is: its modules one by one take five times as long to load. Sources stand still meanwhile. */
let loaded: Promise<Answering> | undefined;
function bundled(): Promise<Answering> {
  loaded ??= load('test/github/answer-as-node.ts');
  return loaded;
}

async function load(entry: string): Promise<Answering> {
  // All sources and packages of the command line are in its own bundle.
  const files = ['.build/cli.mjs', 'test/support', entry];
  const folder = await keptBuild('answer-as-node', { files, programs: [], variables: [] }, async (target) => {
    const outfile = join(target, 'answer.cjs');
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', target: 'node20.19' });
  });
  return createRequire(import.meta.url)(join(folder, 'answer.cjs')).answer;
}
