import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../src/base/bytes.ts';
import { bomRecords } from '../../src/bom/payload-records.ts';
import { buildComponent } from '../../src/package/component.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { directory, errorOf, FACTS, file, recordsOf, symlink } from '../support/payload.ts';

describe('bomRecords', () => {
  it('gives folders the size that APFS reports and links that of their target', async () => {
    const records = await recordsOf([directory('.'), directory('./d'), file('./d/f', 'hello'), symlink('./l', 'd/é')]);
    expect(records.map(({ path, size }) => [path, size])).toEqual([
      ['.', 128],
      ['./d', 96],
      ['./d/f', 5],
      ['./l', 4],
    ]);
    expect(records[2]).toMatchObject({ cksum: 3287646509 });
  });

  it('refuses a file that was not read', async () => {
    expect((await errorOf(() => bomRecords([directory('.'), file('./f', '')], new Map()))).message).toContain('./f');
  });
});

describe('buildComponent', () => {
  it('refuses a file from 4 GiB on, which no Bom lists, before it reads any', async () => {
    let read = false;
    const source: ByteSource = {
      size: 2 ** 32,
      async *chunks() {
        read = true;
        yield Buffer.alloc(1);
      },
    };
    const large: PayloadEntry = { ...FACTS, kind: 'file', path: './large', mode: 0o644, source };
    const none = { identifier: 'a.b', version: '1', installLocation: '/', scripts: [], bundles: [] };
    const plan = { ...none, payload: [directory('.'), large] };
    const run = () => buildComponent(plan, join(tmpdir(), 'never-written'), new AbortController().signal);
    expect((await errorOf(run)).code).toBe('ENTRY_TOO_LARGE');
    expect(read).toBe(false);
  });
});
