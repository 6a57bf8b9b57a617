import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { openSample } from '../mutation/sample.ts';
import { builtPackage } from '../support/built-package.ts';
import { byDay, ofTheDay } from '../support/by-day.ts';
import { type Attack, type AttackKit, attackKit, checkAttack, checked, failures } from './attack.ts';
import { keylessChanges } from './keyless.ts';
import { saidByDocuments } from './of-documents.ts';
import { WHOLE_POLICY } from './policy-attack.ts';
import { attackTable } from './table.ts';

const named = <T extends { readonly name: string }>(all: readonly T[]) => all.map((one) => [one.name, one] as const);

let kit: AttackKit;
let apple: AttackKit;
beforeAll(async () => {
  const authority = await openRehearsalAuthority('.rehearsal');
  const sample = await openSample(readFileSync(builtPackage()), authority);
  kit = await attackKit(process.cwd(), sample);
  apple = await attackKit(process.cwd(), sample, 'apple');
});

/** Each demand of a policy has checks of its own. */
const kindOf = ({ on, policy = {} }: Attack) => `${on} ${Object.keys(policy).join()}`;

describe(`an attack that the right key signed${ofTheDay}`, () => {
  const table = attackTable();

  it('begins with a package that passes: ours, and the same as somebody else’s', async () => {
    expect(await failures(kit.ours.file, kit)).toEqual([]);
    expect(await failures(kit.stranger.file, kit)).toEqual([]);
    expect(await failures(kit.stranger.file, kit, WHOLE_POLICY)).toEqual([]);
  });

  it('is one of many, none of them twice', () => {
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    expect(table.length).toBeGreaterThanOrEqual(150);
  });

  it.each(named(byDay(table, 50, kindOf)))('is refused by name: %s', async (_, attack) => {
    const { named, failed } = await checkAttack(attack, kit);
    expect(named, `${attack.expect} in:\n${failed.join('\n') || 'nothing failed'}`).toBe(true);
  });
});

describe('a package of ours that Apple’s tools made, the person says', () => {
  it('passes when it says what ours say', async () => {
    expect(await failures(kit.ours.file, apple)).toEqual([]);
  });

  // What no reader takes at all is refused before anybody compares; a time limit may be missing (macOS 14 and older).
  const said = saidByDocuments().filter(({ name }) => !/no time limit|written by another tool/.test(name));
  it.each(named(byDay(said, 10)))('is refused all the same: %s', async (_, attack) => {
    const { failed } = await checkAttack(attack, apple);
    expect(failed.filter((words) => /^(form-|package-|distribution)/.test(words))).not.toEqual([]);
  });
});

describe('a change that needs no key', () => {
  it.each(named(byDay(keylessChanges(), 5)))(
    'is noted in a stranger’s package, and refused in ours: %s',
    async (_, { make, noted, words }) => {
      const report = await checked(await make(kit.stranger), kit);
      const notes = report.checks.filter(({ id, status }) => id === noted && status === 'pass');
      expect(notes.map(({ reason }) => reason ?? '').join()).toMatch(words);
      expect(report.valid).toBe(true);
      expect(await failures(await make(kit.ours), kit)).not.toEqual([]);
    },
  );

  it('stands in docs/verifying.md with its check', () => {
    const page = readFileSync('docs/verifying.md', 'utf8');
    const section = page.slice(page.indexOf("## What a stranger's package leaves open"));
    for (const { noted } of keylessChanges()) expect(section).toContain(`\`${noted}\``);
  });
});
