// npm run bench [-- NAME ... --install]: each benchmark prints what it measured, beside what others need for the same.
import { benchLogin } from '../mac/login-host/bench.ts';
import { benchNotaryWait } from './notary-wait.ts';
import { benchPlugin } from './package-plugin.ts';
import { benchPackages } from './packages/bench.ts';
import { printBombs } from './print-bombs.ts';
import { benchSigning } from './signing.ts';

const BENCHMARKS: Readonly<Record<string, () => Promise<void>>> = {
  plugin: benchPlugin,
  packages: benchPackages,
  signing: benchSigning,
  login: benchLogin,
  notary: benchNotaryWait,
  bombs: printBombs,
};

const names = process.argv.slice(2).filter((name) => name !== '--install');
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  process.stderr.write(`no such benchmark: ${unknown.join(', ')}; there are ${Object.keys(BENCHMARKS).join(', ')}\n`);
  process.exit(2);
}
for (const name of names.length > 0 ? names : Object.keys(BENCHMARKS)) {
  process.stdout.write(`\n## ${name}\n`);
  await (BENCHMARKS[name] as () => Promise<void>)();
}
