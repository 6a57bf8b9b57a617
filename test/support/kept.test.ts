import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptBuild } from './kept-build.ts';
import { needs } from './needs.ts';
import { programStamp } from './program-stamp.ts';
import { putBeforePath } from './quick-compiler.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'kept-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

/** A folder with sources, and compilers of two lines that write down that they were started. */
class Bench {
  readonly bin = join(scratch, 'llvm-14');
  readonly sources = join(scratch, 'sources');
  readonly objects = join(scratch, 'objects');
  readonly #calls = join(scratch, 'calls');
  #env: NodeJS.ProcessEnv = {};

  constructor() {
    for (const folder of [this.bin, join(this.sources, 'sdk'), this.objects]) mkdirSync(folder, { recursive: true });
    this.put('clang', `cat '${this.sources}/a.c' >a.o`);
    this.put('ld64.lld', `cat a.o '${this.sources}/sdk/lib.tbd' >program`);
    writeFileSync(join(this.sources, 'a.c'), 'a');
    writeFileSync(join(this.sources, 'sdk/lib.tbd'), 'lib');
    writeFileSync(join(scratch, 'outside.h'), 'outside');
    symlinkSync(join(scratch, 'outside.h'), join(this.sources, 'b.h'));
  }

  put(name: string, body: string): void {
    rmSync(join(this.bin, name), { force: true });
    writeFileSync(join(this.bin, name), `#!/bin/sh\necho ${name} >>'${this.#calls}'\n${body}\n:\n`);
    chmodSync(join(this.bin, name), 0o755);
  }

  set(name: string, value: string): void {
    this.#env = { ...this.#env, [name]: value };
  }

  /** Compiles and links; returns which of the real programs ran. */
  make(flag = '-Os'): string[] {
    writeFileSync(this.#calls, '');
    const path = putBeforePath(`${this.bin}${delimiter}${process.env.PATH}`, join(scratch, 'kept'));
    const run = (program: string, ...argv: string[]) =>
      spawnSync(program, argv, { cwd: this.objects, env: { ...this.#env, PATH: path }, encoding: 'utf8' });
    const compiled = run('clang', flag, `-ffile-prefix-map=${this.sources}=.`, '-c', join(this.sources, 'a.c'));
    const linked = run('ld64.lld', '-o', 'program', 'a.o', join(this.sources, 'sdk/lib.tbd'));
    expect([compiled.status, linked.status], compiled.stderr + linked.stderr).toEqual([0, 0]);
    return readFileSync(this.#calls, 'utf8').trim().split('\n').filter(Boolean);
  }

  /** Returns what both say that they are, and which of the real programs ran. */
  versions(): [said: string, ran: string[]] {
    writeFileSync(this.#calls, '');
    const path = putBeforePath(`${this.bin}${delimiter}${process.env.PATH}`, join(scratch, 'kept'));
    const ask = (program: string) =>
      spawnSync(program, ['--version'], { env: { PATH: path }, encoding: 'utf8' }).stdout.trim();
    const said = ['clang', 'ld64.lld'].map(ask).join(' ');
    return [said, readFileSync(this.#calls, 'utf8').trim().split('\n').filter(Boolean)];
  }

  made(): string {
    return readFileSync(join(this.objects, 'program'), 'utf8');
  }
}
const tools = needs('sha256sum');

describe.skipIf(tools.missing)(`the quick compiler${tools.note}`, () => {
  it('runs the real ones once for the same, and gives the same bytes again', () => {
    const bench = new Bench();
    expect(bench.make()).toEqual(['clang', 'ld64.lld']);
    const first = bench.made();
    rmSync(join(bench.objects, 'program'));
    expect(bench.make()).toEqual([]);
    expect(bench.made()).toBe(first);
  });

  it.each<[string, string[], (bench: Bench) => void]>([
    ['a source', ['clang', 'ld64.lld'], ({ sources }) => writeFileSync(join(sources, 'a.c'), 'b')],
    ['a header that is a link', ['clang'], () => appendFileSync(join(scratch, 'outside.h'), 'x')],
    ['a file more', ['clang'], ({ sources }) => writeFileSync(join(sources, 'sdk/new.h'), '')],
    ['a library', ['clang', 'ld64.lld'], ({ sources }) => writeFileSync(join(sources, 'sdk/lib.tbd'), 'lic')],
    ['the compiler, of the same size', ['clang'], (bench) => bench.put('clang', `cat >a.o '${bench.sources}/a.c'`)],
    ['the linker', ['ld64.lld'], (bench) => bench.put('ld64.lld', 'cp a.o program')],
    ['a variable that compilers read', ['clang', 'ld64.lld'], (bench) => bench.set('CPATH', scratch)],
  ])('runs them anew after a change of %s', (_, expected, change) => {
    const bench = new Bench();
    bench.make();
    change(bench);
    expect(bench.make()).toEqual(expected);
  });

  it('asks the real ones for their version once, and anew after a change of one', () => {
    const bench = new Bench();
    for (const name of ['clang', 'ld64.lld']) bench.put(name, `echo ${name} 14`);
    expect(bench.versions()).toEqual(['clang 14 ld64.lld 14', ['clang', 'ld64.lld']]);
    expect(bench.versions()).toEqual(['clang 14 ld64.lld 14', []]);
    bench.put('ld64.lld', 'echo ld64.lld 15');
    // They lie in one folder, so both are asked again.
    expect(bench.versions()).toEqual(['clang 14 ld64.lld 15', ['clang', 'ld64.lld']]);
  });

  it('runs the compiler anew for another flag, and keeps no failure', () => {
    const bench = new Bench();
    bench.make();
    expect(bench.make('-O2')).toEqual(['clang']);
    bench.put('clang', 'exit 1');
    expect(() => bench.make('-O3')).toThrow();
    bench.put('clang', 'echo 3 >a.o');
    expect(bench.make('-O3')).toEqual(['clang', 'ld64.lld']);
  });
});

const ldd = needs('ldd');
describe.skipIf(ldd.missing || process.platform !== 'linux')(`the stamp of a program${ldd.note}`, () => {
  afterEach(() => {
    delete process.env.LD_LIBRARY_PATH;
  });

  it('is another as soon as a library that it loads is another file', () => {
    const libc = /^(\S*\/libc[.-]\S*) /m.exec(programStamp(realpathSync('/bin/sh')))?.[1];
    const [program, library] = [join(scratch, 'program'), join(scratch, 'libc.so.6')];
    copyFileSync(realpathSync('/bin/sh'), program);
    copyFileSync(libc as string, library);
    process.env.LD_LIBRARY_PATH = scratch;
    const before = programStamp(program);
    expect(before).toContain(library);
    expect(programStamp(program)).toBe(before);
    chmodSync(library, 0o600);
    expect(programStamp(program)).not.toBe(before);
  });
});

describe('a kept build', () => {
  let made = 0;
  const name = `kept-test-${process.pid}`;
  beforeEach(() => {
    made = 0;
    mkdirSync(join(scratch, 'sources'));
    writeFileSync(join(scratch, 'sources/a'), 'a');
    writeFileSync(join(scratch, 'program'), 'program');
    writeFileSync(join(scratch, 'outside'), 'outside');
    symlinkSync(join(scratch, 'outside'), join(scratch, 'sources/link'));
  });
  afterEach(() => {
    delete process.env.KEPT_TEST;
    rmSync(join('.build', name), { recursive: true, force: true });
  });
  const build = () =>
    keptBuild(
      name,
      { files: [join(scratch, 'sources')], programs: [join(scratch, 'program')], variables: ['KEPT_TEST'] },
      async (folder) => writeFileSync(join(folder, 'made'), String(++made)),
    ).then((folder) => readFileSync(join(folder, 'made'), 'utf8'));

  it.each<[string, () => void]>([
    ['a source', () => writeFileSync(join(scratch, 'sources/a'), 'b')],
    ['the name of one', () => writeFileSync(join(scratch, 'sources/b'), '')],
    ['what a link leads to', () => writeFileSync(join(scratch, 'outside'), 'outsidf')],
    ['a program, of the same size', () => writeFileSync(join(scratch, 'program'), 'programm'.slice(1))],
    ['a variable', () => void (process.env.KEPT_TEST = '')],
  ])('is made anew after a change of %s, and not before', async (_, change) => {
    expect([await build(), await build()]).toEqual(['1', '1']);
    change();
    expect([await build(), await build()]).toEqual(['2', '2']);
  });
});
