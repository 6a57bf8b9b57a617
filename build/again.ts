import { dirname, relative } from 'node:path';
import { shellWord } from '../src/base/place/shown.ts';

/** What was typed, and where. */
export interface Typed {
  /** Words behind the program's name, the command first. */
  readonly argv: readonly string[];
  /** Folder of the project, or of parts. */
  readonly root: string;
  /** The command line in one file. */
  readonly program: string;
  /** Where it was typed. */
  readonly cwd: string;
}

/** Options that are not typed again, and whether a value stands behind each. */
type Dropped = ReadonlyMap<string, boolean>;
const ONCE: Dropped = new Map([
  ['--replace', false],
  ['--max-wait', true],
]);
/** Options about what an earlier run left. */
const PLACES: Dropped = new Map([
  ['--replace', false],
  ['--resume', false],
]);
/** Options that had a run stop before its last stage. */
const STOPS: Dropped = new Map([...ONCE, ['--until', true], ['--submit-only', false]]);

/**
 * Returns the command that goes on where an interrupted one stopped, as a shell takes it in the same folder: a release resumes,
 * anything else begins again.
 *
 * @example commandAgain({ argv: ['release', '--out', 'my out'], ... }) // "npm start -- --out 'my out' --resume"
 */
export function commandAgain(typed: Typed): string {
  return again(typed, ONCE);
}

/** Returns the command that does the same with nothing that an earlier run left. */
export function commandAnew(typed: Typed): string {
  return commandOf(without(typed.argv, new Map([...ONCE, ...PLACES])), typed);
}

/** Returns the command that has the stages run before which a release stopped, as asked. */
export function commandToTheEnd(typed: Typed): string {
  return again(typed, STOPS);
}

function again(typed: Typed, dropped: Dropped): string {
  const words = without(typed.argv, dropped);
  if (words[0] === 'release' && !words.includes('--resume')) words.push('--resume');
  return commandOf(words, typed);
}

/** Returns the command that was typed, with other options in the place of those that say what may stand where it writes. */
export function commandWithOther(typed: Typed, options: readonly string[]): string {
  const dropped = options[0] === '--out' ? new Map([...PLACES, ['--out', true] as const]) : PLACES;
  return commandOf([...without(typed.argv, dropped), ...options], typed);
}

/** Returns what a person types to run a command of this program, where they stand. */
function commandOf(words: readonly string[], { root, program, cwd }: Omit<Typed, 'argv'>): string {
  const [command, ...options] = words.map(shellWord);
  // Parts are a folder without package scripts.
  if (dirname(program) === root) return ['node', shellWord(relative(cwd, program)), command, ...options].join(' ');
  const isInside = !relative(root, cwd).startsWith('..');
  const npm = isInside ? ['npm'] : ['npm', '--prefix', shellWord(root)];
  if (command !== 'release') return [...npm, 'run', '-s', 'cli', '--', command, ...options].join(' ');
  return [...npm, 'start', ...(options.length > 0 ? ['--', ...options] : [])].join(' ');
}

function without(argv: readonly string[], dropped: Dropped): string[] {
  const kept: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    const [name] = word.split('=') as [string];
    const hasValue = dropped.get(name);
    if (hasValue === undefined) kept.push(word);
    else if (hasValue && name === word) at++;
  }
  return kept;
}
