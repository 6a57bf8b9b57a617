import { Readings } from './readings.ts';

/** Plug-ins of macOS itself, which every list of mechanisms names. Source: system.login.console of macOS 10.14 to 26. */
const SYSTEM_PLUG_INS = new Set(
  (
    'builtin loginwindow PKINITMechanism HomeDirMechanism MCXMechanism CryptoTokenKit DiskUnlock FDESupport KerberosAgent RestartAuthorization ' +
    'PlatformSSO'
  ).split(' '),
);
/** What a file must mention for its quoted words to count as mechanisms: the database, its tool, or where plug-ins lie. */
const MENTIONS =
  /authorizationdb|SecurityAgentPlugins|\/auth\.db|system\.login\.|AuthorizationRight(Set|Remove)|mechanisms/i;
/** `A:b` as a quoted word or an element of a property list; the name may hold blanks. */
const QUOTED = /(['"`])\\?([^'"`:,/$\\\n\x00-\x1f]{1,128}):([\w.-]{1,128})(?:,[^'"`\n]{0,32})?\\?\1/g;
const ELEMENT = /<string>\s*([^<:,/]{1,128}):([^<:,/\s]{1,128})\s*(?:,[^<]{0,32})?<\/string>/gi;
/** `A:b` as a bare word, once quotes and backslashes are taken out; no path, address, time, variable or key of PlistBuddy. */
const BARE = /(?<![\w./:{$@%[\]\x1f-])([A-Za-z][\w.\x1f-]{0,127}):([A-Za-z][\w\x1f-]{0,127})(?![\w:/.(\]-])/g;
/** Stands for a blank behind a backslash. */
const BLANK = '\x1f';
/** With what a name may begin that goes on. */
const NAME_END = /[\w.\x1f-]$/;
/** `user:group`, as chown takes it. */
const ACCOUNTS = /^(root|daemon|nobody|_\w+)$/;
const GROUPS = /^(wheel|admin|staff|daemon|nobody|nogroup|everyone|_\w+)$/;
/** authd compares the third word without regard to case (Security-61901, authd/mechanism.c). */
const PRIVILEGED = /,privileged/gi;
const BEFORE = 256;
const QUOTES = new Set(['"', "'", '`', '>', '=']);
/** Where an entry cannot go on. */
const DELIMITER = /([\x00-\x1f"'`=<>();&|])/;
/** The same where no line goes on behind it. */
const BREAK = /(?<!\\)[\x00-\x1f"'`=<>();&|]/;
/** Bytes that are kept from one piece of a file to the next, so that no word is cut. */
const OVERLAP = 1024;
/** Words of a file that are looked at; 200 seen. A file with more is not a script, and where it is about authorization it is refused. */
const MOST_WORDS = 20_000;
/** More findings tell nothing more. */
const MOST = 50;
/** The database itself, behind the back of authd. */
const DATABASE = /\/auth['"]*\.db\b/;
/** What a script runs that nobody can read in it. */
const UNFOLLOWED: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/(^|[\n;&|({`]|\b(then|do|else))[ \t]*eval[ \t]/, 'a text that it puts together (eval)'],
  [
    /\|[ \t\n]*(exec[ \t]+|sudo[ \t]+)?(\/bin\/)?(ba|z|k|da|c|tc)?sh([ \t;&|)\n]|$)/,
    'what another program hands to a shell',
  ],
];

/** A policy's list of allowed entries, ready for comparison. */
export interface AllowedMechanisms {
  readonly entries: ReadonlySet<string>;
  /** Names of bundles in the package. */
  readonly plugIns: readonly string[];
}

/** Looks for entries of authorization rights in one file, whatever its size; it is given in pieces. */
export class MechanismSearch {
  readonly #allowed: AllowedMechanisms;
  readonly #runByInstaller: boolean;
  readonly #readings = new Readings();
  readonly #unfollowed = new Set<string>();
  readonly #privileged = new Set<string>();
  /** Count when the file turns out to be about authorization. */
  readonly #words = new Set<string>();
  #mentions = false;
  #carry = '';
  #left = { privileged: MOST_WORDS, words: MOST_WORDS };
  /** Characters that were looked at, in every reading. */
  work = 0;

  /** @param runByInstaller whether the file lies among the scripts, so that all it runs has to be seen */
  constructor(allowed: AllowedMechanisms, runByInstaller: boolean) {
    this.#allowed = allowed;
    this.#runByInstaller = runByInstaller;
  }

  update(chunk: Buffer): void {
    // latin1 keeps every byte: names are compared in the same way.
    const text = this.#carry + chunk.toString('latin1');
    this.#look(text, text.slice(0, -BEFORE));
    if (!isBinary(text)) {
      this.work += text.length;
      for (const other of this.#readings.of(text)) this.#look(other);
    }
    this.#carry = lastOf(text);
  }

  /** Returns what is not allowed, in words that follow the file's name. */
  finish(): string[] {
    this.#look(this.#carry);
    const isFull = this.#left.privileged <= 0 || (this.#mentions && this.#left.words <= 0);
    const more = isFull ? [`among more than ${MOST_WORDS} words that look like one`] : [];
    const entries = [...this.#privileged, ...(this.#mentions ? this.#words : []), ...more];
    const unseen = this.#runByInstaller || this.#mentions ? [...this.#unfollowed] : [];
    return [...entries.map((entry) => `names the mechanism ${entry}`), ...unseen];
  }

  /** @param head the beginning of the text; matches that end behind it may be cut, and come again with the next piece */
  #look(text: string, head: string = text): void {
    this.work += text.length;
    this.#mentions ||= MENTIONS.test(text);
    if (DATABASE.test(text)) this.#unfollowed.add('names the database of rights itself, which only authd changes');
    for (const [pattern, words] of UNFOLLOWED) {
      if (pattern.test(text)) this.#unfollowed.add(`runs ${words}, so that nobody can tell which mechanisms it names`);
    }
    for (const { index } of text.matchAll(PRIVILEGED)) {
      if (this.#left.privileged-- <= 0) break;
      this.#checkPrivileged(before(text, index));
    }
    for (const [pattern, source, { length: end }] of [
      [QUOTED, text, head],
      [ELEMENT, text, head],
      [BARE, unmarked(text), unmarked(head)],
    ] as const) {
      for (const match of source.matchAll(pattern)) {
        if (this.#left.words-- <= 0) break;
        const behind = match.index + match[0].length;
        if (behind > end) continue;
        const rest = source.slice(behind);
        const tail = /^,privileged/i.test(rest) || /,privileged\b/i.test(match[0]) ? ',privileged' : '';
        const entry = before(source, behind);
        if (pattern === BARE && (this.#isEndOfAllowed(`${entry}${tail}`) || isCasePattern(entry, rest))) continue;
        const [plugIn = '', mechanism = ''] = pattern === QUOTED ? match.slice(2) : match.slice(1);
        this.#checkWord(withBlanks(plugIn).trim(), withBlanks(`${mechanism}${tail}`));
      }
    }
  }

  /** The entry is what stands at the end; where it begins depends on how it is quoted. */
  #checkPrivileged(said: string): void {
    const pieces = said.split(DELIMITER);
    const quoted = QUOTES.has(pieces.at(-2) as string);
    const marked = unmarked(pieces.at(-1) as string).trim();
    const text = withBlanks(marked);
    const word = quoted ? text : withBlanks(marked.split(/\s/).at(-1) as string);
    const fits = [text, word].some((entry) => this.#isAllowed(`${entry},privileged`) || isSystem(entry));
    // A variable alone: the words it is made of are found where they stand.
    if (fits || /^\$\{?\w+\}?$/.test(word) || (text === '' && !quoted)) return;
    this.#note(this.#privileged, `${text || 'a name put together from parts'},privileged`);
  }

  #checkWord(plugIn: string, mechanism: string): void {
    if (SYSTEM_PLUG_INS.has(plugIn) || (ACCOUNTS.test(plugIn) && GROUPS.test(mechanism))) return;
    const entry = `${plugIn}:${mechanism}`;
    if (this.#isAllowed(entry)) return;
    if (this.#allowed.plugIns.some((name) => name.toLowerCase() === plugIn.toLowerCase()))
      this.#note(this.#privileged, entry);
    else this.#note(this.#words, entry);
  }

  /** Where a name with blanks has lost its quotes, its last word alone looks like an entry; a longer name is another one. */
  #isEndOfAllowed(text: string): boolean {
    return [...this.#allowed.entries].some(
      (entry) => text.endsWith(entry) && !NAME_END.test(text.slice(0, -entry.length)),
    );
  }

  #isAllowed(entry: string): boolean {
    return this.#allowed.entries.has(entry);
  }

  #note(found: Set<string>, entry: string): void {
    if (found.size < MOST) found.add(Buffer.from(entry.slice(-120), 'latin1').toString('utf8'));
  }
}

/** Neither text nor letters of two bytes: programs and pictures hold what they say as it stands. */
function isBinary(text: string): boolean {
  return text.includes('\0\0\0');
}

/** `running:late)` and `a:b|c:d)` at the start of a line belong to `case "$one:$other" in`. */
function isCasePattern(said: string, behind: string): boolean {
  const line = said.slice(said.lastIndexOf('\n') + 1);
  return /^[ \t]*[)|]/.test(behind) && /^[\s\w:|*.-]*$/.test(line);
}

function isSystem(entry: string): boolean {
  const [, plugIn = ''] = /^(\w+):[\w-]+$/.exec(entry) ?? [];
  return SYSTEM_PLUG_INS.has(plugIn);
}

/** What stands before a place, as far as an entry reaches. */
const before = (text: string, place: number) => text.slice(0, place).slice(-BEFORE);

/** Without what a shell takes out of a word; a blank that ends no word becomes a mark. */
const unmarked = (text: string) => text.replaceAll('\\ ', BLANK).replace(/["'\\]/g, '');
const withBlanks = (text: string) => text.replaceAll(BLANK, ' ');

/** Returns the end of a text, in which the next piece may end an entry; what it begins with is not the rest of an entry. */
function lastOf(text: string): string {
  const last = text.slice(-OVERLAP);
  return last.slice(Math.max(0, last.slice(0, -BEFORE).search(BREAK)));
}

/** Returns a list of allowed entries as `MechanismSearch` takes it. */
export function allowedMechanisms(entries: readonly string[], bundles: readonly string[]): AllowedMechanisms {
  const bytes = (text: string) => Buffer.from(text.normalize('NFC')).toString('latin1');
  return { entries: new Set(entries.map(bytes)), plugIns: bundles.map(bytes) };
}
