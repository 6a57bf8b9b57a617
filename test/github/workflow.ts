import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** A step of a workflow file, as far as ours use the language. */
export interface Step {
  readonly name?: string;
  readonly id?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** What a job runs with, each value with each other; or under `include` the combinations themselves. We never write both. */
export type Matrix = Readonly<Record<string, readonly unknown[]>>;

/** A job of a workflow file. */
export interface Job {
  readonly name?: string;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly secrets?: unknown;
  readonly 'runs-on'?: string;
  readonly environment?: string | { readonly name: string };
  readonly permissions?: unknown;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: { readonly matrix: Matrix };
  readonly env?: Readonly<Record<string, string>>;
  readonly container?: unknown;
  readonly services?: unknown;
  readonly 'continue-on-error'?: unknown;
  readonly steps?: readonly Step[];
}

/** A workflow file. */
export interface Workflow {
  readonly name?: string;
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly concurrency?: unknown;
  readonly env?: unknown;
  readonly defaults?: { readonly run?: { readonly shell?: string } };
  readonly jobs: Readonly<Record<string, Job>>;
}

/** Returns the workflow in YAML text; `on` is read as a word, as GitHub does, not as YAML 1.1's `true`. */
export function parseWorkflow(source: string): Workflow {
  return parse(source) as Workflow;
}

/** Returns the text of every workflow of a project by its file name. */
export function readWorkflows(root: string): Map<string, string> {
  const folder = join(root, '.github/workflows');
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

/** Returns the names of the events that start a workflow. */
export function triggersOf({ on }: Workflow): string[] {
  if (typeof on === 'string') return [on];
  return Array.isArray(on) ? (on as string[]) : Object.keys(on as object);
}

/** Returns the jobs that must end before a job, in the file's order. */
export function needsOf({ needs }: Job): readonly string[] {
  return typeof needs === 'string' ? [needs] : (needs ?? []);
}

/** Returns the combinations of a job's matrix, in order; one empty one without a matrix. */
export function combinationsOf({ strategy }: Job): Readonly<Record<string, unknown>>[] {
  const { include, ...axes } = strategy?.matrix ?? {};
  if (include && Object.keys(axes).length === 0) return include as Record<string, unknown>[];
  if (include) throw new Error('a matrix of ours has either axes or `include`');
  return Object.entries(axes).reduce<Record<string, unknown>[]>(
    (found, [key, values]) => found.flatMap((one) => values.map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

/** Returns the environment a job names. */
export function environmentOf({ environment }: Job): string | undefined {
  return typeof environment === 'object' ? environment.name : environment;
}

/** Returns every secret that a part of a workflow names, in any way to write it; `*` for all at once. */
export function secretsIn(part: unknown): Set<string> {
  const text = JSON.stringify(part) ?? '';
  const found = new Set<string>();
  for (const [, expression] of text.matchAll(/\$\{\{(.*?)\}\}/g)) {
    for (const match of (expression as string).matchAll(
      /\bsecrets\b(?:\s*\.\s*(\w+)|\s*\[\s*(?:\\?['"])(\w+)(?:\\?['"])\s*\])?/gi,
    )) {
      found.add(match[1] ?? match[2] ?? '*');
    }
  }
  return found;
}
