import { basename } from 'node:path';
import { PURE_PARTS } from '../plugin/native/pure-parts.ts';

/** A room of the source, and the tests that are asked about a fault in it. */
export interface Room {
  readonly folder: string;
  /**
   * Folders or files of tests, those with `!` before them left out; of each only those files that import the changed file, directly
   * or not, or start the command line.
   */
  readonly tests: readonly string[];
  /** Per cent of faults that must be noticed. */
  readonly floor: number;
  /** How many faults a sample by day has; a whole room is for the night. */
  readonly sample: number;
  /** Tests reach the source as a program, not by import: whether one of them is asked about a file. */
  readonly apart?: (test: string, file: string) => boolean;
  /** Of its files those directly in the folder alone; what lies below are rooms of their own. */
  readonly own?: boolean;
}

const room = (folder: string, floor: number, ...tests: readonly string[]): Room => ({
  folder,
  tests: [folder.replace(/^src\//, 'test/').replace(/^build\//, 'test/build/'), ...tests],
  floor,
  sample: 40,
});

/** Every room whose faults are tried. */
export const ROOMS: readonly Room[] = [
  // What verification refuses is asserted by tables of changed packages.
  room('src/verify', 90, 'test/mutation/mutation.test.ts', 'test/attacks/attacks.test.ts'),
  room('src/code-signature', 90, 'test/verify', 'test/mutation/mutation.test.ts'),
  room('src/pki', 90, 'test/code-signature', 'test/rehearsal', 'test/mutation/mutation.test.ts'),
  room('src/package', 90, 'test/verify', 'test/mutation/mutation.test.ts'),
  room('src/xar', 90),
  room('src/bom', 90),
  room('src/cpio', 90, 'test/compression', 'test/package', 'test/verify'),
  room('src/macho', 90, 'test/code-signature'),
  room('src/notary', 90),
  {
    folder: 'payload/plugin',
    tests: ['test/plugin/native.test.ts', 'test/plugin/outcomes.test.ts', 'test/mutants/native-host.ts'],
    floor: 90,
    sample: 40,
    apart: (test, file) => !test.startsWith('test/plugin/native') || PURE_PARTS.includes(basename(file)),
  },
  {
    folder: 'scripts/lib',
    tests: [
      'test/scripts',
      'test/mac/arguments.test.ts',
      'test/mac/guard-hears.test.ts',
      'test/mac/status',
      'test/mac/corpus-dash.test.ts',
    ],
    floor: 90,
    sample: 40,
    apart: () => true,
  },
  room('build/github', 90, 'test/github/policy', 'test/github/order.test.ts'),
  room('src/base', 80),
  room('src/tree', 80),
  room('src/xml', 80),
  room('src/compression', 80, 'test/cpio'),
  room('src/rehearsal', 80, 'test/toolchain/portable', 'test/notary/faults.test.ts', 'test/build/commands.test.ts'),
  room('src/toolchain', 80, 'test/build/apple-release.test.ts', 'test/rehearsal/with-apple-tools.test.ts'),
  room('src/apple-messages', 80, 'test/toolchain/apple/recorded-outputs.test.ts', 'test/build/messages'),
  // The settings are followed into packages, which asks what makes those.
  room('build/plan', 80, '!test/build/plan/settings'),
  room('build/signing', 80),
  room('build/stages', 80, 'test/build/plan/settings', 'test/build/release', 'test/build/commands.test.ts'),
  room('build/report', 80, 'test/build/commands', 'test/build/cli.test.ts', 'test/build/last-line.test.ts'),
  room('build/sbom', 80, 'test/build/release'),
  room('build/compare', 80),
  // The release that tests share is made without the fault: what is compared with it differs here, and would not in npm test.
  room('build/kit', 80, '!test/build/kit/made-again.test.ts'),
  room('build/prove', 80, 'test/build/compare'),
  room('build/evidence', 80),
  // A command is asked where its matter is.
  room(
    'build/commands',
    80,
    'test/build/compare',
    'test/build/evidence',
    'test/build/release-index',
    'test/build/kit/made-again.test.ts',
    'test/build/signing/credentials.test.ts',
    'test/build/signing/replay.test.ts',
    'test/build/commands.test.ts',
    'test/build/cli.test.ts',
    'test/build/last-line.test.ts',
    'test/build/replace.test.ts',
    'test/build/parts/parts.test.ts',
    'test/build/prove/prove.test.ts',
    'test/build/release',
  ),
  room('build/messages', 80),
  room('build/notary', 80, 'test/build/commands.test.ts'),
  room('build/parts', 80),
  room('build/scripts', 80, 'test/build/stages/generate-scripts.test.ts'),
  room('build/release-index', 80),
  room('build/release-page', 80),
  { folder: 'build/signers', tests: ['test/build/signers'], floor: 80, sample: 40, apart: () => true },
  // A program in plain JavaScript, which shares no code with what it looks at.
  { folder: 'build/look', tests: ['test/build/look'], floor: 80, sample: 40, apart: () => true },
  {
    folder: 'build',
    tests: [
      ...'again cli commands exit-code interrupt interruption last-line readiness replace run thread-pool'
        .split(' ')
        .map((name) => `test/build/${name}.test.ts`),
      'test/build/release',
    ],
    floor: 80,
    sample: 40,
    own: true,
  },
  // No rooms: build/figures counts the source for people, and build/setup starts each of these tests: a fault in it stops them all.
];
