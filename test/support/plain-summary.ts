import type { Reporter, TestModule } from 'vitest/node';

/** Ends a run with one plain line that any program reads: `3542 passed, 0 failed, 3 skipped`. */
export default class PlainSummary implements Reporter {
  onTestRunStart(): void {
    process.stdout.write(
      'Running the tests. The whole takes 4 to 5 minutes on two idle cores; slow files come last.\n',
    );
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) counts[test.result().state]++;
      // A file that does not load has no tests, and must not look like a success.
      if (module.state() === 'failed' && [...module.children.allTests('failed')].length === 0) counts.failed++;
    }
    const { passed, failed, skipped, pending } = counts;
    process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped + pending} skipped\n`);
  }
}
