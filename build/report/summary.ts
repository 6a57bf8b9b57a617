import { join, relative } from 'node:path';
import { shellWord } from '../../src/base/place/shown.ts';
import type { Manifest } from '../plan/manifest.ts';
import type { Plan } from '../plan/plan.ts';
import { formatSeconds } from './progress.ts';

const NAME_WIDTH = 10;
const REHEARSAL_NOTE = 'rehearsal: no Mac trusts it (docs/building.md)';

/**
 * Returns the last lines of a run: what was made, its identity, and what to do next.
 *
 * @param again the command that goes on after the stage at which it stopped, as asked
 */
export function renderSummary(manifest: Manifest, { outFolder }: Pick<Plan, 'outFolder'>, again: string): string {
  const file = manifest.files.find((candidate) => candidate.role === 'package');
  if (!file || !manifest.package) {
    const last = manifest.stages.at(-1)?.name ?? 'nothing';
    return `\nStopped after ${last}, as asked. To run all stages: npm start\n`;
  }
  const path = shortest(join(outFolder, file.path));
  const facts = [
    ['package', manifest.package.identifier],
    ['version', manifest.version],
    ['size', `${file.size} bytes`],
    ['sha256', file.sha256],
    ['signed by', manifest.package.signer ?? 'nobody: for development only'],
    ...(manifest.package.timestamp ? [['timestamp', manifest.package.timestamp]] : []),
    ...(manifest.mode === 'rehearsal' ? [['mode', REHEARSAL_NOTE]] : []),
    ['took', `${formatSeconds(secondsOf(manifest))} in ${manifest.stages.length} stages`],
  ];
  return [
    '',
    `Made ${path}`,
    ...facts.map(([name = '', value]) => `  ${name.padEnd(NAME_WIDTH)} ${value}`),
    '',
    'Next:',
    `  ${isUnfinished(manifest) ? again : `npm run -s cli -- ${nextCommand(manifest)} ${shellWord(path)}`}`,
    '',
  ].join('\n');
}

const secondsOf = ({ stages }: Manifest) => stages.reduce((sum, { seconds }) => sum + seconds, 0);

/** A signed package of which the notary, or the check of the finished file, has not said all yet. */
function isUnfinished({ package: made, stages }: Manifest): boolean {
  return Boolean(made?.signer) && !stages.some(({ name, outcome }) => name === 'publish' && outcome === 'done');
}

function nextCommand({ package: made, mode }: Manifest): string {
  if (!made?.signer) return 'inspect';
  return mode === 'rehearsal' ? 'verify --trust rehearsal' : 'verify';
}

/** Returns the path as the person would type it from where they are. */
function shortest(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
