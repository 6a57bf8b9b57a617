import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Change } from './change.ts';

/** Files in a copy of the tree: the module that switches ask, which of them is on, and which of them programs came by. */
export const SWITCH_MODULE = '.switch.mjs';
export const [SWITCH_ON, SWITCHES_SEEN] = ['.switch-on', '.switches-seen'] as const;

/** Puts what switches ask into a tree; a program that a test starts as another user says there what it came by. */
export function placeSwitches(tree: string): void {
  writeFileSync(join(tree, SWITCH_MODULE), switchModule(tree));
  writeFileSync(join(tree, SWITCHES_SEEN), '');
  chmodSync(join(tree, SWITCHES_SEEN), 0o666);
}

/** Returns the module that switches ask: in the process of the tests its own memory answers, in programs that tests start a file. */
function switchModule(tree: string): string {
  const [on, seen] = [SWITCH_ON, SWITCHES_SEEN].map((name) => JSON.stringify(join(tree, name as string)));
  return `import { appendFileSync, readFileSync } from 'node:fs';
const own = () => {
  const word = readFileSync(${on}, 'utf8');
  const told = new Set();
  const add = (one) => told.has(one) || (told.add(one), appendFileSync(${seen}, one + '\\n'));
  return { on: Number(word), record: word === 'record', seen: { add } };
};
const switches = globalThis.__switches ?? own();
let loading = 0;
export function load(more) {
  loading += more;
}
export function on(number) {
  if (switches.record) (loading > 0 && switches.atLoad ? switches.atLoad : switches.seen).add(number);
  return switches.on === number;
}
`;
}

/** A source with all its faults inside, each behind a switch. */
export interface Switched {
  readonly text: string;
  /** Faults that no switch can hold; their file is changed for each of them instead. */
  readonly left: readonly Numbered[];
}

/** A fault with the number of its switch. */
export interface Numbered {
  readonly number: number;
  readonly change: Change;
}

interface Place {
  readonly start: number;
  readonly end: number;
  readonly faults: Numbered[];
  readonly inside: Place[];
}

/**
 * Returns a TypeScript source in which each fault stands beside what it changes: `(__on(7) ? (a <= b) : (a < b))`. So the tests of a
 * room load it once, and say for each switch whether they come by.
 *
 * @param program path of the module whose `on` answers for a switch; a path, as bundlers put it in
 */
export function withSwitches(source: string, faults: readonly Numbered[], program: string): Switched {
  const left = faults.filter(({ change }) => isBoundToItsChain(source, change));
  const places: Place[] = [];
  for (const fault of faults.filter((one) => !left.includes(one))) {
    const { start, end } = fault.change;
    const same = places.find((place) => place.start === start && place.end === end);
    if (same) same.faults.push(fault);
    else places.push({ start, end, faults: [fault], inside: [] });
  }
  const outermost: Place[] = [];
  const open: Place[] = [];
  for (const place of places.sort((a, b) => a.start - b.start || b.end - a.end)) {
    while (open.length > 0 && (open.at(-1) as Place).end <= place.start) open.pop();
    (open.at(-1)?.inside ?? outermost).push(place);
    open.push(place);
  }
  // On the line of the source's first, so that lines keep their numbers. What is asked until the last line is asked while it loads,
  // though a test may be what loads it: once in a process, and never again.
  const head = `import { on as __on, load as __load } from ${JSON.stringify(program)};__load(1);`;
  return { text: `${head}${written(source, 0, source.length, outermost)}\n__load(-1);\n`, left };
}

/** `a?.b.filter(c).length` is undefined as a whole where `a` is; in brackets it is not. */
function isBoundToItsChain(source: string, { start, end, to }: Change): boolean {
  const piece = source.slice(start, end);
  return to !== ';' && piece.includes('?.') && /^\s*[.[(]/.test(source.slice(end));
}

function written(source: string, start: number, end: number, places: readonly Place[]): string {
  let [text, at] = ['', start];
  for (const place of places) {
    const inside = written(source, place.start, place.end, place.inside);
    const before = source.slice(at, place.start);
    // Behind three dots stands no member, but what they spread.
    const isMember = before.endsWith('.') && !before.endsWith('..');
    // `a.some` becomes `a[...]`, `a?.some` stays `a?.[...]`.
    text += isMember && !before.endsWith('?.') ? before.slice(0, -1) : before;
    text += switched(source, place, inside, isMember);
    at = place.end;
  }
  return text + source.slice(at, end);
}

function switched(source: string, { start, end, faults }: Place, inside: string, isMember: boolean): string {
  if (isMember) {
    const names = faults.map(({ number, change }) => `__on(${number}) ? '${change.to}' : `);
    return `[${names.join('')}'${inside}']`;
  }
  const dropped = faults.find(({ change }) => change.to === ';');
  // In braces, so that a following `else` stays where it belongs.
  if (dropped) return `{ if (!__on(${dropped.number})) ${inside} }`;
  const choice = `(${faults.map(({ number, change }) => `__on(${number}) ? (${change.to}) : `).join('')}(${inside}))`;
  const isKey = /[{,]\s*$/.test(source.slice(0, start)) && /^\s*:/.test(source.slice(end));
  return isKey ? `[${choice}]` : choice;
}
