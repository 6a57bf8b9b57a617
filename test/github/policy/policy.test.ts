import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readPins } from '../../../build/github/upkeep/pins.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { needs } from '../../support/needs.ts';
import { parseWorkflow, readWorkflows } from '../workflow.ts';
import { HELD_OUT } from './faults/held-out.ts';
import { type Seed, set, untouched } from './faults/seed-edits.ts';
import { SEEDS } from './faults/seeds.ts';
import { policyProblems } from './policy.ts';
import { OBEYED, repositoryProblems } from './repository.ts';
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

  it('fetch nothing into a checkout: an artifact could replace what is run there', () => {
    const jobs = [...workflows.values()].flatMap((source) => Object.entries(parseWorkflow(source).jobs));
    const places = jobs.flatMap(([id, { steps = [] }]) =>
      steps.some(({ uses }) => uses?.startsWith('actions/checkout@'))
        ? steps
            .filter(({ uses }) => uses?.startsWith('actions/download-artifact@'))
            .map((step) => [id, step.with?.path])
        : [],
    );
    expect(places).toEqual(['review', 'look', 'smoke'].map((id) => [id, 'fetched']));
  });

  it('use every action that pins.json lists, and no other', () => {
    const text = [...workflows.values()].join('\n');
    for (const [action, { commit, tag }] of Object.entries(pins))
      expect(text).toContain(`${action}@${commit} # ${tag}\n`);
  });
});

/** All of .github, and what else GitHub or npm would obey. */
function readRepository(): Map<string, string> {
  const below = readdirSync('.github', { recursive: true, withFileTypes: true }).filter(
    (entry) => !entry.isDirectory(),
  );
  const paths = [
    ...below.map((entry) => join(entry.parentPath, entry.name)),
    ...OBEYED.filter((path) => existsSync(path)),
  ];
  return new Map(paths.map((path) => [path, lstatSync(path).isFile() ? readFileSync(path, 'utf8') : 'not a file']));
}

describe('what stands around the workflows', () => {
  it('is what the tables say', () => expect(repositoryProblems(readRepository())).toEqual([]));

  it('asks the owners of paths that are there', () => {
    const lines = readFileSync('.github/CODEOWNERS', 'utf8').split('\n');
    const places = lines.filter((line) => line.startsWith('/')).map((line) => line.split(' ')[0]);
    expect(places.length).toBeGreaterThan(10);
    for (const place of places) expect([place, existsSync(`.${place}`)]).toEqual([place, true]);
  });
});

describe(`the policy refuses what it did not know when it was written${ofTheDay}`, () => {
  it.each(byDay(HELD_OUT, 40, ({ path }) => path))('$path: $name', ({ path, edit }) => {
    const files = readRepository();
    const ours = files.get(path) ?? '';
    const edited = edit(ours);
    expect(edited, 'the edit no longer fits our file').not.toBe(ours);
    if (edited === undefined) files.delete(path);
    else files.set(path, edited);
    const isWorkflow = path.startsWith('.github/workflows/') && edited !== undefined;
    const ofWorkflow = isWorkflow ? policyProblems(basename(path), edited, pins) : [];
    expect([...ofWorkflow, ...repositoryProblems(files)]).not.toEqual([]);
  });

  it('at least a hundred, no two of one name', () => {
    expect(new Set(HELD_OUT.map(({ name }) => name)).size).toBe(HELD_OUT.length);
    expect(HELD_OUT.length).toBeGreaterThanOrEqual(100);
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

/** What is done to any job or step is one kind, whichever it is done to; else what is refused at one place of a file. */
const kindOf = ({ name, file, broken }: Seed) =>
  /^\S+\.yml\/[\w-]+:? (.*)/.exec(name)?.[1] ?? `${file} ${broken.source.split('\\/')[0]}`;

describe(`the policy refuses${ofTheDay}`, () => {
  it.each(byDay(SEEDS, 60, kindOf))('$file: $name', ({ file, edit, broken }) => {
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
