import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inProcess } from '../support/in-process.ts';
import { realPackages } from '../support/needs.ts';

const { folder = '', missing, note } = realPackages;
const list = (kind: string, ending: string) =>
  missing ? [`any ${ending}`] : readdirSync(join(folder, kind)).filter((name) => name.endsWith(ending));

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'real-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe.skipIf(missing)(`packages made by Apple's and others' tools${note}`, () => {
  it.each(list('pkg', '.pkg'))('%s is inspected: every payload agrees with its Bom', async (name) => {
    const run = await inProcess(['inspect', '--json', join(folder, 'pkg', name)]);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    const { components } = JSON.parse(run.stdout).package;
    expect(components.length).toBeGreaterThan(0);
    for (const component of components) {
      expect(component.payload.entries).toBeGreaterThan(0);
      expect(component.payload.differences).toEqual([]);
    }
  });

  it.each(list('pkg', '.pkg'))('%s is expanded', async (name) => {
    const target = join(scratch, name);
    const run = await inProcess(['expand', '--json', join(folder, 'pkg', name), target]);
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout).files).toBeGreaterThan(1);
    expect(readdirSync(target).length).toBeGreaterThan(0);
  });

  it.each(list('bom', '.bom'))('%s is listed', async (name) => {
    const run = await inProcess(['inspect', '--json', join(folder, 'bom', name)]);
    expect(run.status).toBe(0);
    // Counted with the lsbom of another reader: 54 and 247 paths.
    expect([54, 247]).toContain(JSON.parse(run.stdout).bom.records.length);
  });
});
