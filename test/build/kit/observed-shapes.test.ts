import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { makeKit } from '../../../build/kit/make-kit.ts';
import type { KitFile } from '../../../build/kit/zip.ts';
import { check, needs } from '../../support/needs.ts';
import { kitSource } from './made-kit.ts';

const facts = (name: string) => JSON.parse(readFileSync(join('test/fixtures/mdm', name), 'utf8'));
const TABLES: Readonly<Record<string, { columns: string[]; required: string[] }>> = facts('osquery-tables.json').tables;
const FLEET: Readonly<Record<string, string[]>> = facts('fleet-keys.json');

let files: KitFile[];
beforeAll(async () => {
  files = await makeKit(kitSource());
});
const text = (path: string) => files.find((file) => file.path === path)?.data.toString('utf8') ?? '';
const yaml = (path: string) => parseYaml(text(path));

function allQueries(): string[] {
  const pack: Record<string, { query: string }> = JSON.parse(text('osquery/escrow-buddy.pack.json')).queries;
  const listed = [...yaml('fleet/policies.yml'), ...yaml('fleet/lib/macos/queries/escrow-buddy-needed.yml')];
  return [...Object.values(pack), ...listed].map(({ query }) => query);
}

describe("the kit's queries", () => {
  const python = needs('python3');
  it.skipIf(python.missing)(
    `are parsed by SQLite, against the columns that osquery's own specs list${python.note}`,
    () => {
      const tables = Object.entries(TABLES).map(([name, { columns }]) => `CREATE TABLE ${name}(${columns.join(',')});`);
      const script = `import sqlite3,sys,json
given=json.load(sys.stdin)
c=sqlite3.connect(':memory:')
c.executescript(given['tables'])
for q in given['queries']: c.execute(q)`;
      check(
        'python3',
        ['-c', script],
        Buffer.from(JSON.stringify({ tables: tables.join('\n'), queries: allQueries() })),
      );
    },
  );

  it('name what a table cannot be read without', () => {
    const reads = allQueries().flatMap((query) => [...query.matchAll(/FROM (\w+) WHERE ((?:[^()']|'[^']*')*)/g)]);
    expect(reads.length).toBeGreaterThan(8);
    for (const [, table = '', condition] of reads)
      for (const column of TABLES[table]?.required ?? [])
        expect(condition, table).toMatch(new RegExp(`\\b${column} = '`));
    for (const query of allQueries())
      for (const [, table = ''] of query.matchAll(/FROM (\w+)/g)) expect(Object.keys(TABLES)).toContain(table);
  });
});

describe("Fleet's YAML", () => {
  const only = (value: object, kind: string) => {
    const unknown = Object.keys(value).filter((key) => !FLEET[kind]?.includes(key));
    expect(unknown, kind).toEqual([]);
  };

  it('has no key that its GitOps would refuse as unknown', () => {
    const team = yaml('fleet/team.yml');
    only(team, 'team');
    only(team.software, 'software');
    for (const item of team.software.packages) only(item, 'softwareItem');
    const software = yaml('fleet/lib/macos/software/escrow-buddy.yml');
    only(software, 'package');
    for (const value of Object.values(software)) if (typeof value === 'object' && value) only(value, 'asset');
    for (const policy of yaml('fleet/policies.yml')) only(policy, 'policy');
    for (const query of yaml('fleet/lib/macos/queries/escrow-buddy-needed.yml')) only(query, 'query');
  });

  it('holds no $, which its GitOps would take for a variable of the environment', () => {
    const own = files.filter(({ path }) => /^fleet\/.*\.yml$/.test(path));
    expect(own.length).toBeGreaterThan(3);
    for (const { path, data } of own) expect(data.includes('$'), path).toBe(false);
  });

  it('names files that are there, seen from the file that names them', () => {
    const software = yaml('fleet/lib/macos/software/escrow-buddy.yml') as Record<string, { path?: string }>;
    const named = Object.values(software).flatMap(({ path }) => path ?? []);
    expect(named).toHaveLength(4);
    for (const path of named) expect(text(join('fleet/lib/macos/software', path)), path).not.toBe('');
  });
});
