import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BOMBS } from './bombs.ts';
import { measureVerify } from './measure-verify.ts';

/** Prints what `verify` costs for each bomb: size, seconds of processor, peak memory, and what it names. */
const folder = mkdtempSync(join(tmpdir(), 'bombs-'));
const wanted = process.argv[2];
process.stdout.write('| file | bytes | CPU s | peak MiB | named |\n|---|---|---|---|---|\n');
for (const bomb of BOMBS.filter(({ name }) => wanted === undefined || name.includes(wanted))) {
  const path = join(folder, 'bomb.pkg');
  const data = await bomb.make();
  writeFileSync(path, data);
  const { seconds, peakMib, stdout, stderr } = measureVerify(path);
  const named = bomb.limit?.exec(`${stdout}${stderr}`)?.[0] ?? (bomb.limit ? 'LIMIT NOT NAMED' : 'none needed');
  process.stdout.write(
    `| ${bomb.name} | ${data.length} | ${seconds.toFixed(1)} | ${Math.round(peakMib)} | ${named} |\n`,
  );
}
rmSync(folder, { recursive: true });
