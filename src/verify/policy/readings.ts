/** Text that looks like base64 or hexadecimal digits, long enough to hold an entry. */
const BASE64 = /[A-Za-z0-9+/]{16,}={0,2}/g;
const HEXADECIMAL = /(?<![0-9A-Fa-f])(?:[0-9A-Fa-f]{2}){10,}(?![0-9A-Fa-f])/g;
/** Letters of two bytes: UTF-16, and texts of binary property lists. */
const WIDE = /[\x20-\x7e]\0[\x20-\x7e]\0|\0[\x20-\x7e]\0[\x20-\x7e]/;
const MARKUP = /&(?:#x([0-9A-Fa-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));|<!\[CDATA\[|\]\]>/g;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);
/** A setting of a shell script, or a variable; `${NAME:-WORD}` stands for its word. */
const STEP =
  /(?<![\w$-])([A-Za-z_]\w{0,63})=("[^"\n]{0,200}"|'[^'\n]{0,200}'|[^\s;&|'"`()<>]{0,200})|\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;
const DEFAULT = /\$\{\w+:?[-=+]([^{}\n]{0,200})\}/g;
/** Lines that count once variables are filled in: a variable of another use could make any word look like an entry. */
const ABOUT_RIGHTS = /authorizationdb|AuthorizationRight|auth\.db|,\s*privileged|<string>/i;
/** `printf FORMAT WORD ...`, and texts that another language joins. */
const PRINTF = /\bprintf\s+(["'])([^"'\n]{0,100}%s[^"'\n]{0,100})\1((?:[ \t]+[^\s;&|()]{1,100}){1,10})/g;
const JOINED = /(["'])[ \t]*(?:\+|\.|&)[ \t]*(["'])/g;
const CHARACTER = /\b(?:chr|character id)[ \t]*\(?[ \t]*(\d{1,3})[ \t]*\)?/g;
const ESCAPE = /\\(?:x([0-9A-Fa-f]{2})|0?([0-7]{3}))/g;
/** Settings that are remembered, characters of one, and pieces that are decoded in one go; a script of a package has fewer. */
const MOST_SETTINGS = 500;
const MOST_VALUE = 400;
const MOST_PIECES = 200;
/** A text may grow to so many times its length when variables are filled in. */
const MOST_GROWTH = 4;

/**
 * Reads a text as those would who are given it: a shell, a reader of property lists, a decoder. Given in pieces, one after the other.
 */
export class Readings {
  /** Settings of a shell script with a value that is plain, by name. */
  readonly #settings = new Map<string, string>();

  /**
   * Returns what else a piece of text says beside what stands there; nothing for most.
   *
   * @param text bytes as latin1
   */
  of(text: string): string[] {
    const plain = WIDE.test(text) ? text.replaceAll('\0', '') : text;
    const markup = plain.replace(MARKUP, character);
    const joined = joinedText(plain);
    const filled = this.#filled(joined);
    const aboutRights =
      filled === joined
        ? []
        : [
            filled
              .split('\n')
              .filter((line) => ABOUT_RIGHTS.test(line))
              .join('\n'),
          ];
    const others = [plain, markup, joined].filter((other) => other !== text);
    return [...new Set([...others, ...aboutRights]), ...decoded(filled)];
  }

  /** Follows settings and variables in the order in which they stand. */
  #filled(text: string): string {
    let room = text.length * (MOST_GROWTH - 1) + MOST_VALUE;
    const follow = (piece: string): string =>
      piece.replace(STEP, (found, name?: string, value = '', braced?: string, bare?: string) => {
        if (name !== undefined) {
          const filled = follow(unquoted(value));
          this.#set(name, filled);
          return `${name}="${filled}"`;
        }
        const known = this.#settings.get(braced ?? (bare as string));
        if (known === undefined || known.length > room) return found;
        room -= known.length;
        return known;
      });
    return follow(text.replace(DEFAULT, ' $1 ')).replace(PRINTF, printed);
  }

  #set(name: string, value: string): void {
    if (/[$`]/.test(value) || value.length > MOST_VALUE || this.#settings.size >= MOST_SETTINGS)
      this.#settings.delete(name);
    else this.#settings.set(name, value);
  }
}

/** Lines that go on, characters by their numbers, and texts that a language joins, as one. */
function joinedText(text: string): string {
  return text
    .replace(/\\\r?\n/g, '')
    .replace(ESCAPE, (_, hex, octal) => String.fromCharCode(Number.parseInt(hex ?? octal, hex ? 16 : 8) & 0xff))
    .replace(CHARACTER, (_, code) => `"${String.fromCharCode(Number(code) & 0xff)}"`)
    .replace(JOINED, (found, one, other) => (one === other ? '' : found))
    .replace(PRINTF, printed);
}

function printed(_: string, __: string, format: string, words: string): string {
  const left = words.trim().split(/[ \t]+/);
  return format.replace(/%s/g, () => unquoted(left.shift() ?? ''));
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2');
}

function character(_: string, hexadecimal?: string, decimal?: string, name?: string): string {
  if (name !== undefined) return ENTITIES.get(name) as string;
  const digits = hexadecimal ?? decimal;
  if (digits === undefined) return '';
  const code = Number.parseInt(digits, hexadecimal ? 16 : 10);
  return code > 0 && code < 256 ? String.fromCharCode(code) : '?';
}

/** Returns texts that were encoded; what decodes to anything but text is data. */
function decoded(text: string): string[] {
  const pieces: string[] = [];
  for (const [pattern, encoding] of [
    [BASE64, 'base64'],
    [HEXADECIMAL, 'hex'],
  ] as const) {
    for (const [found] of text.matchAll(pattern)) {
      const piece = Buffer.from(found, encoding).toString('latin1');
      if (/^[\t\n\r\x20-\x7e]+$/.test(piece) && /[:,]/.test(piece)) pieces.push(piece);
      if (pieces.length >= MOST_PIECES) break;
    }
  }
  return pieces.length === 0 ? [] : [pieces.join('\n')];
}
