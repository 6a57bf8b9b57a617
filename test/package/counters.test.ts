import { describe, expect, it } from 'vitest';
import { type BomRecord, directorySize } from '../../src/bom/bom.ts';
import { payloadCounters } from '../../src/package/counters.ts';
import { FACTS } from '../support/payload.ts';

const folder = (path: string, children = 1): BomRecord => ({
  ...FACTS,
  path,
  kind: 'directory',
  mode: 0o755,
  size: directorySize(children),
});
const file = (path: string, size: number): BomRecord => ({ ...FACTS, path, kind: 'file', mode: 0o644, size, cksum: 0 });

describe('payloadCounters', () => {
  it('gives what pkgbuild --root was seen to write for a bundle of six files in eight folders', () => {
    const files = [614, 117440, 8, 17, 17, 2463].map((size, index) => file(`./${index}`, size));
    const folders = Array.from({ length: 8 }, (_, index) => folder(`./d${index}`));
    expect(payloadCounters([folder('.'), ...folders, ...files])).toEqual({ numberOfFiles: 15, installKBytes: 124 });
  });

  it('counts nothing for the root alone and for AppleDouble files', () => {
    expect(payloadCounters([folder('.')])).toEqual({ numberOfFiles: 1, installKBytes: 0 });
    const double: BomRecord = { ...file('./._a', 700), pathOnly: true };
    expect(payloadCounters([folder('.'), double])).toEqual({ numberOfFiles: 2, installKBytes: 0 });
  });

  it('counts what only looks like an AppleDouble file, and each other path whose metadata are not applied', () => {
    const records: [BomRecord, number][] = [
      [file('./._a', 700), 1],
      [{ ...file('./a._b', 700), pathOnly: true }, 1],
      [{ ...file('./._a/b', 700), pathOnly: true }, 1],
      [{ ...file('./b/._a', 700), pathOnly: true }, 0],
    ];
    for (const [record, installKBytes] of records)
      expect(payloadCounters([folder('.'), record])).toEqual({ numberOfFiles: 2, installKBytes });
  });

  it.each([
    [0, 0],
    [1, 1],
    [512, 1],
    [513, 1],
    [1024, 1],
    [1025, 2],
  ])('takes %i bytes for %i KiB', (size, installKBytes) => {
    expect(payloadCounters([folder('.'), file('./a', size)]).installKBytes).toBe(installKBytes);
  });

  it('rounds each file up to 512 bytes before the sum to KiB', () => {
    expect(payloadCounters([folder('.'), file('./a', 1), file('./b', 1)]).installKBytes).toBe(1);
  });

  it('counts two blocks for a folder of fifteen', () => {
    expect(payloadCounters([folder('.'), folder('./d', 14), folder('./e', 15)]).installKBytes).toBe(2);
  });
});
