import { ToolError } from '../../base/errors.ts';
import { DIGEST_SIZE, type Signer, type SignRequest } from './signer.ts';

/** Runs a program to its end; the project's `runTool` fits. Throws when the program fails or takes too long. */
export type CommandRunner = (
  program: string,
  argv: readonly string[],
  options: {
    readonly input: string;
    readonly timeoutMs: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly hint: string;
  },
) => Promise<{ readonly stdout: string }>;

/** A key that another program can reach: a key service, a smart card, a hardware module. */
export interface CommandSignerOptions {
  /** Program and arguments; no shell is involved. */
  readonly command: readonly [program: string, ...argv: string[]];
  readonly run: CommandRunner;
  /** Digests the key signs. Many key services have no SHA-1: then name `sha256` alone. Default both. */
  readonly hashes?: readonly ('sha1' | 'sha256')[];
  /** For one signature, in milliseconds. Default 60 s. */
  readonly timeoutMs?: number;
  /** Environment variables the program needs. */
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Returns a signer that asks a program.
 *
 * The program reads one line of JSON on standard input, `{"schema":1,"hash":"sha256","digest":"<hex>"}`, and prints the
 * RSASSA-PKCS1-v1_5 signature over that digest (not hashed again) in base64. It ends with 0 when it did.
 *
 * @returns the signer; its `sign` throws ToolError `SIGNER_OUTPUT` when something else is printed, and what `run` throws
 * @example
 * const signer = commandSigner({ command: ['sign-with-kms', 'key-1'], hashes: ['sha256'], run: runTool });
 */
export function commandSigner(options: CommandSignerOptions): Signer {
  const [program, ...argv] = options.command;
  const hashes = new Set(options.hashes ?? (['sha1', 'sha256'] as const));
  return {
    hashes,
    async sign(request) {
      if (!hashes.has(request.hash)) throw new TypeError(`the key behind ${program} does not sign ${request.hash}`);
      const { stdout } = await options.run(program, argv, {
        input: `${JSON.stringify(question(request))}\n`,
        timeoutMs: options.timeoutMs ?? 60_000,
        ...(options.environment && { env: options.environment }),
        hint: 'Run the signing command by hand with the same input; it must print the signature in base64.',
      });
      return signatureIn(stdout, program);
    },
  };
}

function question({ hash, digest }: SignRequest) {
  if (digest.length !== DIGEST_SIZE[hash]) throw new TypeError(`${hash} digest of ${digest.length} bytes`);
  return { schema: 1, hash, digest: digest.toString('hex') };
}

function signatureIn(stdout: string, program: string): Buffer {
  const text = stdout.replace(/\s+/g, '');
  if (/^[A-Za-z0-9+/]{4,}={0,2}$/.test(text)) return Buffer.from(text, 'base64');
  throw new ToolError('SIGNER_OUTPUT', program, `${program} printed no signature in base64 (${stdout.length} bytes)`, {
    hint: 'The command must print nothing but the signature on standard output; words belong on standard error.',
  });
}
