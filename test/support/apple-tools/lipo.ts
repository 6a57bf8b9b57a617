import { readFileSync, writeFileSync } from 'node:fs';
import { buildFat } from '../../../src/macho/fat.ts';
import { ToolFailure } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions } from './options.ts';

/** lipo(1): `-create` alone is played. */
export async function lipo(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, {
    '-create': 'none',
    '-output -o': 'value',
    '-arch': 'value',
    '-info': 'none',
    '-archs': 'none',
    '-detailed_info': 'none',
    '-thin': 'value',
    '-extract': 'value',
    '-remove': 'value',
    '-replace': 'value',
    '-segalign': 'value',
    '-verify_arch': 'value',
    '-hideARM64': 'none',
    '-fat64': 'none',
  });
  if (!options.has('-create')) throw new Error('only -create is played');
  const output = options.value('-output');
  if (output === undefined) throw new ToolFailure(1, 'fatal error: lipo: no output file specified');
  writeFileSync(output, buildFat(options.rest.map((path) => readFileSync(path))), { mode: 0o755 });
  return {};
}
