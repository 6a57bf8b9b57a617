import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { type Manifest, readManifest } from '../../build/plan/manifest.ts';
import { runRelease } from '../../build/release.ts';
import { BegunOnly, ReachedStage, Run, SIGNING_STAGES, STAGES, type StageName } from '../../build/run.ts';
import { InterruptedError, UsageError } from '../../src/base/errors.ts';

let scratch: string;
let told: unknown[][];
let manifest: Manifest;
beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'run-'));
  told = [];
  manifest = { ...((await readManifest(inject('releaseFolder'))) as Manifest), stages: [], tools: {} };
});
afterEach(() => rmSync(scratch, { recursive: true }));

const out = () => join(scratch, 'out/1.1.0');
function begun(until?: StageName, signal = new AbortController().signal): Run {
  const progress = {
    begin: (stage: string, place?: string) => {
      told.push(['begin', stage, place]);
      return { update: (text: string) => void told.push(['update', text]) };
    },
    end: (outcome: string, text: string, seconds: number) => void told.push([outcome, text, seconds < 60]),
    note: (kind: string, text: string) => void told.push([kind, text]),
    close: () => undefined,
  };
  const plan = { outFolder: out(), config: { output: {} } } as never;
  return new Run({ plan, progress, signal, manifest, again: 'again', until });
}
const written = (): Manifest => JSON.parse(readFileSync(join(out(), 'release.json'), 'utf8'));
const stages = () => written().stages.map(({ name, outcome }) => [name, outcome]);
const failed = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: unknown) => error,
  );

describe('the stages', () => {
  it('that sign end with the signed package', () => {
    expect(SIGNING_STAGES).toEqual(STAGES.slice(0, 6));
    expect(SIGNING_STAGES.at(-1)).toBe('sign-package');
  });
});

describe('a stage', () => {
  it('is told, given what it needs, and written into release.json with its facts', async () => {
    const run = begun();
    const value = await run.stage('sign-code', async ({ plan, progress, note, signal, again, record }) => {
      progress.update('half');
      note('warning', 'look');
      expect([plan, signal.aborted, again]).toEqual([run.plan, false, 'again']);
      await record({ tools: { early: '1' } });
      expect(written().tools).toEqual({ early: '1' });
      return { value: 7, summary: 'signed', facts: { version: '9.9.9' } };
    });
    expect(value).toBe(7);
    expect(told).toEqual([
      ['begin', 'sign-code', '3/10'],
      ['update', 'half'],
      ['warning', 'look'],
      ['done', 'signed', true],
    ]);
    expect([stages(), written().version, written().tools]).toEqual([[['sign-code', 'done']], '9.9.9', { early: '1' }]);
    expect(run.manifest).toEqual(written());
    const [stage] = written().stages;
    // Whole milliseconds, as seconds.
    expect([stage!.seconds < 60, Number.isInteger(Math.round(stage!.seconds * 1e6) / 1000)]).toEqual([true, true]);
  });

  it('that ran before is there once, in its new place', async () => {
    const run = begun();
    for (const name of ['compile', 'sign-code', 'compile'] as const)
      await run.stage(name, async () => ({ value: 0, summary: '' }));
    expect(stages()).toEqual([
      ['sign-code', 'done'],
      ['compile', 'done'],
    ]);
  });

  it('that fails says the first line of why, is written down, and throws', async () => {
    const error = new UsageError('A', 'first\nsecond');
    expect(await failed(begun().stage('compile', () => Promise.reject(error)))).toBe(error);
    expect([told, stages()]).toEqual([
      [
        ['begin', 'compile', '1/10'],
        ['failed', 'first', true],
      ],
      [['compile', 'failed']],
    ]);
  });

  it('throws what went wrong, even where that cannot be written down', async () => {
    writeFileSync(join(scratch, 'out'), 'a file in the way');
    const error = new Error('a');
    expect(await failed(begun().stage('compile', () => Promise.reject(error)))).toBe(error);
  });

  it('that was interrupted says so', async () => {
    const controller = new AbortController();
    const run = begun(undefined, controller.signal);
    const stopped = run.stage('compile', async () => {
      controller.abort();
      throw new Error('killed');
    });
    expect(await failed(stopped)).toMatchObject({ message: 'killed' });
    expect(told.at(-1)).toEqual(['failed', 'interrupted', true]);
    expect(await failed(run.stage('sign-code', async () => ({ value: 0, summary: '' })))).toBeInstanceOf(
      InterruptedError,
    );
    expect(told).toHaveLength(2);
  });

  it('named by --until ends the run once it is done, and is the last that is counted', async () => {
    const run = begun('sign-code');
    await run.stage('compile', async () => ({ value: 0, summary: 'c' }));
    expect(await failed(run.stage('sign-code', async () => ({ value: 0, summary: 's' })))).toBeInstanceOf(ReachedStage);
    expect(told).toEqual([
      ['begin', 'compile', '1/3'],
      ['done', 'c', true],
      ['begin', 'sign-code', '3/3'],
      ['done', 's', true],
    ]);
    expect(stages()).toEqual([
      ['compile', 'done'],
      ['sign-code', 'done'],
    ]);
  });

  it('that was only to begin ends the run too, and is not written down as done', async () => {
    const begins = begun().stage('notarize', () => Promise.reject(new BegunOnly('submitted')));
    expect(await failed(begins)).toBeInstanceOf(BegunOnly);
    expect(told).toEqual([
      ['begin', 'notarize', '7/10'],
      ['done', 'submitted', true],
    ]);
    expect(existsSync(out())).toBe(false);
  });

  it('of an earlier run is skipped, and may be the last', () => {
    begun('publish').skip('compile', 'there');
    expect(told).toEqual([
      ['begin', 'compile', '1/10'],
      ['skipped', 'there', true],
    ]);
    expect(() => begun('compile').skip('compile', 'there')).toThrow(ReachedStage);
  });
});

describe('a run', () => {
  const names = { package: 'p', guard: 'g', uninstall: 'u', request: 'r', kit: 'k' };
  const resumed = (until?: StageName) => {
    const run = begun(until);
    Object.assign(run.plan, { version: '1.1.0', config: { output: names } });
    return run;
  };

  it('that resumes skips all that signed, and leaves a manifest and no rest of an earlier one', async () => {
    const rest = join(out(), '.a.pkg.999999.00000000.unfinished');
    mkdirSync(out(), { recursive: true });
    writeFileSync(rest, '');
    const ended = await runRelease(resumed(), { kind: 'resume' }, null);
    expect(told.filter(([word]) => word === 'begin').map(([, name]) => name)).toEqual(SIGNING_STAGES);
    expect([ended, existsSync(rest)]).toEqual([written(), false]);
  });

  it('ends well at the stage that it was to reach, and with whatever else went wrong', async () => {
    await runRelease(resumed('sign-code'), { kind: 'resume' }, null);
    expect(told.filter(([word]) => word === 'begin')).toHaveLength(3);
    const toolchain = { compiler: { versions: () => Promise.reject(new UsageError('A', 'no compiler')) } };
    const beginning = { kind: 'build', toolchain, signing: null, cache: null } as never;
    await expect(runRelease(resumed(), beginning, null)).rejects.toThrow();
    expect(told.at(-1)?.[0]).toBe('failed');
  });
});
