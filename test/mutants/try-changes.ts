// Runs the tests against one fault after another, in a copy of the tree; started by tree.ts, ended by it when a fault hangs.
//
// Reads one job as JSON from standard input; prints one line of JSON a fault: {"at": 3, "seconds": 1.2, "by": "name of a test"}.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestModule } from 'vitest/node';
import { createVitest } from 'vitest/node';
import { applied, type Change } from './change.ts';

/** What is asked of one run of this program. */
export interface Job {
  /** Copy of the tree, where files may be changed; the working folder. */
  readonly root: string;
  readonly releaseFolder: string;
  /** Files of tests, by the changed file they are for; in the order in which they run. */
  readonly tests: Readonly<Record<string, readonly string[]>>;
  readonly changes: readonly Change[];
  /** Index of the first fault to try; -1 begins with the tree as it is, where every test must pass. */
  readonly from: number;
  readonly to: number;
  /** Whether test files share a process: quicker, where they leave it as they found it. */
  readonly shared: boolean;
  /** Whether tests reach the source through the bundled command line, which is made anew for each fault. */
  readonly bundled: boolean;
}

/** What became of one fault. */
export interface Verdict {
  readonly at: number;
  readonly seconds: number;
  /** The test that noticed it; undefined when all passed. */
  readonly by?: string;
}

class InOrder {
  shard<T>(files: T): T {
    return files;
  }
  sort<T>(files: T): T {
    return files;
  }
}

function openVitest({ root, releaseFolder, tests, shared }: Job) {
  const include = [...new Set(Object.values(tests).flat())];
  return createVitest('test', {
    root,
    include,
    config: false,
    watch: false,
    bail: 1,
    isolate: !shared,
    maxWorkers: 1,
    fileParallelism: false,
    reporters: [{}],
    silent: true,
    testTimeout: 600_000,
    hookTimeout: 600_000,
    provide: { releaseFolder },
    sequence: { sequencer: InOrder },
  });
}

/** The first test that failed, or the file that did not even load. */
function failure(modules: readonly TestModule[]): string | undefined {
  for (const module of modules) {
    for (const test of module.children.allTests('failed')) return `${module.relativeModuleId}: ${test.fullName}`;
    if (module.state() === 'failed') return `${module.relativeModuleId}: does not load, or a hook of it fails`;
  }
  return undefined;
}

async function main(): Promise<void> {
  const job: Job = JSON.parse(readFileSync(0, 'utf8'));
  // The scripts of a release are those of the tree without a fault: where scripts are what is broken, tests pack them anew.
  if (job.shared) process.env.PACKAGES_UNDER_TEST = job.releaseFolder;
  else delete process.env.PACKAGES_UNDER_TEST;
  const vitest = await openVitest(job);
  const all = await vitest.globTestSpecifications();
  const asked = async (files: readonly string[]) => {
    const specifications = files.flatMap((file) => all.filter(({ moduleId }) => moduleId === join(job.root, file)));
    const { testModules } = await vitest.runTestSpecifications(specifications);
    return failure(testModules);
  };
  for (let at = job.from; at < job.to; at++) {
    const change = job.changes[at];
    const began = performance.now();
    const by = change ? await checked(job, change, asked) : await asked([...new Set(Object.values(job.tests).flat())]);
    const verdict: Verdict = { at, seconds: (performance.now() - began) / 1000, ...(by !== undefined && { by }) };
    process.stdout.write(`\n${JSON.stringify(verdict)}\n`);
  }
  await vitest.close();

  async function checked(
    { root, tests, bundled }: Job,
    change: Change,
    ask: typeof asked,
  ): Promise<string | undefined> {
    const path = join(root, change.file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, applied(text, change));
    vitest.invalidateFile(path);
    try {
      const bundle = [join(root, 'build/setup/bundle.mjs'), root];
      if (bundled && spawnSync(process.execPath, bundle).status !== 0) return 'it cannot be bundled';
      return await ask(tests[change.file] ?? []);
    } finally {
      writeFileSync(path, text);
      vitest.invalidateFile(path);
    }
  }
}

await main();
process.exit(0);
