import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keptBuild } from '../support/kept-build.ts';
import { quickCompiler } from '../support/quick-compiler.ts';

/** How a step's script ended, and what it printed. */
export interface StepEnd {
  readonly status: number | null;
  readonly log: string;
}

/** A step that is about to be played. */
export interface PlayedStep {
  readonly at: string;
  readonly name: string;
  /** All that decides beside the files of the commit: the commit, the script, its variables. */
  readonly given: object;
  /** Folder of what GitHub holds, which steps with a token ask. */
  readonly state: string;
  /** The job's folder; `work` in it is the workspace. */
  readonly home: string;
}

/**
 * Steps that make the same of the same commit, command line and input, each with the files it leaves for the steps after it. None of
 * them signs, asks for the time or is near a key.
 */
const PURE: Readonly<Record<string, readonly string[]>> = {
  'release.yml/plan: Decide': ['output'],
  'build.yml/parts: Compile and gather': ['output', 'work/parts.tar'],
  'build.yml/again: Compile and compare': [],
  'release.yml/review: Tell': ['summary.md'],
};
/** A story has some commits and asks `plan` in several states of GitHub. */
const KEPT = 16;

/**
 * Returns what a step did when it was played with the same, with its files in place; plays it where that is not known.
 *
 * The name of the folder of the compiler tells which one it is (quick-compiler.ts). No failure is kept.
 */
export async function keptStep(step: PlayedStep, play: () => Promise<StepEnd>): Promise<StepEnd> {
  const left = PURE[`${step.at}: ${step.name}`];
  if (!left) return play();
  const words = [
    step.at,
    step.name,
    step.given,
    quickCompiler(),
    digestOf(join(step.home, 'work/.build/cli.mjs')),
    stateOf(step),
  ];
  const madeOf = { files: [], programs: [process.execPath], variables: [], words: [JSON.stringify(words)], keep: KEPT };
  let played: StepEnd | undefined;
  const folder = await keptBuild(`steps-of-${step.at.replace(/\W/g, '-')}`, madeOf, async (made) => {
    played = await play();
    if (played.status !== 0) throw new Error('not kept');
    writeFileSync(join(made, 'log'), played.log);
    for (const name of left) cpSync(join(step.home, name), join(made, name));
  }).catch((error: Error) => {
    if (played && played.status !== 0) return '';
    throw error;
  });
  if (played) return played;
  for (const name of left) cpSync(join(folder, name), join(step.home, name));
  return { status: 0, log: readFileSync(join(folder, 'log'), 'utf8') };
}

/** What GitHub holds, without the calls it was asked before. */
function stateOf({ state }: PlayedStep): object {
  const file = join(state, 'github.json');
  const { calls: _calls, ...held } = JSON.parse(existsSync(file) ? readFileSync(file, 'utf8') : '{}');
  return held;
}

const digestOf = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');
