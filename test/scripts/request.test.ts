import { describe, expect, it } from 'vitest';
import { simulatedMacNeeds } from '../mac/simulated/simulated-mac.ts';
import { LOCAL, MANAGED, useMac } from './rig.ts';

const { missing, note } = simulatedMacNeeds;

describe.skipIf(missing)(`the request package${note}`, () => {
  const { mac, run, writes } = useMac();
  const request = () => run(['/private/tmp/request/postinstall', '/p.pkg', '/', '/', '/']);

  it.each<[string, () => unknown, number, string, number]>([
    ['nothing is set', () => undefined, 0, 'A new recovery key will be made', 1],
    ['a request was cleared', () => mac.put(LOCAL, '{GenerateNewKey=0;}'), 0, 'A new recovery key will be made', 1],
    ['one is pending', () => mac.put(LOCAL, '{GenerateNewKey=1;}'), 0, 'already requested', 0],
    ['a profile forces it', () => mac.put(MANAGED, '{GenerateNewKey=1;}'), 1, 'A profile sets GenerateNewKey', 0],
    ['defaults says yes and writes nothing', () => mac.faults('defaults:1 swallow'), 1, 'could not be written', 1],
    ['defaults says no', () => mac.faults('defaults:1 fail 1'), 1, 'could not be written', 1],
  ])('where %s', async (_, before, status, words, written) => {
    await before();
    const result = await request();
    expect([result.status, writes()], result.said).toEqual([status, written]);
    expect(result.said).toContain(words);
  });
});
