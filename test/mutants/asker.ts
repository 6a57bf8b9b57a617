import { type ChildProcess, spawn } from 'node:child_process';
import { ALIVE, type Answer, type Ask } from './question.ts';

/** What became of a question: an answer, or words about a process that died or hung. */
export type Outcome = Answer | { readonly ended: string };

/** A process that loads tests once and runs them as often as it is asked. */
export interface Asker {
  /**
   * Asks in the process that is there, or in a new one.
   *
   * @param patienceMs after how long a single test counts as one that hangs, and the process is ended
   * @param environment variables for a process that is new
   */
  ask(question: Ask, patienceMs: number, environment?: NodeJS.ProcessEnv): Promise<Outcome>;
  /** Ends the process, so that the next question is asked in one that has seen nothing yet. */
  end(): void;
}

/**
 * Returns an asker in a copy of the tree.
 *
 * @param program the bundled run-tests.ts
 */
export function openAsker(tree: string, program: string, releaseFolder: string): Asker {
  let child: ChildProcess | undefined;
  const end = () => {
    if (child?.pid !== undefined)
      try {
        // With all that its tests started.
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    child = undefined;
  };
  const start = (environment: NodeJS.ProcessEnv) => {
    child = spawn(process.execPath, [program, releaseFolder], {
      cwd: tree,
      detached: true,
      env: { ...process.env, PACKAGES_UNDER_TEST: releaseFolder, ...environment },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return child;
  };
  return {
    end,
    ask: (question, patienceMs, environment = {}) =>
      new Promise((done) => {
        const asked = child ?? start(environment);
        let hang: NodeJS.Timeout;
        const finish = (outcome: Outcome) => {
          clearTimeout(hang);
          asked.removeAllListeners();
          if ('ended' in outcome) end();
          done(outcome);
        };
        const wait = () => {
          clearTimeout(hang);
          hang = setTimeout(() => finish({ ended: 'the tests hang' }), patienceMs);
        };
        asked.on('message', (message) => (message === ALIVE ? wait() : finish(message as Answer)));
        asked.on('error', (error) => finish({ ended: `the process of the tests does not start: ${error.message}` }));
        asked.on('exit', () => finish({ ended: 'the process of the tests dies' }));
        wait();
        asked.send(question);
      }),
  };
}
