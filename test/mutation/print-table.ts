// npm run mutations: changes a finished package in every way of the table and prints which check noticed each change.
import { judgeMutation, type Outcome } from './judge.ts';
import { mutationTable } from './table.ts';

const [root = '.', path = ''] = process.argv.slice(2);
const { sample, ours, mutations } = await mutationTable(root, path);
const since = performance.now();
const outcomes: Outcome[] = [];
for (const mutation of mutations) {
  const outcome = await judgeMutation(mutation, sample, ours);
  outcomes.push(outcome);
  const { region, what, expected } = mutation;
  const mark = outcome.crash ? 'CRASH' : outcome.failed.length === 0 ? 'UNSEEN' : outcome.named ? 'seen' : 'OTHER';
  const words = outcome.crash ?? outcome.failed.join(', ');
  const wanted = outcome.named ? '' : ` (expected ${expected.join(' or ')})`;
  process.stdout.write(`${mark.padEnd(7)}${region.padEnd(24)} ${what}: ${words}${wanted}\n`);
}
const count = (test: (outcome: Outcome) => boolean) => outcomes.filter(test).length;
const wrong = count(({ named }) => !named);
process.stdout.write(
  `\n${outcomes.length} changes, ${count(({ failed }) => failed.length === 0)} undetected, ` +
    `${count(({ crash }) => crash !== undefined)} crashes, ${wrong} not named right; ` +
    `${((performance.now() - since) / 1000).toFixed(1)} s\n`,
);
process.exit(wrong === 0 ? 0 : 1);
