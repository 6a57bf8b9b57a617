import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type ProofInput, proveContents } from '../../../build/prove/prove.ts';
import { openRehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { portableToolchain } from '../../../src/toolchain/portable/portable-toolchain.ts';
import type { Compiler, MachOSlice } from '../../../src/toolchain/toolchain.ts';
import { openSample, type Sample } from '../../mutation/sample.ts';
import { builtPackage } from '../../support/built-package.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';
import { codePlants, PLANTED } from './planted.ts';

let scratch: string;
let sample: Sample;
let common: Omit<ProofInput, 'file'>;
const { PATH } = process.env;
beforeAll(async () => {
  process.env.PATH = quickCompiler();
  scratch = mkdtempSync(join(tmpdir(), 'proof-'));
  const authority = await openRehearsalAuthority('.rehearsal');
  sample = await openSample(readFileSync(builtPackage()), authority);
  const portable = portableToolchain(() => Promise.resolve(undefined));
  common = {
    source: process.cwd(),
    sourceDateEpoch: String(sample.archive.creationTime),
    trust: authority.trust,
    signal: new AbortController().signal,
    toolchain: { ...portable, compiler: compilingOnce(portable.compiler) },
  };
});
afterAll(() => {
  process.env.PATH = PATH;
  rmSync(scratch, { recursive: true, force: true });
});

/** The sources do not change from one planted difference to the next. */
function compilingOnce(compiler: Compiler): Compiler {
  let slices: Promise<readonly MachOSlice[]> | undefined;
  return {
    ...compiler,
    compile(source, options) {
      slices ??= compiler.compile(source, options);
      return slices;
    },
  };
}

async function failures(file: Buffer, input: Partial<ProofInput> = {}) {
  const path = join(scratch, 'changed.pkg');
  writeFileSync(path, file);
  const { checks } = await proveContents({ ...common, ...input, file: path });
  return checks.filter(({ status }) => status === 'fail');
}

describe(`what is planted into a release${ofTheDay}`, () => {
  it('says that another compiler is a reason, and that the same one is none', async () => {
    const [plant] = await codePlants(sample);
    const file = await plant!.make(sample);
    const same = await failures(file);
    expect(same.map(({ id }) => id)).not.toContain('rebuilt-compiler');
    writeFileSync(join(scratch, 'release.json'), readFileSync(join(inject('releaseFolder'), 'release.json')));
    const toolchain = {
      ...common.toolchain!,
      compiler: { ...common.toolchain!.compiler, versions: async () => ({ clang: '99.1' }) },
    };
    const other = await failures(file, { toolchain });
    rmSync(join(scratch, 'release.json'));
    const reason = other.find(({ id }) => id === 'rebuilt-compiler')?.reason;
    expect(reason).toMatch(
      /^another compiler is a reason for other code: release\.json names clang [\d.]+, here it is 99\.1/,
    );
  });

  it('names every planted difference', async () => {
    const planted = [...PLANTED, ...(await codePlants(sample))];
    expect(planted.length).toBeGreaterThanOrEqual(40);
    const wrong: string[] = [];
    for (const { what, id, words, make } of byDay(planted, 2, ({ kind }) => kind)) {
      const found = await failures(await make(sample));
      const named = found.filter((check) => check.id === id).map((check) => `${check.subject}: ${check.reason}`);
      if (!named.some((reason) => words.test(reason)))
        wrong.push(`${what}: ${found.map((check) => `${check.id} ${check.reason}`).join('\n') || 'not noticed'}`);
    }
    expect(wrong).toEqual([]);
  });
});
