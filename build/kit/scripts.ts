import { type ReadTemplate, scriptRenderer } from '../scripts/render-script.ts';
import type { KitFacts } from './facts.ts';

/** Scripts that systems run on Macs, and two that an admin runs, from the templates in scripts/kit/. */
export const KIT_SCRIPTS = [
  'state',
  'state-jamf',
  'need-munki',
  'need-audit',
  'request',
  'request-unrecorded',
  'audit-request',
  'remove',
  'remove-needed',
  'escrow-certificate',
  'escrow-decrypt',
] as const;

/** Every script by its name, ready to run. */
export type KitScripts = Readonly<Record<(typeof KIT_SCRIPTS)[number], string>>;

/** Returns the scripts of the kit, filled with the values of the package they belong to. */
export function renderKitScripts({ values }: Pick<KitFacts, 'values'>, readTemplate: ReadTemplate): KitScripts {
  const render = scriptRenderer(values, readTemplate);
  return Object.fromEntries(KIT_SCRIPTS.map((name) => [name, render(`kit/${name}.sh`)])) as KitScripts;
}
