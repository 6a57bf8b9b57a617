/** What an option takes: nothing, the next argument, or perhaps a value behind `=`. */
export type Arity = 'none' | 'value' | 'optional';

export interface Options {
  /** Values by the option's first name; an option without value has ''. */
  readonly given: ReadonlyMap<string, readonly string[]>;
  /** Arguments that are not options. */
  readonly rest: readonly string[];
  has(name: string): boolean;
  /** The last value. */
  value(name: string): string | undefined;
}

/** Thrown for an option that the manual page does not have, or that lacks its value. */
export class UnknownOption extends Error {}

/**
 * Returns the options in `argv`.
 *
 * @param table names of each option, alternatives behind a blank (`--sign -s`), and what it takes
 * @example parseOptions(['-f', '--sign', 'X', 'a.bundle'], { '--force -f': 'none', '--sign -s': 'value' }).value('--sign') // 'X'
 */
export function parseOptions(argv: readonly string[], table: Readonly<Record<string, Arity>>): Options {
  const known = new Map(
    Object.entries(table).flatMap(([names, arity]) =>
      names.split(' ').map((name) => [name, { first: names.split(' ')[0] as string, arity }] as const),
    ),
  );
  const given = new Map<string, string[]>();
  const rest: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const argument = argv[at] as string;
    if (!argument.startsWith('-') || argument === '-') {
      rest.push(argument);
      continue;
    }
    const equals = argument.startsWith('--') ? argument.indexOf('=') : -1;
    const name = equals < 0 ? argument : argument.slice(0, equals);
    const option = known.get(name);
    if (!option || (equals >= 0 && option.arity === 'none')) throw new UnknownOption(argument);
    let value = equals < 0 ? '' : argument.slice(equals + 1);
    if (option.arity === 'value' && equals < 0) {
      at++;
      if (at >= argv.length) throw new UnknownOption(argument);
      value = argv[at] as string;
    }
    given.set(option.first, [...(given.get(option.first) ?? []), value]);
  }
  return { given, rest, has: (name) => given.has(name), value: (name) => given.get(name)?.at(-1) };
}
