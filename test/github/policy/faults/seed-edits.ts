import { type Document, isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';

/** A step's or key's place in a workflow: `jobs.sign.steps.2.env`. */
type Place = string;

/** One edit of one of our files that must not pass, and the words that the refusal must hold. */
export interface Seed {
  readonly name: string;
  readonly file: string;
  /** Returns the file with the fault in it. */
  readonly edit: (source: string) => string;
  readonly broken: RegExp;
}

const keys = (place: Place) => place.split('.').map((word) => (/^\d+$/.test(word) ? Number(word) : word));

/** Each file is edited some hundred times, and reading it takes longer than a copy of what was read. */
const parsed = new Map<string, Document.Parsed>();

/** Returns an edit of what a file says; its comments stay, so that nothing else than the fault is refused. */
const edited =
  (change: (document: Document.Parsed) => void) =>
  (source: string): string => {
    const document = (parsed.get(source) ?? parseDocument(source)) as Document.Parsed;
    parsed.set(source, document.clone() as Document.Parsed);
    change(document);
    return document.toString({ lineWidth: 0, flowCollectionPadding: true, nullStr: '' });
  };

/** A file through the same reader and writer, without a fault: must pass. */
export const untouched = edited(() => undefined);

/** Sets a value, whether it was there or not. */
export const set = (place: Place, value: unknown) =>
  edited((document) => document.setIn(keys(place), document.createNode(value)));

/** Removes what must be there. */
export const remove = (place: Place) =>
  edited((document) => {
    if (!document.deleteIn(keys(place))) throw new Error(`nothing at ${place}`);
  });

/** Puts a value into a list, at its front, or at its end. */
export const insert = (place: Place, value: unknown, at: 'front' | 'end' = 'front') =>
  edited((document) => {
    const list = document.getIn(keys(place)) as YAMLSeq;
    if (!isSeq(list)) throw new Error(`no list at ${place}`);
    list.items.splice(at === 'front' ? 0 : list.items.length, 0, document.createNode(value));
  });

/** Adds a whole mapping entry, such as a job. */
export const add = (place: Place, key: string, value: unknown) =>
  edited((document) => {
    const map = document.getIn(keys(place)) as YAMLMap;
    if (!isMap(map)) throw new Error(`no mapping at ${place}`);
    map.set(document.createNode(key), document.createNode(value));
  });

/** Swaps two entries of a list. */
export const swap = (place: Place, first: number, second: number) =>
  edited((document) => {
    const { items } = document.getIn(keys(place)) as YAMLSeq;
    [items[first], items[second]] = [items[second], items[first]];
  });

/** Replaces text. */
export const text =
  (from: string | RegExp, to: string) =>
  (source: string): string =>
    source.replace(from, () => to);
