import { describe, expect, it } from 'vitest';
import { INDEX_FILE, indexOf } from '../../../build/evidence/make-evidence.ts';
import type { KitFile } from '../../../build/kit/zip.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { evidenceOfRelease } from './evidence-subject.ts';

const evidence = evidenceOfRelease();
const { failed } = evidence;

describe(`evidence${ofTheDay}`, () => {
  it('is refused when a byte of any of its files is another', async () => {
    const places = evidence.files.flatMap(({ path, data }) =>
      [0, data.length >> 1, data.length - 1].map((at) => ({ path, data, at })),
    );
    for (const { path, data, at } of byDay(places, 0, (place) => place.path)) {
      const copy = Buffer.from(data);
      copy[at] = (copy[at] as number) ^ 1;
      const others = evidence.files.map((file) => (file.path === path ? { path, data: copy } : file));
      expect([path, at, (await failed(others)).length > 0]).toEqual([path, at, true]);
    }
  });

  it('is refused when a file is missing or one too many', async () => {
    for (const { path } of evidence.files)
      expect(await failed(evidence.files.filter((file) => file.path !== path))).toEqual(['evidence-files']);
    const stray = [...evidence.files, { path: 'stray', data: Buffer.from('x') }];
    expect(await failed(stray)).toContain('evidence-files');
    const twice = [...evidence.files, evidence.files[0] as KitFile];
    expect(
      await failed(twice.map((file) => (file.path === INDEX_FILE ? { path: INDEX_FILE, data: indexOf(twice) } : file))),
    ).toContain('evidence-files');
  });
});
