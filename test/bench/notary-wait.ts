import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../build/plan/manifest.ts';
import { notaryApi } from '../../src/notary/rest/api.ts';
import { restNotary } from '../../src/notary/rest/rest-notary.ts';
import { type NotarizedFile, notarize } from '../../src/notary/submission.ts';
import { staplePackage } from '../../src/notary/ticket/staple.ts';
import { openRehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { startRehearsalServices } from '../../src/rehearsal/services.ts';

/** What a wait cost. */
export interface WaitCost {
  /** From the notary's verdict to the beginning of the next stage, seconds: our own overhead. */
  readonly overhead: number;
  /** From there to the stapled file, seconds. */
  readonly stapling: number;
  /** CPU time of this process over the whole wait, services included, seconds. */
  readonly cpu: number;
}

/**
 * Returns what waiting costs when the verdict comes after `verdictAfterMs`, with the pauses that Apple's notary is asked in.
 *
 * @param file a package that the rehearsal authority in `.rehearsal` signed
 */
export async function measureWait(file: NotarizedFile, verdictAfterMs: number): Promise<WaitCost> {
  const authority = await openRehearsalAuthority('.rehearsal');
  const services = await startRehearsalServices({ authority, verdictAfterMs });
  const folder = mkdtempSync(join(tmpdir(), 'bench-notary-'));
  const path = join(folder, file.name);
  writeFileSync(path, file.data);
  let cpuSince = process.cpuUsage();
  try {
    await notarize(file, {
      notary: restNotary(notaryApi({ url: services.notaryUrl, key: services.key }), { place: services.uploadPlace }),
      recorded: null,
      // The wait begins when the upload is recorded.
      record: async ({ status }) => {
        if (status === 'In Progress') cpuSince = process.cpuUsage();
      },
      tell: () => undefined,
      warn: () => undefined,
      goOn: () => '',
    });
    const ended = Date.now();
    const cpu = process.cpuUsage(cpuSince);
    const verdict = services.store.newestFirst()[0]?.verdict?.from ?? ended;
    await staplePackage(path, { url: services.ticketUrl, trust: authority.trust, tell: () => undefined, goOn: '' });
    return {
      overhead: (ended - verdict) / 1000,
      stapling: (Date.now() - ended) / 1000,
      cpu: (cpu.user + cpu.system) / 1e6,
    };
  } finally {
    await services.close();
    rmSync(folder, { recursive: true });
  }
}

/** Measures waits of random length within the first minute, all at once, and prints the medians. */
export async function benchNotaryWait(waits = 15): Promise<void> {
  const file = signedPackage();
  const costs = await Promise.all(Array.from({ length: waits }, () => measureWait(file, Math.random() * 60_000)));
  const median = (key: keyof WaitCost) => costs.map((cost) => cost[key]).sort((a, b) => a - b)[waits >> 1] as number;
  process.stdout.write(
    `${waits} verdicts within a minute: overhead ${median('overhead').toFixed(2)} s, stapling ${median('stapling').toFixed(2)} s, ` +
      `cpu of all waits together ${Math.max(...costs.map(({ cpu }) => cpu)).toFixed(2)} s\n`,
  );
}

/** Returns a package signed by the rehearsal, as the sign-package stage leaves it. */
function signedPackage(): NotarizedFile {
  const out = mkdtempSync(join(tmpdir(), 'bench-notary-'));
  try {
    const argv = ['.build/cli.mjs', 'release', '--rehearsal', '--until', 'sign-package', '--json', '--out', out];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' });
    if (status !== 0) throw new Error(`the package cannot be made: ${stderr}`);
    const manifest = JSON.parse(stdout) as Manifest;
    const { path, sha256 } = manifest.files.find(({ role }) => role === 'package') as Manifest['files'][number];
    const data = readFileSync(join(out, manifest.version, path));
    return { name: path, data, sha256, tocDigest: manifest.package?.tocDigest as string };
  } finally {
    rmSync(out, { recursive: true });
  }
}
