import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Plan } from '../../../../build/plan/plan.ts';
import { readBundleSource } from '../../../../build/stages/compile.ts';
import { portableCompiler } from '../../../../src/toolchain/portable/compiler.ts';
import { byDay, ofTheDay } from '../../../support/by-day.ts';
import { firstOnPath } from '../../../support/needs.ts';
import { quickCompiler } from '../../../support/quick-compiler.ts';
import { FILES, type Json, settingsProject, TEXT } from './project.ts';

const signal = new AbortController().signal;
const { original, outcome, write } = settingsProject();

const linking = firstOnPath('clang', ...versions('clang')) && firstOnPath('ld64.lld', ...versions('ld64.lld'));
describe(`what the compiler is told${ofTheDay}`, () => {
  const { PATH } = process.env;
  beforeAll(() => void (process.env.PATH = quickCompiler()));
  afterAll(() => void (process.env.PATH = PATH));
  const compiled = async (plan: Plan) => {
    const slices = await portableCompiler().compile(await readBundleSource(plan), { signal });
    return slices.map(({ data }) => data.toString('base64'));
  };

  // Frameworks are for Apple's linker alone; test/toolchain/apple holds its argv.
  it.skipIf(!linking).each(
    byDay(
      [
        ['sources', (list: string[]) => list.filter((name) => name !== 'clock.c')],
        ['compilerFlags', (list: string[]) => list.map((flag) => (flag === '-Os' ? '-O0' : flag))],
        ['linkerFlags', (list: string[]) => list.map((flag) => (flag === '40' ? '8000' : flag))],
        ['exportedSymbols', (list: string[]) => [...list, '_other']],
        ['stubHeaders', () => 'other'],
        ['stubLibraries', (list: string[]) => list.slice(0, 1)],
      ] as [string, (value: unknown) => Json][],
      1,
    ),
  )(
    `changes the program or is refused: %s${linking ? '' : ' (skipped: needs clang, ld64.lld)'}`,
    async (key, change) => {
      const before = await original(compiled);
      const file = JSON.parse(TEXT[FILES.build] as string);
      write(FILES.build, JSON.stringify({ ...file, [key]: change(file[key]) }));
      expect(await outcome(compiled)).not.toEqual(before);
    },
  );
});

function versions(program: string): string[] {
  return Array.from({ length: 12 }, (_, index) => `${program}-${14 + index}`);
}
