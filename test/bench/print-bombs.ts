import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from '../support/needs.ts';
import { detonate } from './bombs/detonate.ts';
import { bombTable } from './bombs/table.ts';

/** Prints what `verify` costs for each bomb: size, seconds of processor, peak memory, and what it names. */
export async function printBombs(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bombs-'));
  process.stdout.write('| file | bytes | CPU s | peak MiB | named |\n|---|---|---|---|---|\n');
  for (const bomb of bombTable()) {
    if (bomb.needs && !findOnPath(bomb.needs)) {
      process.stdout.write(`| ${bomb.name} | skipped: needs ${bomb.needs} |\n`);
      continue;
    }
    const { size, seconds, peakMib, named } = await detonate(bomb, folder);
    process.stdout.write(`| ${bomb.name} | ${size} | ${seconds.toFixed(1)} | ${Math.round(peakMib)} | ${named} |\n`);
  }
  rmSync(folder, { recursive: true });
}
