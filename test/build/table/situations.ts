import { builtPackage } from '../../support/built-package.ts';

/** A way to call a command wrongly, or where it cannot do its work. */
export interface Situation {
  readonly name:
    | 'no argument'
    | 'wrong argument'
    | 'missing file'
    | 'place that takes no file'
    | 'no network'
    | '--json';
  readonly argv: readonly string[];
}

/** What stands in the place of a finished package in the table. */
export const PACKAGE = 'Escrow.Buddy-1.1.0.pkg';
const GONE = 'gone.pkg';
const NOWHERE = '/proc/self/none';

/** Whatever a command needs beside what is wrong. */
interface Shape {
  /** With a file that is not there. */
  readonly missing?: readonly string[];
  /** With a place in which nothing can be made. */
  readonly nowhere?: readonly string[];
  readonly offline?: readonly string[];
  /** True where the command without an argument does its work. */
  readonly worksAlone?: boolean;
}

const KEYS = ['--email', 'owner@example.com', '--name', 'Example'];

/** Every command by the words that call it. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  release: {
    worksAlone: true,
    missing: ['--rehearsal', '--out', 'out', '--previous', GONE],
    nowhere: ['--rehearsal', '--out', NOWHERE],
  },
  build: { worksAlone: true, nowhere: ['--out', NOWHERE] },
  parts: { nowhere: ['--out', NOWHERE] },
  csr: { nowhere: [...KEYS, '--out', NOWHERE] },
  timestamp: {
    missing: ['--compiled', 'gone', '--record', 'record.json'],
    nowhere: ['--compiled', '.', '--record', NOWHERE],
  },
  digests: {
    missing: ['--compiled', 'gone', '--record', 'record.json', '--out', 'digests.txt'],
    nowhere: ['--compiled', '.', '--record', 'record.json', '--out', NOWHERE],
  },
  inspect: { missing: [GONE] },
  expand: { missing: [GONE, 'folder'], nowhere: [PACKAGE, NOWHERE] },
  verify: { missing: [GONE], nowhere: [PACKAGE, '--html', NOWHERE] },
  prove: { missing: [GONE] },
  evidence: { missing: ['gone'], nowhere: ['.', '--out', NOWHERE] },
  kit: { missing: [GONE], nowhere: [PACKAGE, '--out', NOWHERE] },
  index: { missing: ['gone.json'], nowhere: [NOWHERE, '--add', '.'] },
  compare: { missing: [PACKAGE, GONE] },
  notarize: {},
  staple: { missing: [GONE], offline: [PACKAGE, '--max-wait', '0s'] },
  doctor: { worksAlone: true },
  'doctor explain': {},
  github: {},
};

/** Returns what is tried of a command. */
export function situationsOf(command: string): Situation[] {
  const words = command.split(' ');
  const { missing, nowhere, offline, worksAlone } = SHAPES[command] as Shape;
  const all: (Situation | undefined)[] = [
    worksAlone ? undefined : { name: 'no argument', argv: words },
    { name: 'wrong argument', argv: [...words, ...(missing ?? nowhere ?? []), '--nonsense'] },
    missing && { name: 'missing file', argv: [...words, ...missing] },
    nowhere && { name: 'place that takes no file', argv: [...words, ...nowhere] },
    offline && { name: 'no network', argv: [...words, ...offline] },
    { name: '--json', argv: [...words, ...(missing ?? ['--nonsense']), '--json'] },
  ];
  return all.filter((one) => one !== undefined);
}

/** The package that `PACKAGE` stands for. */
export const packagePath = builtPackage;
