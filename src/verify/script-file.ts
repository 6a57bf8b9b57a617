/** A script as an archive has it. */
export interface ScriptContent {
  readonly mode: number;
  readonly content: Buffer;
}

/** What a Mac offers to run a script that a package brings. */
export interface ScriptSurroundings {
  /** Whether the payload, or the Scripts archive itself, brings the interpreter of that absolute path in time. */
  readonly brings: (interpreter: string) => boolean;
}

/**
 * Interpreters of every macOS from 10.14 on, as absolute paths. `/bin/dash` came with 10.15 and is left out.
 *
 * @see the listing of /bin and /usr/bin of macOS 26; for what went: php with 12.0, python with 12.3 (release notes of Apple)
 */
const INTERPRETERS: ReadonlySet<string> = new Set([
  ...['bash', 'csh', 'ksh', 'sh', 'tcsh', 'zsh'].map((name) => `/bin/${name}`),
  ...['awk', 'env', 'expect', 'osascript', 'perl', 'ruby', 'sed', 'tclsh', 'wish'].map((name) => `/usr/bin/${name}`),
]);
/** Those that are shells: they take a carriage return at the end of a line for part of the last word. */
const SHELLS = /^(\/bin\/(ba|c|k|tc|z|da)?sh|sh|bash|zsh|ksh|csh|tcsh|dash)$/;
/** Why a script cannot run; one that could until an interpreter went says when it did. */
export type ScriptProblem = string | { readonly text: string; readonly since: Date };

/** Interpreters that people expect and a Mac does not have, and since when, if it ever had them. */
const GONE: readonly (readonly [pattern: RegExp, why: string, since?: string])[] = [
  [/^(\/usr\/bin\/)?python(2(\.\d)?)?$/, 'macOS has no python since 12.3', '2022-03-14'],
  [/^(\/usr\/bin\/)?python3(\.\d+)?$/, 'python3 comes with the developer tools, which most Macs do not have'],
  [/^(\/usr\/bin\/)?php$/, 'macOS has no php since 12.0', '2021-10-25'],
  [/^(\/usr\/bin\/)?(swift|node|pwsh|lua)$/, 'no Mac has it until somebody installs it'],
  [/^\/usr\/bin\/(ba|z|k|c|tc)?sh$/, 'the shells of macOS lie in /bin'],
];
/** Bytes of the first line that the kernel looks at. Source: xnu bsd/sys/imgact.h, IMG_SHSIZE. */
const FIRST_LINE = 512;
const CODE_MAGICS = ['cffaedfe', 'cefaedfe', 'feedfacf', 'feedface', 'cafebabe', 'cafebabf'];

/**
 * Returns why a Mac cannot run a script, or undefined when it can.
 *
 * The kernel starts what the first line names; nobody falls back to a shell: Installer ends with "An error occurred while running
 * scripts from the package" (packagesdev/packages#37, unixorn/luggage#20).
 *
 * @see xnu bsd/kern/kern_exec.c, `exec_shell_imgact`
 * @example scriptProblem({ mode: 0o755, content: Buffer.from('exit 0\n') }, { brings: () => false }) // 'has no #! line'
 */
export function scriptProblem(
  { mode, content }: ScriptContent,
  surroundings: ScriptSurroundings,
): ScriptProblem | undefined {
  if ((mode & 0o111) === 0) return 'is not executable';
  if ((mode & 0o444) === 0) return 'may be read by nobody';
  if (content.length === 0) return 'is empty';
  // A program is checked by its signature.
  if (CODE_MAGICS.includes(content.toString('hex', 0, 4))) return undefined;
  return markProblem(content) ?? lineProblem(content, surroundings);
}

function markProblem(content: Buffer): string | undefined {
  const begins = (start: string) => content.toString('latin1', 0, start.length) === start;
  if (begins('\xef\xbb\xbf')) return 'begins with a byte order mark, so that its #! is not seen';
  if (begins('\xff\xfe') || begins('\xfe\xff')) return 'is UTF-16 text, which nothing runs';
  if (!begins('#!')) return 'has no #! line';
  return undefined;
}

function lineProblem(content: Buffer, { brings }: ScriptSurroundings): ScriptProblem | undefined {
  const end = content.indexOf('\n');
  if (end === -1 || end >= FIRST_LINE) return `has a first line that does not end within ${FIRST_LINE} bytes`;
  const line = content.toString('latin1', 2, end);
  if (line.includes('\r')) return 'ends its first line with CR LF, so that the interpreter is not found';
  if (line.includes('\0')) return 'has a NUL in its first line';
  // The kernel takes a # for the end of the line as well, and nothing but blanks and tabs for a gap: all else is part of the name.
  const words =
    line
      .split('#')[0]
      ?.split(/[ \t]+/)
      .filter(Boolean) ?? [];
  const [interpreter = ''] = words;
  if (interpreter === '') return 'names no interpreter behind #!';
  if (!interpreter.startsWith('/')) return `names the interpreter ${interpreter}, which is not an absolute path`;
  const problem = interpreterProblem(interpreter, words.slice(1), brings);
  if (problem !== undefined) return problem;
  const shell = interpreter === '/usr/bin/env' ? (namedByEnv(words.slice(1)) as string) : interpreter;
  return SHELLS.test(shell) && hasForeignLines(content)
    ? 'has lines that end with CR LF, which a shell takes for part of them'
    : undefined;
}

function interpreterProblem(
  interpreter: string,
  words: readonly string[],
  brings: ScriptSurroundings['brings'],
): ScriptProblem | undefined {
  if (interpreter.split('/').includes('..')) return `names the interpreter ${interpreter}, whose path leads upwards`;
  if (interpreter === '/usr/bin/env') return envProblem(words, brings);
  if (INTERPRETERS.has(interpreter) || brings(interpreter)) return undefined;
  return missing(`names the interpreter ${interpreter}`, interpreter);
}

/** Installer gives scripts this PATH. Source: logs of PackageKit ("PATH=/bin:/sbin:/usr/bin:/usr/sbin:/usr/libexec"). */
const PATH = ['/bin', '/usr/bin', '/usr/sbin', '/sbin', '/usr/libexec'];

function envProblem(words: readonly string[], brings: ScriptSurroundings['brings']): ScriptProblem | undefined {
  const name = namedByEnv(words);
  if (name === undefined) return 'names no interpreter behind /usr/bin/env';
  if (name.startsWith('/')) return interpreterProblem(name, [], brings);
  if (PATH.some((folder) => INTERPRETERS.has(`${folder}/${name}`) || brings(`${folder}/${name}`))) return undefined;
  return missing(`asks /usr/bin/env for ${name}`, name);
}

/** Options of env and settings of variables come before the name. */
function namedByEnv(words: readonly string[]): string | undefined {
  return words.find((word) => !word.startsWith('-') && !word.includes('='));
}

function missing(what: string, interpreter: string): ScriptProblem {
  const [, why = 'macOS has none there, and the package brings none', since] =
    GONE.find(([pattern]) => pattern.test(interpreter)) ?? [];
  const text = `${what}: ${why}`;
  return since === undefined ? text : { text, since: new Date(since) };
}

/** Some lines may end so on purpose, in a text that the script writes; half of them are an editor of another system. */
function hasForeignLines(content: Buffer): boolean {
  const lines = content.toString('latin1').split('\n');
  const foreign = lines.filter((line) => line.endsWith('\r')).length;
  return foreign * 2 >= lines.length - 1;
}
