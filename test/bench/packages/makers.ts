import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { crateProgram, goProgram } from '../../support/programs.ts';
import { cargoProgram, compiledProgram, type Missing, npmFile, systemProgram } from '../peers.ts';

/** Somebody who packages a tree, or signs a package. */
export interface Maker {
  readonly name: string;
  /** What comes out. */
  readonly makes: string;
  /** Returns the command that makes `target` out of `source`. */
  readonly argv: (source: string, target: string) => readonly string[];
}

/** A maker, or the reason why there is none here. */
export type Found = Maker | (Pick<Maker, 'name'> & Missing);

/** Who packages trees: ours first. */
export function packageMakers(): Found[] {
  const sources = join(process.cwd(), 'test/bench/packages/embala');
  return [
    { name: 'this project', makes: 'package', argv: (tree, target) => program('package', tree, target) },
    found('@electron/osx-sign', npmFile('@electron/osx-sign', '2.7.2', 'dist/pkg-utils/pkg.js'), (file) => ({
      makes: 'package',
      argv: (tree, target) => [process.execPath, '--input-type=module', '-e', OSX_SIGN, file, tree, target],
    })),
    found('embala-pkg', cargoProgram(sources, 'package-one'), (path) => ({
      makes: 'package',
      argv: (tree, target) => [path, tree, target],
    })),
    found('cpio + gzip', both('cpio', 'gzip'), () => ({ makes: 'Payload alone', argv: pipe('gzip -n') })),
    found('cpio + pigz', both('cpio', 'pigz'), () => ({ makes: 'Payload alone', argv: pipe('pigz -n') })),
    { name: 'app-builder-lib', needs: "macOS: it calls Apple's pkgbuild and productbuild" },
    { name: 'applecrate', needs: "macOS: it calls Apple's pkgbuild and productbuild" },
  ];
}

/** Who signs packages, with the key and the chain in `identity` (PEM) and without a timestamp: ours first. */
export function packageSigners(identity: { readonly pem: string; readonly relic: string }): Found[] {
  return [
    {
      name: 'this project',
      makes: 'signature',
      argv: (source, target) => program('sign', source, target, identity.pem),
    },
    found('rcodesign', compiledProgram(crateProgram('apple-codesign', '0.29.0', 'rcodesign')), (path) => ({
      makes: 'signature',
      argv: (source, target) => [path, 'sign', '--pem-file', identity.pem, '--timestamp-url', 'none', source, target],
    })),
    found('relic', compiledProgram(goProgram('github.com/sassoftware/relic/v7', 'v7.6.2', 'relic')), (path) => ({
      makes: 'signature',
      argv: (source, target) => {
        const files = ['--file', source, '--output', target];
        return [path, 'sign', '--config', identity.relic, '--key', 'k', '--sig-type', 'xar', ...files];
      },
    })),
  ];
}

/** What of us is measured: programs of their own, as none of the others loads a command line with 20 commands either; started as run.sh does. */
const program = (name: string, ...argv: string[]) => [
  '/usr/bin/env',
  `UV_THREADPOOL_SIZE=${Math.min(16, Math.max(2, availableParallelism()))}`,
  process.execPath,
  '--max-semi-space-size=4',
  '--v8-pool-size=2',
  `.build/bench-${name}.mjs`,
  ...argv,
];

const OSX_SIGN =
  "const [file, tree, output] = process.argv.slice(1); const { buildProductArchive } = await import(file); await buildProductArchive({ app: tree + '/Tree.app', output });";

function found(name: string, program: string | Missing, make: (path: string) => Omit<Maker, 'name'>): Found {
  return typeof program === 'string' ? { name, ...make(program) } : { name, ...program };
}

function both(...names: string[]): string | Missing {
  return names.map(systemProgram).find((one) => typeof one !== 'string') ?? '';
}

function pipe(compressor: string): Maker['argv'] {
  return (tree, target) => [
    'sh',
    '-c',
    `cd "$1" && find . | cpio -o -H odc --quiet | ${compressor} > "$2"`,
    'sh',
    tree,
    target,
  ];
}
