import { recordCall, ToolFailure } from './machine.ts';
import { UnknownOption } from './options.ts';

/** What a stand-in prints when all went well. */
export interface Printed {
  readonly stdout?: string;
  readonly stderr?: string;
}

type Tool = (argv: readonly string[]) => Promise<Printed>;

/** Only the one that is called is loaded. */
const TOOLS: Readonly<Record<string, () => Promise<Tool>>> = {
  codesign: async () => (await import('./codesign.ts')).codesign,
  lipo: async () => (await import('./lipo.ts')).lipo,
  notarytool: async () => (await import('./notarytool.ts')).notarytool,
  pkgbuild: async () => (await import('./pkgbuild.ts')).pkgbuild,
  pkgutil: async () => (await import('./pkgutil.ts')).pkgutil,
  productbuild: async () => (await import('./productbuild.ts')).productbuild,
  productsign: async () => (await import('./productsign.ts')).productsign,
  security: async () => (await import('./security.ts')).security,
  spctl: async () => (await import('./spctl.ts')).spctl,
  stapler: async () => (await import('./stapler.ts')).stapler,
};

/** What the tools print for an option they do not know, and their exit code; exact words are UNCERTAIN but for notarytool's. */
const USAGE: Readonly<Record<string, (option: string) => readonly [number, string]>> = {
  codesign: (option) => [2, `codesign: unrecognized option \`${option}'\nUsage: codesign -s identity [-fv*] path ...`],
  lipo: (option) => [1, `fatal error: lipo: unknown flag: ${option}`],
  notarytool: (option) => [64, `Error: Unknown option '${option}'\nUsage: notarytool <subcommand>`],
  pkgbuild: () => [1, 'Usage: pkgbuild [options] --root <root-path> <package-output-path>'],
  pkgutil: (option) => [64, `pkgutil: unrecognized option \`${option}'`],
  productbuild: () => [1, 'Usage: productbuild [options] --distribution <dist-path> <product-output-path>'],
  productsign: () => [1, 'Usage: productsign [options] --sign <identity> <input-path> <output-path>'],
  security: (option) => [2, `security: illegal option -- ${option}`],
  spctl: (option) => [2, `spctl: unrecognized option \`${option}'`],
  stapler: () => [64, 'Usage: stapler staple [-q] [-v] path\n       stapler validate [-q] [-v] path'],
};

const [tool = '', ...argv] = process.argv.slice(2);
const fault = recordCall(tool, argv);
if (fault?.hang) setInterval(() => undefined, 60_000);
else
  void run().then((exitCode) => {
    process.exitCode = exitCode;
  });

async function run(): Promise<number> {
  if (fault && !fault.late) return play(fault);
  try {
    const printed = await (await (TOOLS[tool] as () => Promise<Tool>)())(argv);
    if (fault) return play(fault);
    process.stdout.write(printed.stdout ?? '');
    process.stderr.write(printed.stderr ?? '');
    return 0;
  } catch (error) {
    const failure = failureOf(error);
    process.stdout.write(failure.stdout);
    process.stderr.write(`${failure.message}${failure.message === '' ? '' : '\n'}`);
    return failure.exitCode;
  }
}

function failureOf(error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error;
  if (error instanceof UnknownOption) {
    const [exitCode, words] = USAGE[tool]?.(error.message) ?? [97, `no stand-in for ${tool}`];
    return new ToolFailure(exitCode, words);
  }
  // A call that the stand-in does not play must never look like a success, nor like the real tool's failure.
  return new ToolFailure(97, `stand-in for ${tool}: ${error instanceof Error ? error.stack : String(error)}`);
}

function play({ stdout, stderr, exitCode }: { stdout?: string; stderr?: string; exitCode?: number }): number {
  process.stdout.write(stdout ?? '');
  process.stderr.write(stderr ?? '');
  return exitCode ?? 1;
}
