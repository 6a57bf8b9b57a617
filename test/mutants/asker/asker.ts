import { type ChildProcess, spawn } from 'node:child_process';
import { ALIVE, type Answer, type Ask } from '../question.ts';

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
  /** Ends the process with all that its tests started, so that the next question is asked in one that has seen nothing yet. */
  end(): void;
}

interface Running {
  readonly child: ChildProcess;
  readonly watch: ChildProcess;
}

/**
 * Returns an asker in a copy of the tree. Its process leads a group of its own, which is ended as a whole: a fault can make a
 * program spin that a test waits for. The group does not outlive this process either, however that ends.
 *
 * @param program the bundled run-tests.ts
 */
export function openAsker(tree: string, program: string, releaseFolder: string): Asker {
  let running: Running | undefined;
  const end = () => {
    if (running) endGroup(running);
    running = undefined;
  };
  const start = (environment: NodeJS.ProcessEnv): ChildProcess => {
    const child = spawn(process.execPath, [program, releaseFolder], {
      cwd: tree,
      detached: true,
      env: { ...process.env, PACKAGES_UNDER_TEST: releaseFolder, ...environment },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    running = { child, watch: watchOver(child) };
    return child;
  };
  const ask: Asker['ask'] = (question, patienceMs, environment = {}) =>
    new Promise((done) => {
      // What the fault before left behind may have ended the process since it answered.
      if (running && !running.child.connected) end();
      const [isNew, asked] = [!running, running?.child ?? start(environment)];
      let heard = false;
      let hang: NodeJS.Timeout;
      const finish = (outcome: Outcome | Promise<Outcome>) => {
        clearTimeout(hang);
        asked.removeAllListeners();
        // What cannot be sent to it any more is nobody's.
        asked.on('error', () => undefined);
        if ('ended' in outcome) end();
        done(outcome);
      };
      const wait = () => {
        clearTimeout(hang);
        hang = setTimeout(() => finish({ ended: 'the tests hang' }), patienceMs);
      };
      const die = (ended: string) => {
        if (isNew || heard) return finish({ ended });
        // It had died when it was asked, and that is known only now.
        end();
        finish(ask(question, patienceMs, environment));
      };
      asked.on('message', (message) => {
        heard = true;
        if (message === ALIVE) wait();
        else finish(message as Answer);
      });
      asked.on('error', (error) => die(`the process of the tests does not start: ${error.message}`));
      asked.on('exit', () => die('the process of the tests dies'));
      wait();
      asked.send(question);
    });
  return { end, ask };
}

/** Starts a shell that ends the group of `child` once its input ends: the system closes that when this process is gone. */
const watchOver = (child: ChildProcess): ChildProcess =>
  spawn('/bin/sh', ['-c', 'read -r _; kill -9 "-$1"', 'watch', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });

function endGroup({ child, watch }: Running): void {
  watch.kill('SIGKILL');
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended by itself, and nothing that it started is left.
  }
}
