import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readPins } from '../../build/github/upkeep/pins.ts';
import { needs } from '../support/needs.ts';
import { policyProblems } from './policy.ts';
import { SEEDS } from './policy-seeds.ts';
import { parseWorkflow, readWorkflows } from './workflow.ts';

const workflows = readWorkflows('.');
const pins = await readPins('.');

describe('the workflows', () => {
  it('are the five that the policy knows', () => {
    expect([...workflows.keys()]).toEqual(['build.yml', 'ci.yml', 'expiry.yml', 'release.yml', 'scorecard.yml']);
  });

  it.each([...workflows.keys()])('%s keeps every rule', (file) => {
    expect(policyProblems(file, workflows.get(file)!, pins)).toEqual([]);
  });

  it('use every action that pins.json lists, and no other', () => {
    const text = [...workflows.values()].join('\n');
    for (const [action, { commit, tag }] of Object.entries(pins))
      expect(text).toContain(`${action}@${commit} # ${tag}\n`);
  });
});

const shellcheck = needs('shellcheck');
describe('run blocks', () => {
  const scripts = [...workflows].flatMap(([file, source]) =>
    Object.entries(parseWorkflow(source).jobs).flatMap(([job, { steps }]) =>
      (steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [{ at: `${file}/${job}`, run }])),
    ),
  );
  it.skipIf(shellcheck.missing)(`are shellcheck clean${shellcheck.note}`, () => {
    expect(scripts.length).toBeGreaterThan(30);
    // One run for all: a comment names the place, and no variable is shared.
    const text = scripts.map(({ at, run }) => `# ${at}\n${run}\n`).join('');
    const { stdout } = spawnSync('shellcheck', ['--shell=bash', '--severity=style', '-'], {
      input: text,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
  });
});

describe('the policy refuses', () => {
  it.each(SEEDS)('$name', ({ file, from, to, broken }) => {
    const ours = workflows.get(file)!;
    const seeded = ours.replace(from, () => to);
    expect(seeded, 'the seed no longer fits our file').not.toBe(ours);
    expect(policyProblems(file, seeded, pins).join('\n')).toMatch(broken);
  });

  it('at least twenty seeded faults', () => expect(SEEDS.length).toBeGreaterThanOrEqual(20));
});
