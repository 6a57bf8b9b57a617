// Puts small faults into the source, one at a time, and asks the tests: npm run mutants [-- FOLDER...] [--whole] [--sample N] [--seed N] [--quick].
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { sampled } from '../support/by-day.ts';
import { sharedRelease } from '../support/shared-release.ts';
import { type Asker, openAsker } from './asker/asker.ts';
import { type Change, told } from './change.ts';
import { readCommandLine, type Wanted } from './command-line.ts';
import { changesInC, changesInShell } from './in-text.ts';
import { changesInTypeScript } from './in-typescript.ts';
import { type Counted, fails, readRecord, scoreTable, standingOf } from './record/record.ts';
import type { Room } from './rooms.ts';
import { copyTree, reaches } from './tree.ts';
import { isScript, tryRoom } from './try-room.ts';

interface Equivalent {
  readonly file: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  /** A part of its line, where the file has others of the same kind that can be noticed. */
  readonly line?: string;
  readonly reason: string;
}

/** What is written of a room. */
interface Score extends Counted {
  /** Faults that can be put into the room; equivalent ones are not. */
  readonly faults: number;
  readonly survivors: readonly string[];
  /** Tests that fail without any fault, and why: what survives may be noticed by them. */
  readonly notAsked: readonly string[];
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const root = process.cwd();
const tree = resolve('.build/mutants/tree');
const filesBelow = (folder: string, pattern: RegExp): string[] =>
  (existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }) : [])
    .map((name) => join(folder, name))
    .filter((name) => pattern.test(name))
    .sort();

function changesIn(file: string): Change[] {
  const text = readFileSync(file, 'utf8');
  if (isScript(file)) return changesInTypeScript(file, text);
  return file.endsWith('.c') ? changesInC(file, text) : changesInShell(file, text);
}

/** The faults of a room: with `folder` below it, only those there. Those that nobody can notice are left out. */
function faultsOf(room: Room, folder: string): Change[] {
  const equivalent: Equivalent[] = JSON.parse(readFileSync('test/mutants/equivalent.json', 'utf8'));
  const lineOf = ({ file, line }: Change) => readFileSync(file, 'utf8').split('\n')[line - 1] as string;
  const same = (change: Change) =>
    equivalent
      .filter((one) => (['file', 'kind', 'from', 'to'] as const).every((key) => one[key] === change[key]))
      .some(({ line }) => line === undefined || lineOf(change).includes(line));
  return filesBelow(room.folder, /(?<!\.d)\.ts$|\.mjs$|\.c$|\.sh$/)
    .filter((file) => file.startsWith(folder) && (!room.own || dirname(file) === room.folder))
    .flatMap(changesIn)
    .filter((change) => !same(change));
}

/** What starts the bundled command line, which holds all of build/ and src/. */
const STARTS_PROGRAM = 'test/support/cli.ts';

/** Test files of a room that can notice a fault in `file`, in the order of the room's table. */
function testsFor({ tests, apart }: Room, file: string, reach: ReturnType<typeof reaches>): string[] {
  const asked = new Set<string>();
  for (const name of tests) {
    const place = name.replace(/^!/, '');
    for (const one of place.endsWith('.ts') ? [place] : filesBelow(place, /\.test\.ts$/))
      if (name.startsWith('!')) asked.delete(one);
      else asked.add(one);
  }
  const reaching = (test: string): boolean => reach(test, file) || reach(test, STARTS_PROGRAM);
  return [...asked].filter((test) => (apart ? apart(test, file) : reaching(test)));
}

async function scoreOf(
  room: Room,
  folder: string,
  asker: Asker,
  { whole, sample, seed, quick }: Wanted,
): Promise<Score> {
  const all = faultsOf(room, folder);
  const changes = whole ? all : sampled(all, sample ?? room.sample, seed);
  const reach = reaches(root);
  const known = new Map(changes.map(({ file }) => [file, testsFor(room, file, reach)]));
  say(`${folder}: ${changes.length} of ${all.length} faults, seed ${seed}`);
  const survivors: string[] = [];
  const bundled = !room.apart && [...known.values()].flat().some((test) => reach(test, STARTS_PROGRAM));
  const packed = room.apart !== undefined;
  const trial = {
    tree,
    asker,
    changes,
    testsFor: (file: string) => known.get(file) ?? [],
    bundled,
    packed,
    quick,
    say,
  };
  const failed = await tryRoom(trial, ({ change, seconds, by, unreached }) => {
    if (by === undefined) survivors.push(told(change));
    const word = by === undefined ? 'SURVIVES' : 'noticed ';
    const who = unreached ? '  [no test comes by]' : by ? `  [${by.slice(0, 110)}]` : '';
    say(`  ${word} ${seconds.toFixed(1)} s  ${told(change)}${who}`);
  });
  const notAsked = failed.map(
    ({ file, name, words = '' }) => `${file}: ${name || 'does not load'}: ${words.slice(0, 300)}`,
  );
  for (const one of notAsked) say(`  NOT ASKED, as it fails here without any fault: ${one}`);
  const noticed = changes.length - survivors.length;
  return { room: folder, faults: all.length, tried: changes.length, noticed, floor: room.floor, survivors, notAsked };
}

/** Prints record, floor and new score of each room; returns whether none fell. A quick run asks too few tests to be held to a record. */
function holdToRecord(scores: readonly Score[], quick: boolean): boolean {
  const record = readRecord();
  const rows = scores.map((counted) => {
    const recorded = record.find(({ room }) => room === counted.room);
    return { counted, recorded, says: quick ? 'quick, not held to it' : standingOf(counted, recorded) };
  });
  for (const line of scoreTable(rows)) say(line);
  return !rows.some(({ says }) => fails(says));
}

async function main(wanted: Wanted): Promise<void> {
  // A copy: tests that run beside this make the shared one anew after a commit, and theirs is of another submission.
  const { folder: shared } = sharedRelease(root);
  const releaseFolder = resolve('.build/mutants/release', basename(shared));
  rmSync(dirname(releaseFolder), { recursive: true, force: true });
  cpSync(shared, releaseFolder, { recursive: true });
  copyTree(root, tree);
  const asker = openAsker(tree, resolve('.build/mutants/run-tests.mjs'), releaseFolder);
  const scores: Score[] = [];
  for (const { room, folder } of wanted.chosen) {
    scores.push(await scoreOf(room, folder, asker, wanted));
    mkdirSync(join(root, '.build/mutants'), { recursive: true });
    writeFileSync(
      wanted.out,
      `${JSON.stringify({ schema: 1, date: new Date().toISOString().slice(0, 10), seed: wanted.seed, whole: wanted.whole, quick: wanted.quick, rooms: scores }, null, 2)}\n`,
    );
  }
  const holds = holdToRecord(scores, wanted.quick);
  const lost = scores.reduce((sum, { notAsked }) => sum + notAsked.length, 0);
  const words = `${holds ? 'no room fell' : 'a room fell'}${lost > 0 ? `; ${lost} tests could not be asked` : ''}`;
  say(`mutants: ${words}; the survivors are in ${wanted.out}`);
  process.exitCode = holds ? 0 : 1;
}

const wanted = readCommandLine(process.argv.slice(2));
if ('problem' in wanted) {
  process.stderr.write(`mutants: ${wanted.problem}\n`);
  process.exitCode = 2;
} else await main(wanted);
