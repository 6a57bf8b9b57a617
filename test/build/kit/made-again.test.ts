import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../build/command.ts';
import { kit } from '../../../build/commands/kit.ts';
import { unzip } from '../../../build/kit/zip.ts';
import { builtPackage } from '../../support/built-package.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'made-again-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the command kit', () => {
  it('finds the extra packages of a rehearsal by its name, and makes the kit that the release has', async () => {
    const out = join(folder, 'made.zip');
    const context = { root: process.cwd() } as CommandContext;
    await kit(context, builtPackage(), { out });
    const released = join(dirname(builtPackage()), 'EscrowBuddy-1.1.0-rehearsal-mdm-kit.zip');
    const [made, found] = await Promise.all([out, released].map((path) => unzip(readFileSync(path))));
    expect(made?.files).toEqual(found?.files);
    for (const check of [out, released])
      expect(await kit(context, builtPackage(), { check })).toMatchObject({ exitCode: 0 });
  });
});
