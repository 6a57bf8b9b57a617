import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readPins } from '../../../build/github/upkeep/pins.ts';
import { needs } from '../../support/needs.ts';
import { parseWorkflow, readWorkflows } from '../workflow.ts';
import { policyProblems } from './policy.ts';
import { set, untouched } from './seed-edits.ts';
import { SEEDS } from './seeds.ts';
import { WORKFLOWS } from './workflows-table.ts';

const workflows = readWorkflows('.');
const pins = await readPins('.');

describe('the workflows', () => {
  it('are those of the table', () => {
    expect([...workflows.keys()]).toEqual(Object.keys(WORKFLOWS).sort());
  });

  it.each([...workflows.keys()])('%s says what the table says', (file) => {
    expect(policyProblems(file, workflows.get(file)!, pins)).toEqual([]);
  });

  it('use every action that pins.json lists, and no other', () => {
    const text = [...workflows.values()].join('\n');
    for (const [action, { commit, tag }] of Object.entries(pins))
      expect(text).toContain(`${action}@${commit} # ${tag}\n`);
  });
});

describe('CODEOWNERS', () => {
  it('asks the owners of all that decides how a package is built, signed and published', () => {
    const lines = readFileSync('.github/CODEOWNERS', 'utf8')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    const places = lines.map((line) => line.split(/ +/)).map(([place, ...owners]) => (owners.length > 0 ? place : ''));
    for (const place of places) expect([place, existsSync(`.${place}`)]).toEqual([place, true]);
    const decides = [
      '/.github/',
      '/test/github/policy/',
      '/build/setup/',
      '/build/github/',
      '/build/signing/',
      '/build/signers/',
      '/package-lock.json',
    ];
    expect(places).toEqual(expect.arrayContaining(decides));
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
  it.each(SEEDS)('$file: $name', ({ file, edit, broken }) => {
    const ours = workflows.get(file) ?? workflows.get('ci.yml')!;
    const seeded = edit(ours);
    if (workflows.has(file)) expect(seeded, 'the seed no longer fits our file').not.toBe(ours);
    expect(policyProblems(file, seeded, pins).join('\n')).toMatch(broken);
  });

  it('at least two hundred seeded faults, no two of one name', () => {
    expect(SEEDS.length).toBeGreaterThanOrEqual(200);
    expect(new Set(SEEDS.map(({ name, file }) => `${file} ${name}`)).size).toBe(SEEDS.length);
  });
});

describe('the policy lets pass', () => {
  it.each([...workflows.keys()])('%s in another form', (file) => {
    const rewritten = untouched(workflows.get(file)!);
    expect(policyProblems(file, rewritten, pins)).toEqual([]);
    expect(policyProblems(file, `# A comment.\n${rewritten}`, pins)).toEqual([]);
  });

  it('a further job that only tests', () => {
    const ci = workflows.get('ci.yml')!;
    const more = parseWorkflow(ci).jobs.workflows!;
    const steps = [...more.steps!.slice(0, 2), { name: 'Measure', run: 'npm run bench -- --short' }];
    const added = set('jobs.bench', { ...more, name: 'bench', steps })(ci);
    // The comments behind action and permission are what only text can hold.
    const commented = added
      .replace(/(checkout@\w+)$/gm, '$1 # v7.0.1')
      .replace(/(setup-node@\w+)$/gm, '$1 # v7.1.0')
      .replace(/(contents: read)$/gm, '$1 # checkout');
    expect(policyProblems('ci.yml', commented, pins)).toEqual([]);
  });
});
