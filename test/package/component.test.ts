import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InterruptedError } from '../../src/base/errors.ts';
import { buildComponent } from '../../src/package/component.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { directory, FACTS, file, noise } from '../support/payload.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'component-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const plan = (entry: PayloadEntry) => ({
  identifier: 'com.example.a',
  version: '1.0',
  installLocation: '/Library',
  payload: [directory('.'), entry],
  scripts: [],
  bundles: [],
});

describe('buildComponent', () => {
  it('hears an interruption in a payload that does not shrink, so that no thread is waited for', async () => {
    const piece = noise(512 * 1024);
    const controller = new AbortController();
    let asked = 0;
    const pieces = function* () {
      for (; asked < 40; asked++) {
        if (asked === 10) setImmediate(() => controller.abort());
        yield piece;
      }
    };
    const source = {
      size: 40 * piece.length,
      chunksNow: pieces,
      chunks: () => expect.fail('it could be read without waiting'),
    };
    const large: PayloadEntry = { ...FACTS, kind: 'file', path: './a', mode: 0o644, source };
    const building = buildComponent(plan(large), join(folder, 'a.pkg'), controller.signal);
    await expect(building).rejects.toThrow(InterruptedError);
    expect(asked).toBeLessThan(20);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('keeps the payload in one hidden file until it is disposed of', async () => {
    const { signal } = new AbortController();
    const component = await buildComponent(plan(file('./a', noise(1_000))), join(folder, 'a.pkg'), signal);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^\.a\.pkg\.payload\..*\.unfinished$/)]);
    await component.dispose();
    expect(readdirSync(folder)).toEqual([]);
  });
});
