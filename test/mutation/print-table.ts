// npm run mutations: changes a finished package in every way of the table, makes every attack of test/attacks, and prints which check
// noticed each.
import { type AttackOutcome, attackKit, checkAttack } from '../attacks/attack.ts';
import { attackTable } from '../attacks/table.ts';
import { checkMutation, type Outcome } from './outcome.ts';
import type { Sample } from './sample.ts';
import { mutationTable } from './table.ts';

const [root = '.', path = ''] = process.argv.slice(2);
const { sample, ours, mutations } = await mutationTable(root, path);
const since = performance.now();
const outcomes: Outcome[] = [];
for (const mutation of mutations) {
  const outcome = await checkMutation(mutation, sample, ours);
  outcomes.push(outcome);
  const { region, what, expected } = mutation;
  const mark = outcome.crash ? 'CRASH' : outcome.failed.length === 0 ? 'UNSEEN' : outcome.named ? 'seen' : 'OTHER';
  const words = outcome.crash ?? outcome.failed.join(', ');
  const wanted = outcome.named ? '' : ` (expected ${expected.join(' or ')})`;
  process.stdout.write(`${mark.padEnd(7)}${region.padEnd(24)} ${what}: ${words}${wanted}\n`);
}
const attacks = await printAttacks(root, sample);
const count = (test: (outcome: Outcome) => boolean) => outcomes.filter(test).length;
const wrong = count(({ named }) => !named);
process.stdout.write(
  `\n${outcomes.length} changes, ${count(({ failed }) => failed.length === 0)} undetected, ` +
    `${count(({ crash }) => crash !== undefined)} crashes, ${wrong} not named right; ` +
    `${((performance.now() - since) / 1000).toFixed(1)} s\n`,
);
process.exit(wrong + attacks === 0 ? 0 : 1);

/** Makes every attack of test/attacks, which the right key signed or which need none, and returns how many nobody named. */
async function printAttacks(folder: string, finished: Sample): Promise<number> {
  const kit = await attackKit(folder, finished);
  const table = attackTable();
  const checked: AttackOutcome[] = [];
  for (const attack of table) {
    const { failed, named } = await checkAttack(attack, kit);
    checked.push({ attack, failed, named });
    const mark = failed.length === 0 ? 'UNSEEN' : named ? 'seen' : 'OTHER';
    process.stdout.write(
      `${mark.padEnd(7)}${`attack on ${attack.on}`.padEnd(24)} ${attack.name}: ${failed[0] ?? ''}\n`,
    );
  }
  const undetected = checked.filter(({ failed }) => failed.length === 0).length;
  const unnamed = checked.filter(({ named }) => !named).length;
  process.stdout.write(`\n${table.length} attacks, ${undetected} undetected, ${unnamed} not named right\n`);
  return unnamed;
}
