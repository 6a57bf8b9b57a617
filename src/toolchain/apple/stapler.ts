import { open } from 'node:fs/promises';
import { VerificationError } from '../../base/errors.ts';
import { digestFile } from '../../base/files.ts';
import { accessFile } from '../../base/random-access.ts';
import { readXar } from '../../flat-package/xar-read.ts';
import { parseTrailer } from '../../flat-package/xar-trailer.ts';
import type { Stapler, WorkOptions } from '../toolchain.ts';
import { runAppleTool } from './run-apple-tool.ts';

/** Both subcommands ask Apple's ticket service. */
const TIMEOUT_MS = 120_000;

/** Returns the stapler that runs stapler; what it wrote is read back, and it must be a ticket. */
export function appleStapler(): Stapler {
  return {
    async staple(product, options) {
      await runStapler('staple', product.path, options);
      const ticket = await readTicket(product.path);
      return { kind: 'stapled-product', ...(await digestFile(product.path)), ticket };
    },
  };
}

/** Runs `stapler staple` or `stapler validate` on a file; throws the failure its words name. */
export async function runStapler(command: 'staple' | 'validate', path: string, options: WorkOptions): Promise<void> {
  await runAppleTool('stapler', [command, '-v', path], { ...options, timeoutMs: TIMEOUT_MS });
}

async function readTicket(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const access = await accessFile(handle);
    const archive = await readXar(access);
    const trailer = parseTrailer(await access.read(archive.trailing.offset, archive.trailing.size));
    if (trailer.kind === 'stapled') return trailer.ticket;
    throw new VerificationError('STAPLE_MISSING', `stapler succeeded, and ${path} has no ticket`);
  } finally {
    await handle.close();
  }
}
