import { createHash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../support/file-digest.ts';
import { keptBuild } from '../support/kept-build.ts';
import { findOnPath } from '../support/needs.ts';
import { quickCompiler } from '../support/quick-compiler.ts';
import type { JobResult } from './schedule.ts';

/** How a step's script ended, what it printed, and what it wrote into the file of its outputs. */
export interface ScriptEnd {
  readonly status: number | null;
  readonly log: string;
  readonly output: string;
}

/** What the scripts of a job did, by the number of their step. */
export type Scripts = Readonly<Record<number, ScriptEnd>>;

/** Where jobs that were played are looked for. */
export interface Keeping {
  /** Folder of what GitHub holds, which `plan` asks. */
  readonly state: string;
  /** The notary's folder, which `submit` writes into. */
  readonly notary: string;
  /** What decides beside what a job is given: the keys, and what was done to the command line. */
  readonly words: readonly string[];
  /** Jobs that are played here whatever is kept. */
  readonly anew: (at: string) => boolean;
}

/** A job that is about to be played. */
export interface JobToPlay {
  readonly at: string;
  /** All that it is given: the commit, the job itself, what the jobs before it made, of a Mac its stand-ins' variables. */
  readonly given: object;
  /** The job's folder; `work` in it is the workspace. */
  readonly home: string;
}

/**
 * Jobs from the merge to the Macs, each with the files it leaves for the jobs after it. What keys, the notary and a Mac made of it once
 * is as good for another release of the same bytes; how it is published is always played.
 */
const KEPT: Readonly<Record<string, readonly string[]>> = {
  'release.yml/plan': [],
  'build.yml/parts': ['work/parts.tar'],
  'build.yml/again': [],
  'release.yml/review': ['summary.md'],
  'release.yml/code': [],
  'release.yml/code-key': [],
  'release.yml/packages': [],
  'release.yml/packages-key': [],
  'release.yml/signed': ['work/signed.tar'],
  'release.yml/submit': ['work/submitted.tar'],
  'release.yml/staple': ['work/finished.tar'],
  'release.yml/look': [],
  'release.yml/smoke': [],
};
/** The stories have some commits, and ask `plan` in several states of GitHub. */
const MOST = 16;

/**
 * Returns how a job ended when it was played with the same on this day, with its files in place; plays it where that is not known.
 *
 * The name of the folder of the compiler tells which one it is (quick-compiler.ts). No failure is kept.
 *
 * @param play plays the job; where it is told what its scripts did it takes that for done
 */
export async function keptJob(
  job: JobToPlay,
  keeping: Keeping,
  play: (done?: Scripts) => Promise<{ readonly ended: JobResult; readonly scripts: Scripts }>,
): Promise<JobResult> {
  const left = KEPT[job.at];
  if (!left) return (await play()).ended;
  const { notary } = keeping;
  let ended: JobResult | undefined;
  const folder = await keptBuild(`jobs-of-${job.at.replace(/\W/g, '-')}`, madeOf(job, keeping), async (made) => {
    const played = await play();
    ended = played.ended;
    if (ended.result !== 'success') throw new Error('not kept');
    writeFileSync(join(made, 'scripts.json'), JSON.stringify(played.scripts));
    for (const name of left) cpSync(join(job.home, name), join(made, name));
    if (job.at === SUBMIT) cpSync(notary, join(made, 'notary'), { recursive: true });
  }).catch((error: Error) => {
    if (ended && ended.result !== 'success') return '';
    throw error;
  });
  if (ended) return ended;
  if (keeping.anew(job.at)) return (await play()).ended;
  for (const name of left) cpSync(join(folder, name), join(job.home, name));
  if (job.at === SUBMIT) cpSync(join(folder, 'notary'), notary, { recursive: true });
  return (await play(JSON.parse(readFileSync(join(folder, 'scripts.json'), 'utf8')))).ended;
}

/** The command line of this tree: it does not change while tests run. */
let program: string | undefined;
const SUBMIT = 'release.yml/submit';

function madeOf({ at, given }: JobToPlay, { state, words }: Keeping): Parameters<typeof keptBuild>[1] {
  const programs = ['bash', 'openssl'].map((name) => findOnPath(name)).filter((path) => path !== undefined);
  const today = Math.floor(Date.now() / 86_400_000);
  program ??= sha256('.build/cli.mjs');
  const others = [at, given, words, program, quickCompiler(), today, at === 'release.yml/plan' ? heldBy(state) : ''];
  return {
    files: ['test/github', ...(at === 'release.yml/smoke' ? ['test/mac/simulated'] : [])],
    programs: [process.execPath, ...programs],
    variables: [],
    words: [createHash('sha256').update(JSON.stringify(others)).digest('hex')],
    keep: MOST,
  };
}

/** What GitHub holds, without the calls it was asked before. */
function heldBy(state: string): object {
  const file = join(state, 'github.json');
  const { calls: _calls, ...held } = JSON.parse(existsSync(file) ? readFileSync(file, 'utf8') : '{}');
  return held;
}
