import { writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { keepThreadPoolAwake } from '../../../build/thread-pool.ts';
import { type Fault, inMemory, recordCall, ToolFailure } from './machine.ts';
import { UnknownOption } from './options.ts';

/** What a stand-in prints when all went well. */
export interface Printed {
  readonly stdout?: string;
  readonly stderr?: string;
}

type Tool = (argv: readonly string[], stdin: string) => Promise<Printed>;

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

/** A call as a stand-in in bin/ or developer/ sends it: each word of it ends with a NUL. */
interface Call {
  readonly folder: string;
  readonly stdin: string;
  readonly tool: string;
  readonly argv: readonly string[];
}

// All calls on one machine, one after the other: a process for each would take most of its time to load the same modules.
let earlier: Promise<unknown> = Promise.resolve();
keepThreadPoolAwake();
const server = createServer((socket) => {
  // Whoever called may have been ended meanwhile.
  socket.on('error', () => undefined);
  let received = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    received += part;
    const call = parseCall(received);
    if (!call) return;
    received = '';
    earlier = earlier.then(() => answer(call, socket));
  });
});
server.listen(0, '127.0.0.1', () => {
  writeFileSync(inMemory('port'), `${(server.address() as AddressInfo).port}\n`);
  process.stdout.write('ready\n');
});
// With the tests that started it, however they end.
process.stdin.on('end', () => process.exit()).resume();

/** Returns the call once all of it is there. */
function parseCall(received: string): Call | undefined {
  const [count, folder, stdin, tool, ...argv] = received.split('\0');
  argv.pop();
  return tool === undefined || argv.length < Number(count)
    ? undefined
    : { folder: folder as string, stdin: stdin as string, tool, argv };
}

/** Sends exit code, standard output and standard error, each with a NUL behind it. */
async function answer({ folder, stdin, tool, argv }: Call, socket: Socket): Promise<void> {
  process.chdir(folder);
  const fault = recordCall(tool, argv);
  if (fault?.hang) return;
  const { exitCode = 0, stdout = '', stderr = '' } = await run(tool, argv, stdin, fault);
  socket.end(`${exitCode}\0${stdout}\0${stderr}\0`);
}

async function run(
  tool: string,
  argv: readonly string[],
  stdin: string,
  fault: Fault | undefined,
): Promise<Printed & { exitCode?: number }> {
  const played = fault && { ...fault, exitCode: fault.exitCode ?? 1 };
  if (played && !played.late) return played;
  try {
    const printed = await (await (TOOLS[tool] as () => Promise<Tool>)())(argv, stdin);
    return played ?? printed;
  } catch (error) {
    const { exitCode, stdout, message } = failureOf(tool, error);
    return { exitCode, stdout, stderr: `${message}${message === '' ? '' : '\n'}` };
  }
}

function failureOf(tool: string, error: unknown): ToolFailure {
  if (error instanceof ToolFailure) return error;
  if (error instanceof UnknownOption) {
    const [exitCode, words] = USAGE[tool]?.(error.message) ?? [97, `no stand-in for ${tool}`];
    return new ToolFailure(exitCode, words);
  }
  // A call that the stand-in does not play must never look like a success, nor like the real tool's failure.
  return new ToolFailure(97, `stand-in for ${tool}: ${error instanceof Error ? error.stack : String(error)}`);
}
