import { describe, expect, it } from 'vitest';
import { ROOMS } from '../rooms.ts';
import { fails, readRecord, scoreTable, standingOf } from './record.ts';

const now = (noticed: number, tried: number, floor = 90) => ({ room: 'src/xar', noticed, tried, floor });
const recorded = (noticed: number, tried: number) => ({ room: 'src/xar', noticed, tried, date: '2026-11-26' });

describe('the standing of a room', () => {
  // Worked out apart from the code: shares (n + 1) / (t + 2), and twice the root of the sum of both variances.
  it.each([
    // 31/62 before: 21/62 lies 0.1613 below, of 0.1749 allowed; 20/62 lies 0.1774 below, of 0.1739.
    [30, 60, 20, 60, 'as recorded'],
    [30, 60, 19, 60, 'fell below its record'],
    // A short sample before, 13/26: 17/62 lies 0.2258 below, of 0.2265 allowed; 16/62 lies 0.2419 below, of 0.2254.
    [12, 24, 16, 60, 'as recorded'],
    [12, 24, 15, 60, 'fell below its record'],
    // All of four tell little, none of sixty much.
    [4, 4, 50, 60, 'as recorded'],
    [4, 4, 0, 60, 'fell below its record'],
    [0, 60, 0, 60, 'as recorded'],
    [30, 60, 60, 60, 'as recorded'],
    [0, 0, 0, 0, 'as recorded'],
  ] as const)('recorded %i of %i, now %i of %i: %s', (known, of, noticed, tried, says) => {
    expect(standingOf(now(noticed, tried), recorded(known, of))).toBe(says);
  });

  it('holds a room to its floor once its record has reached it', () => {
    // 50/62 lies 0.0935 below 0.9, of 0.1004 allowed; 49/62 lies 0.1097 below, of 0.1034. A record of ten is too short to fall below.
    expect(standingOf(now(49, 60), recorded(9, 10))).toBe('as recorded');
    expect(standingOf(now(48, 60), recorded(9, 10))).toBe('below its floor');
    expect(standingOf(now(48, 60), recorded(8, 10))).toBe('as recorded');
    expect(standingOf(now(48, 60, 80), recorded(9, 10))).toBe('as recorded');
    expect(standingOf(now(0, 0), recorded(9, 10))).toBe('as recorded');
  });

  it('fails nothing without a record', () => expect(standingOf(now(0, 60), undefined)).toBe('no record'));

  it('fails a run where a room fell, or lies below its floor', () => {
    expect((['no record', 'as recorded', 'fell below its record', 'below its floor'] as const).map(fails)).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });
});

describe('the table of scores', () => {
  it('has record, floor and new score of each room', () => {
    const rows = [
      { counted: now(54, 60), recorded: { ...recorded(20, 25), quick: true }, says: 'as recorded' },
      { counted: { ...now(0, 0, 80), room: 'src/base' }, recorded: undefined, says: 'no record' },
    ];
    expect(scoreTable(rows)).toEqual([
      'room      record                               floor  now',
      'src/xar   20 of 25, 80 % on 2026-11-26, quick  90 %   54 of 60, 90 %  as recorded',
      'src/base  none                                 80 %   none tried      no record',
    ]);
  });
});

describe('test/mutants/scores.json', () => {
  it('has one entry at most for each room of the table, with counts that can be', () => {
    const record = readRecord();
    const rooms = record.map(({ room }) => room);
    expect(rooms).toEqual(ROOMS.map(({ folder }) => folder).filter((folder) => rooms.includes(folder)));
    for (const { room, noticed, tried, date } of record) {
      expect([Number.isInteger(noticed), Number.isInteger(tried), noticed >= 0, noticed <= tried], room).not.toContain(
        false,
      );
      expect(tried, room).toBeGreaterThan(0);
      expect(date, room).toMatch(/^20\d\d-\d\d-\d\d$/);
    }
  });
});
