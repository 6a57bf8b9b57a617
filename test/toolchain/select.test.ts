import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/base/errors.ts';
import { selectToolchain } from '../../src/toolchain/select.ts';

const before = process.env.PATH;
let work: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'select-'));
});
beforeEach(() => {
  process.env.PATH = before;
});
afterAll(() => {
  process.env.PATH = before;
  rmSync(work, { recursive: true, force: true });
});

/** Makes a folder with programs of these names the only one on PATH. */
function only(mode: number, ...programs: string[]): void {
  const folder = mkdtempSync(join(work, 'bin-'));
  mkdirSync(folder, { recursive: true });
  for (const program of programs) {
    writeFileSync(join(folder, program), '#!/bin/sh\n');
    chmodSync(join(folder, program), mode);
  }
  process.env.PATH = folder;
}

describe('selecting a toolchain', () => {
  it.each([
    ['auto', 'apple', ['xcrun', 'pkgbuild']],
    ['auto', 'portable', ['xcrun']],
    ['auto', 'portable', ['pkgbuild']],
    ['auto', 'portable', []],
    ['portable', 'portable', ['xcrun', 'pkgbuild']],
    ['apple', 'apple', ['xcrun', 'pkgbuild']],
  ] as const)('%s is %s with %j on PATH', (choice, name, programs) => {
    only(0o755, ...programs);
    expect(selectToolchain(choice).name).toBe(name);
  });

  it.each([
    [[], 'xcrun and pkgbuild'],
    [['xcrun'], 'needs pkgbuild'],
    [['pkgbuild'], 'needs xcrun'],
  ])('refuses apple with %j on PATH, and says what to do', (programs, named) => {
    only(0o755, ...programs);
    const select = () => selectToolchain('apple');
    expect(select).toThrow(UsageError);
    expect(select).toThrow(named);
    expect(select).toThrow(
      expect.objectContaining({
        code: 'TOOLCHAIN_UNAVAILABLE',
        hint: expect.stringContaining('xcode-select --install'),
      }),
    );
  });

  it('takes files that nobody may run for none', () => {
    only(0o644, 'xcrun', 'pkgbuild');
    expect(selectToolchain('auto').name).toBe('portable');
  });
});
