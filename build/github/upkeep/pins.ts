import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { parseDocument } from '../../../src/base/document.ts';

/** Schema of .github/pins.json: every action of others, the commit it is used at, and the tag that commit had when it was read. */
const PINS_SCHEMA = z.record(
  z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  z.strictObject({ tag: z.string().regex(/^v\d+(\.\d+){0,2}$/), commit: z.string().regex(/^[0-9a-f]{40}$/) }),
);
export type Pins = z.infer<typeof PINS_SCHEMA>;

/** Returns what .github/pins.json of a project says. */
export async function readPins(root: string): Promise<Pins> {
  const name = '.github/pins.json';
  return parseDocument(await readFile(join(root, name)), { name, schema: PINS_SCHEMA, code: 'PINS_INVALID' });
}

/** One use of an action. */
export interface ActionUse {
  /** Name of the workflow's file. */
  readonly file: string;
  readonly action: string;
  readonly reference: string;
  /** What the comment behind it calls the commit. */
  readonly comment: string | undefined;
}

/** Returns every use of an action of others in the workflows of a project. */
export async function actionUses(root: string): Promise<ActionUse[]> {
  const folder = join(root, '.github/workflows');
  const uses: ActionUse[] = [];
  for (const file of (await readdir(folder)).sort()) {
    uses.push(...actionUsesIn(file, await readFile(join(folder, file), 'utf8')));
  }
  return uses;
}

/** Returns every use of an action of others in the text of a workflow; a use without `@` has an empty reference. */
export function actionUsesIn(file: string, source: string): ActionUse[] {
  const uses = source.matchAll(
    /^\s*(?:-\s+)?["']?uses["']?:\s*["']?([^\s"'@]+)(?:@([^\s"']+))?["']?(?:\s+#\s*(\S+))?\s*$/gm,
  );
  return [...uses]
    .map((match) => ({ file, action: match[1] as string, reference: match[2] ?? '', comment: match[3] }))
    .filter(({ action }) => !action.startsWith('$/'));
}

/** Returns how the uses of actions differ from pins.json; empty when every use is its commit and says its tag. */
export function pinProblems(uses: readonly ActionUse[], pins: Pins): string[] {
  return uses.flatMap(({ file, action, reference, comment }) => {
    const pin = pins[action];
    if (!pin) return [`${file}: ${action} is not in pins.json`];
    if (reference !== pin.commit) return [`${file}: ${action} is at ${reference}, pins.json says ${pin.commit}`];
    if (comment !== pin.tag) return [`${file}: ${action} is called ${comment}, pins.json says ${pin.tag}`];
    return [];
  });
}
