import { withArchive } from './archive.ts';
import { ToolFailure } from './machine.ts';
import type { Printed } from './main.ts';
import { parseOptions } from './options.ts';
import { signatureState } from './signature.ts';
import { stapleState } from './ticket.ts';

/** spctl(8): assessment of a package for installation; the notary service is not asked, only the stapled ticket counts. */
export async function spctl(argv: readonly string[]): Promise<Printed> {
  const options = parseOptions(argv, {
    '--assess -a': 'none',
    '--type -t': 'value',
    '--verbose -v': 'optional',
    '-vv': 'none',
    '--status': 'none',
    '--continue': 'none',
    '--ignore-cache': 'none',
    '--no-cache': 'none',
    '--raw': 'none',
  });
  if (!options.has('--assess') || options.value('--type') !== 'install') throw new Error('only install is played');
  const [path] = options.rest as [string];
  const { signature, staple } = await withArchive(path, async (archive) => ({
    signature: await signatureState(archive),
    staple: await stapleState(archive),
  }));
  if (signature.kind !== 'trusted') throw new ToolFailure(3, `${path}: rejected\nsource=no usable signature`);
  const origin = `origin=${signature.chain[0]?.commonName}`;
  if (staple !== 'valid') throw new ToolFailure(3, `${path}: rejected\nsource=Unnotarized Developer ID\n${origin}`);
  return { stderr: `${path}: accepted\nsource=Notarized Developer ID\n${origin}\n` };
}
