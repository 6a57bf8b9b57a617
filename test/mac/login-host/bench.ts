import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildHost, canRun, host, type Slice } from './host.ts';
import { pluginUnderTest } from './plugin-under-test.ts';

interface Measured {
  readonly slice: string;
  readonly what: string;
  readonly medianNs: number;
  readonly processes: number;
}

/** Prints what a login costs with the plugin, beside a model of upstream 1.0.0; both slices where this machine can run them. */
export async function benchLogin(): Promise<void> {
  const slices = (['x86_64', 'arm64'] as const).filter((slice) => !canRun(slice).missing);
  const out = mkdtempSync(join(tmpdir(), 'login-host-'));
  try {
    const release = join(out, 'release');
    const { status, stderr } = spawnSync(process.execPath, ['.build/cli.mjs', 'build', '--out', release], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`the package cannot be built: ${stderr}`);
    const plugins = await pluginUnderTest(join(release, readdirSync(release)[0] as string), slices);
    for (const slice of slices) {
      await buildHost(out, slice);
      for (const line of await host<Measured>(out, slice, plugins[slice] as string, ['bench'])) print(slice, line);
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function print(slice: Slice, { what, medianNs, processes }: Measured): void {
  const emulated = (slice === 'arm64') === (process.arch === 'arm64') ? '' : ', emulated';
  process.stdout.write(
    `${`${what} (${slice}${emulated})`.padEnd(90)} ${String(medianNs).padStart(12)} ns  ${processes} processes\n`,
  );
}
