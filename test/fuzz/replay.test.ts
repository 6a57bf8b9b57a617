import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../src/base/errors.ts';
import { applyEdits } from './edits.ts';
import { READERS, readOnce } from './outcome.ts';
import { fuzz } from './rounds.ts';

/** What `npm run fuzz` found once: a folder a reader, a file an input. */
const FOUND = 'test/fixtures/readers';
const foundBy = (name: string) => {
  const folder = join(FOUND, name);
  return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
};

describe.each(READERS.map((reader) => ({ name: reader.name, reader })))('the reader of $name', ({ name, reader }) => {
  it('reads its honest inputs', async () => {
    for (const data of await reader.seeds()) expect((await readOnce(reader, data)).words).toMatch(/^read/);
  });

  it('answers in our own words for all that fuzzing ever found', async () => {
    for (const path of foundBy(name))
      expect([path, (await readOnce(reader, readFileSync(path))).fault]).toEqual([path, undefined]);
  });
});

describe('fuzzing', () => {
  it('has a reader for each folder of what was found', () => {
    const names = READERS.map(({ name }) => name);
    expect(readdirSync(FOUND).filter((name) => name !== 'README.md' && !names.includes(name))).toEqual([]);
  });

  it('finds a reader that fails with an error of others, and makes the input small', async () => {
    const careless = {
      name: 'careless',
      seeds: async () => [Buffer.from('a length: 2, and some more text around it')],
      read: (data: Buffer) => void data.readUInt8(data.includes('22') ? 1000 : 0),
    };
    const told: unknown[] = [];
    await fuzz(careless, 1, { goOn: () => told.length < 20, tell: (progress) => told.push(progress), before() {} });
    const last = told.at(-1) as { fault?: { data: Buffer; words: string } };
    expect(last.fault?.words).toContain('RangeError');
    expect(last.fault?.data.toString()).toMatch(/22|^$/);
  });

  it('is content with our own errors', async () => {
    class Ours extends PipelineError {}
    const read = () => {
      throw new Ours('CODE', 'expected 12 "words", found 0xff');
    };
    expect(await readOnce({ name: '', seeds: async () => [], read }, Buffer.alloc(0))).toEqual({
      words: 'CODE expected # #, found #',
      fault: undefined,
    });
  });

  it('tells apart what a reader found, numbers and quoted words left out', async () => {
    const wordsOf = async (found: unknown) =>
      (await readOnce({ name: '', seeds: async () => [], read: () => found }, Buffer.alloc(0))).words;
    expect(await wordsOf('a signature of 12 bytes by "x"')).toBe(await wordsOf('a signature of 7 bytes by "y"'));
    expect(await wordsOf('no signature')).not.toBe(await wordsOf('a signature'));
    expect(await wordsOf({ any: 'thing' })).toBe('read');
  });

  it('changes bytes in every way without leaving them', () => {
    const data = Buffer.from('0123456789');
    for (let kind = 0; kind < 10; kind++) {
      for (const at of [0, 5, 10, 0x7fffffff]) {
        const edited = applyEdits(data, [[kind, at, at, at]], [data]);
        expect(edited.length).toBeLessThan(1000);
      }
    }
    expect(data.toString()).toBe('0123456789');
  });
});
