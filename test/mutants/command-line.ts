import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOMS, type Room } from './rooms.ts';

/** What `npm run mutants` is asked for. */
export interface Wanted {
  /** Each room with the folder of it that is asked about. */
  readonly chosen: readonly { readonly room: Room; readonly folder: string }[];
  readonly whole: boolean;
  readonly quick: boolean;
  /** Faults a room; without it each room says how many. */
  readonly sample: number | undefined;
  /** Chooses the faults. Without it the day does, in days since 1970. */
  readonly seed: number;
  readonly out: string;
}

const USAGE =
  'usage: npm run mutants [-- FOLDER ... --whole --sample N --seed N --quick --out FILE]; without a FOLDER, all rooms';

/** Reads the words after `npm run mutants --`. Returns the reason and what may be written when they are none that it knows. */
export function readCommandLine(argv: readonly string[]): Wanted | { readonly problem: string } {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        whole: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        sample: { type: 'string' },
        seed: { type: 'string' },
        out: { type: 'string', default: '.build/mutants/scores.json' },
      },
    });
    const { whole, quick, out } = values;
    const chosen =
      positionals.length === 0 ? ROOMS.map((room) => ({ room, folder: room.folder })) : positionals.map(roomAt);
    const seed = wholeNumber('--seed', values.seed, 0) ?? Math.floor(Date.now() / 86_400_000);
    return { chosen, whole, quick, sample: wholeNumber('--sample', values.sample, 1), seed, out };
  } catch (error) {
    return { problem: `${(error as Error).message}\n${USAGE}` };
  }
}

/** The room that holds a folder; a room without what is below it has that one level below it alone. */
function roomAt(name: string): { room: Room; folder: string } {
  const folder = name.replace(/\/$/, '');
  const holds = (one: Room) => (one.own ? dirname(folder) === one.folder : folder.startsWith(`${one.folder}/`));
  const room = ROOMS.find((one) => folder === one.folder || holds(one));
  if (!room) throw new Error(`no room for ${folder}; rooms are ${ROOMS.map((one) => one.folder).join(', ')}`);
  return { room, folder };
}

function wholeNumber(option: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text) || Number(text) < least)
    throw new Error(`${option} takes a whole number from ${least} on, not "${text}"`);
  return Number(text);
}
