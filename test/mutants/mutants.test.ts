import { readdirSync, readFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { parseAst } from 'rolldown/parseAst';
import { describe, expect, it } from 'vitest';
import { applied, type Change, told } from './change.ts';
import { changesInC, changesInShell } from './in-text.ts';
import { changesInTypeScript } from './in-typescript.ts';
import { ROOMS } from './rooms.ts';
import { withSwitches } from './switches.ts';
import { isScript } from './try-room.ts';

const short = (changes: readonly Change[]) => changes.map(({ kind, from, to }) => `${kind}: ${from} -> ${to}`);

describe('small faults in TypeScript', () => {
  const source = `export function size(list: readonly number[], limit: 4 | 5): number {
  if (list.length < limit && !list.includes(7)) throw new RangeError('1 is too few');
  check(list);
  const found = list.filter((one) => one >= 0x10);
  return found.some(Boolean) ? found.length - 1 : 0;
}
`;
  const changes = changesInTypeScript('a.ts', source);

  it('are these, in the order of the text', () => {
    expect(short(changes)).toEqual([
      'always: list.length < limit && !list.includes(7) -> true',
      'never: list.length < limit && !list.includes(7) -> false',
      'flip: list.length < limit && !list.includes(7) -> ((list.length < limit) || (!list.includes(7)))',
      'edge: list.length < limit -> ((list.length) <= (limit))',
      'flip: !list.includes(7) -> list.includes(7)',
      'off by one: 7 -> 8',
      "drop: throw new RangeError('1 is too few'); -> ;",
      'drop: check(list); -> ;',
      'drop: list.filter((one) => one >= 0x10) -> list',
      'edge: one >= 0x10 -> ((one) > (0x10))',
      'off by one: 0x10 -> 17',
      'swap: found.some(Boolean) ? found.length - 1 : 0 -> ((found.some(Boolean)) ? (0) : (found.length - 1))',
      'swap: some -> every',
      'swap: found.length - 1 -> ((found.length) + (1))',
      'off by one: 1 -> 2',
      'off by one: 0 -> 1',
    ]);
  });

  it('are none where the sign of a number alone counts', () => {
    const order = 'export const sorted = (list: string[]) => list.sort((a, b) => (a < b ? -1 : 1));\n';
    expect(short(changesInTypeScript('a.ts', order))).toEqual([
      'swap: a < b ? -1 : 1 -> ((a < b) ? (1) : (-1))',
      'edge: a < b -> ((a) <= (b))',
    ]);
  });

  it('leave a source that can be read', () => {
    for (const change of changes)
      expect(() => parseAst(applied(source, change), { lang: 'ts' }), told(change)).not.toThrow();
  });
});

describe('small faults in C and shell', () => {
  it('leave comments, text and directives of C alone', () => {
    const source = `#define LIMIT 3
/* a == b */
static int f(int n) {
    if (n > 10 && strcmp(name, "1 == 1") != 0) {
        wipe(name);
        count = n - 1;
    }
    return 0;
}
`;
    const arrays = 'static int f(int ends[2]) {\n  int a[3] = {x, y}, b[4] = {z};\n  return a[1];\n}\n';
    expect(short(changesInC('a.c', arrays))).toEqual(['off by one: 1 -> 2']);
    expect(short(changesInC('a.c', source))).toEqual([
      'never: if (n > 10 && strcmp(name, "1 == 1") != 0) -> if (0 && (n > 10 && strcmp(name, "1 == 1") != 0))',
      'edge: > -> >=',
      'off by one: 10 -> 11',
      'flip: && -> ||',
      'flip: != -> ==',
      'off by one: 0 -> 1',
      'drop:         wipe(name); -> ;',
      'drop:         count = n - 1; -> ;',
      'swap: - -> +',
      'off by one: 1 -> 2',
      'off by one: 0 -> 1',
    ]);
  });

  it('take a line out of a shell function, and turn its tests round', () => {
    const source = `hold() {
  # rm -f "$lock" || return 3
  [ -n "$lock" ] || return 1
  if [ "$age" -gt 10 ]; then
    rm -f "$lock"
  fi
  holder=$$
}
`;
    expect(short(changesInShell('a.sh', source))).toEqual([
      'swap:  -n ->  -z',
      'flip:  ||  ->  && ',
      'flip: 1 -> 0',
      'swap:  -gt ->  -ge',
      'off by one: 10 -> 11',
      'drop:     rm -f "$lock" -> :',
      'drop:   holder=$$ -> :',
    ]);
  });
});

describe('switches', () => {
  const source = `export function pick(list: readonly (number | undefined)[], limit?: { at: number }): number | string {
  const table: Record<number, string> = { 1: 'one', 2: 'two' };
  if ([...list.filter(Boolean), 0].length > 3) return 'many';
  if (list.length < 3) list.at(0);
  else return table[2] ?? 'none';
  const far = limit?.at === 4 ? list.find((one) => one !== 5) : list.filter(Boolean).some((one) => one === 6);
  return Number(far) - 1;
}
`;
  const faults = changesInTypeScript('a.ts', source).map((change, index) => ({ number: index + 1, change }));

  /** What the source says with one switch on, or with one fault put into it. */
  const run = (text: string, on = 0) => {
    const { code } = transformSync(text.replace(/^import.*?;/, ''), { loader: 'ts', format: 'cjs' });
    const module = { exports: {} as { pick?: (...parameters: unknown[]) => unknown } };
    const load = () => undefined;
    new Function('module', '__on', '__load', code)(module, (number: number) => number === on, load);
    const results = [
      [[]],
      [[1, 2]],
      [[5, 5, 1]],
      [[undefined, 6, 1], { at: 4 }],
      [[5, 6, 7], { at: 4 }],
      [[6, 7], { at: 5 }],
    ].map((parameters) => {
      try {
        return module.exports.pick?.(...parameters);
      } catch (error) {
        return String(error);
      }
    });
    return JSON.stringify(results);
  };

  it('say with none on what the source says, and with one on what its fault says', () => {
    const { text, left } = withSwitches(source, faults, '/switch.mjs');
    expect(left).toEqual([]);
    expect(run(text)).toBe(run(source));
    for (const { number, change } of faults) expect(run(text, number), told(change)).toBe(run(applied(source, change)));
  });

  it('take a value that is spread for a value', () => {
    const spread = 'export const size = (a: number[]) => [...a.filter(Boolean), ...a.map((one) => one)].length;';
    const all = changesInTypeScript('a.ts', spread).map((change, index) => ({ number: index + 1, change }));
    const { text } = withSwitches(spread, all, '/switch.mjs');
    expect(text).toContain('...(__on(1) ? (a) : (a.filter(Boolean)))');
  });

  it('are told apart by whether a module comes by them while it loads', () => {
    const constant = 'const LIMIT = 3;\nexport const pick = (list: readonly number[]) => list.length < LIMIT;';
    const held = changesInTypeScript('a.ts', constant).map((change, index) => ({ number: index + 1, change }));
    const { code } = transformSync(withSwitches(constant, held, '/switch.mjs').text.replace(/^import.*?;/, ''), { loader: 'ts', format: 'cjs' }); // biome-ignore format: a line
    const module = { exports: {} as { pick?: (list: readonly number[]) => boolean } };
    const [asked, loads]: [[number, boolean][], { now: number }] = [[], { now: 0 }];
    new Function('module', '__on', '__load', code)(
      module,
      (number: number) => void asked.push([number, loads.now > 0]),
      (more: number) => {
        loads.now += more;
      },
    );
    module.exports.pick?.([]);
    expect(held.map(({ change }) => change.kind)).toEqual(['off by one', 'edge']);
    expect(asked).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it('leave out what a chain holds together', () => {
    const chain = 'export const size = (a?: number[]) => a?.filter(Boolean).length;';
    const bound = changesInTypeScript('a.ts', chain).map((change, index) => ({ number: index + 1, change }));
    expect(withSwitches(chain, bound, '/switch.mjs').left).toEqual(bound);
  });
});

describe('test/mutants/equivalent.json', () => {
  const listed: (Omit<Change, 'line' | 'start' | 'end'> & { line?: string; reason: string })[] = JSON.parse(
    readFileSync('test/mutants/equivalent.json', 'utf8'),
  );
  const changesOf = (file: string): Change[] => {
    const source = readFileSync(file, 'utf8');
    if (isScript(file)) return changesInTypeScript(file, source);
    return file.endsWith('.c') ? changesInC(file, source) : changesInShell(file, source);
  };

  it('names faults that can be put into the source as it is, each with its reason', () => {
    const stale = listed.filter(
      ({ file, kind, from, to, line = '', reason }) =>
        reason.length < 20 ||
        !changesOf(file).some(
          (change) =>
            change.kind === kind &&
            change.from === from &&
            change.to === to &&
            readFileSync(file, 'utf8').split('\n')[change.line - 1]?.includes(line),
        ),
    );
    expect(stale).toEqual([]);
    for (const { file } of listed)
      expect(
        ROOMS.some(({ folder }) => file.startsWith(`${folder}/`)),
        file,
      ).toBe(true);
  });
});

describe('a night', () => {
  it('asks every room once', () => {
    const nightly = readFileSync('.github/workflows/nightly.yml', 'utf8');
    const asked = [...nightly.matchAll(/npm run mutants -- (.*) --sample/g)].flatMap(([, rooms]) =>
      (rooms as string).split(' '),
    );
    expect(asked.sort()).toEqual(ROOMS.map(({ folder }) => folder).sort());
  });
});

describe('the rooms', () => {
  const FREE = ['build/figures', 'build/setup'];

  it('are all folders of the source, but for those of which rooms.ts says why not', () => {
    const folders = ['src', 'build'].flatMap((parent) =>
      readdirSync(parent, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${parent}/${name}`),
    );
    const rooms = ROOMS.map(({ folder }) => folder);
    expect(folders.filter((folder) => !rooms.includes(folder))).toEqual(FREE);
    for (const folder of FREE) expect(readFileSync('test/mutants/rooms.ts', 'utf8')).toContain(folder);
  });
});
