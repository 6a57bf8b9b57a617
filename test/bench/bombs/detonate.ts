import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Cost, measureVerify } from '../measure-verify.ts';
import type { Bomb } from './kit.ts';

/** Everything a policy may ask, so that everything is looked for. */
const POLICY = {
  schema: 1,
  team: 'ABCDE12345',
  minimumMacOS: '11.0',
  allowedPaths: ['/Library'],
  allowedMechanisms: ['Example:Invoke,privileged'],
  forbid: ['javaScript'],
};

/** Makes a bomb in a folder, has it verified, and returns what that cost and which limit was named. */
export async function detonate(bomb: Bomb, folder: string): Promise<Cost & { size: number; named: string }> {
  const path = join(folder, 'bomb.pkg');
  const policy = join(folder, 'policy.json');
  const data = await bomb.make();
  writeFileSync(path, data);
  writeFileSync(policy, JSON.stringify(POLICY));
  const cost = measureVerify(path, ...(bomb.policy ? ['--policy', policy] : []));
  const said = `${cost.stdout}${cost.stderr}`;
  const named = bomb.limit?.exec(said)?.[0] ?? (bomb.limit ? 'LIMIT NOT NAMED' : 'none needed');
  return { ...cost, size: data.length, named };
}
