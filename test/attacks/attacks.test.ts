import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openRehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { openSample } from '../mutation/sample.ts';
import { builtPackage } from '../support/built-package.ts';
import { type AttackKit, attackKit, failures, judgeAttack } from './attack.ts';
import { WHOLE_POLICY } from './of-policy.ts';
import { attackTable } from './table.ts';

let kit: AttackKit;
beforeAll(async () => {
  const authority = await openRehearsalAuthority('.rehearsal');
  kit = await attackKit(process.cwd(), await openSample(readFileSync(builtPackage()), authority));
});

describe('an attack that the right key signed', () => {
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

  it.each(table.map((attack) => [attack.name, attack] as const))('is refused by name: %s', async (_, attack) => {
    const { named, failed } = await judgeAttack(attack, kit);
    expect(named, `${attack.expect} in:\n${failed.join('\n') || 'nothing failed'}`).toBe(true);
  });
});
