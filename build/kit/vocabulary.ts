import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { parseDocument } from '../../src/base/document.ts';

const STATUS = z.object({ status: z.string(), outcome: z.string().nullable(), meaning: z.string() });
const VOCABULARY_SCHEMA = z.object({
  schema: z.literal(1),
  outcomes: z.array(
    z.object({
      name: z.string(),
      request: z.enum(['none', 'kept', 'cleared']),
      countsAsFailure: z.boolean(),
      meaning: z.string(),
      admin: z.string(),
    }),
  ),
  fdesetup: z.object({ isactive: z.array(STATUS), changerecovery: z.array(STATUS) }),
  lines: z.array(
    z.object({ category: z.string(), level: z.string(), text: z.string(), since: z.string(), when: z.string() }),
  ),
});

/** The words in which the plug-in tells what happened: `payload/plugin/outcomes.json`, which a test holds to its source. */
export type Vocabulary = z.infer<typeof VOCABULARY_SCHEMA>;
type Outcome = Vocabulary['outcomes'][number];

/** Path of the one table below the project. */
export const VOCABULARY_FILE = 'payload/plugin/outcomes.json';

/** Returns the words of the plug-in in the project at `root`. */
export async function readVocabulary(root: string): Promise<Vocabulary> {
  const source = await readFile(join(root, VOCABULARY_FILE));
  return parseDocument(source, { name: VOCABULARY_FILE, schema: VOCABULARY_SCHEMA, code: 'VOCABULARY_INVALID' });
}

/** What `scripts/state.sh` of the kit answers, and so the extension attributes, sensors and facts made from it. */
export interface Answer {
  /** Its fixed beginning. */
  readonly word: string;
  /** What stands behind the word; VERSION is put in. */
  readonly rest: string;
  readonly means: string;
  /** Which smart group such a Mac belongs in. */
  readonly group: string;
}

/** Every answer, in the order in which an admin meets them. */
export const ANSWERS: readonly Answer[] = [
  { word: 'Idle', rest: ' VERSION', means: 'nothing is asked for', group: 'fine' },
  {
    word: 'Requested',
    rest: ' VERSION',
    means: 'a key will be made at the next login',
    group: 'waiting: ask for a log-out',
  },
  {
    word: 'Waiting',
    rest: ' VERSION: token-login',
    means: 'the last login could not do it, the next one may',
    group: 'waiting',
  },
  {
    word: 'Rotated',
    rest: ' VERSION: 2026-11-26 …',
    means: 'a new key was made and recorded for escrow',
    group: 'done: compare with the MDM',
  },
  {
    word: 'Unconfirmed',
    rest: ' VERSION: …',
    means: 'a new key was made, its record was not seen',
    group: 'prove it with `fdesetup validaterecovery`',
  },
  {
    word: 'Stuck',
    rest: ' VERSION: authentication-failed (11)',
    means: 'somebody must act: the word is an outcome',
    group: 'needs you',
  },
  {
    word: 'Not Registered',
    rest: ' VERSION',
    means: 'the bundle is there, the login entry is not: mostly after an update of macOS',
    group: 'run `AuthDBSetup.sh`, or install the guard',
  },
  {
    word: 'No Answer',
    rest: ' VERSION',
    means: 'the authorization database could not be read',
    group: 'look again later',
  },
  { word: 'Not Installed', rest: '', means: 'neither bundle nor entry', group: 'install' },
  { word: 'ORPHANED', rest: '', means: '**the next login will fail**', group: 'rescue, at once' },
];

/** Outcomes that another login, or some time, puts right. */
const WAITING: readonly string[] = [
  'not-awaited',
  'filevault-busy',
  'no-credentials',
  'guest-login',
  'token-login',
  'no-password-login',
  'no-token-yet',
];

/** Returns the first word that `state.sh` answers after a login that ended so. */
export function answerOf({ name, request }: Pick<Outcome, 'name' | 'request'>): string {
  if (name === 'rotated') return 'Rotated';
  if (name === 'rotated-unconfirmed') return 'Unconfirmed';
  if (request === 'none') return 'Idle';
  return WAITING.includes(name) ? 'Waiting' : 'Stuck';
}

/** What the scripts in the bundle end with. */
export const SCRIPT_EXIT_CODES: readonly (readonly [script: string, meaning: string])[] = [
  [
    '`AuthDBSetup.sh`, `AuthDBTeardown.sh`, `uninstall.sh`',
    '0 done, or already so; 1 refused or failed; 64 an argument it does not know: usage is printed and nothing is done',
  ],
  ['`status.sh`', '0 healthy; 1 needs attention; 2 broken; 64 as above'],
  ['`postinstall`', 'not 0 when the registration is refused'],
];
