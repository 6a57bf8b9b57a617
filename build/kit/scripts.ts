import { type ReadTemplate, scriptRenderer } from '../scripts/render-script.ts';
import type { KitFacts } from './facts.ts';

/** Scripts that systems run on Macs, and two that an admin runs, from the templates in scripts/kit/. */
export const KIT_SCRIPTS = [
  'install',
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

/** What the scripts of a kit say of its package. */
export interface ScriptedPackage {
  readonly values: KitFacts['values'];
  readonly file: Pick<KitFacts['file'], 'size' | 'sha256'>;
  readonly signing: Pick<NonNullable<KitFacts['signing']>, 'teamIdentifier'> | null;
}

/** Returns the scripts of the kit, filled with the values of the package they belong to and its address. */
export function renderKitScripts(
  { values, file, signing }: ScriptedPackage,
  url: string,
  readTemplate: ReadTemplate,
): KitScripts {
  const ofPackage = {
    PACKAGE_URL: url,
    PACKAGE_BYTES: String(file.size),
    PACKAGE_DIGEST: file.sha256,
    PACKAGE_TEAM: signing?.teamIdentifier ?? '',
  };
  const render = scriptRenderer({ ...values, ...ofPackage }, readTemplate);
  return Object.fromEntries(KIT_SCRIPTS.map((name) => [name, render(`kit/${name}.sh`)])) as KitScripts;
}
