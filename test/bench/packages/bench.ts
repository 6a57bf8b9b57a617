import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeRehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { type Measurement, measureOnce, medianOf } from '../measure.ts';
import { type Found, type Maker, packageMakers, packageSigners } from './makers.ts';
import { printRows, writeReport } from './report.ts';
import { TREES, writeTree } from './trees.ts';

/** One maker's figures. */
export interface Row {
  readonly maker: string;
  readonly makes: string;
  readonly measured: Measurement;
}

/** What all makers took for the same tree or package, ours first; and who could not take part. */
export interface Contest {
  readonly name: string;
  readonly files: number;
  readonly runs: number;
  readonly rows: readonly Row[];
  readonly skipped: readonly { readonly maker: string; readonly needs: string }[];
}

/** Packages the same trees, and signs the same package, with everybody's programs in turn; writes docs/performance.md and its picture. */
export async function benchPackages(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-packages-'));
  const source = join(folder, 'tree');
  try {
    const makers = packageMakers();
    const signing = await benchSigners(folder, makers[0] as Maker);
    const contests: Contest[] = [];
    for (const tree of TREES) {
      writeTree(source, tree);
      const among = tree.oursOnly ? makers.slice(0, 1) : makers;
      contests.push(contest(tree.name, { files: tree.files, runs: tree.runs, makers: among, source, folder }));
      rmSync(source, { recursive: true });
      writeReport([...contests, signing]); // what was measured stays, whatever comes
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Has everybody sign one package, which `maker` makes. */
async function benchSigners(folder: string, maker: Maker): Promise<Contest> {
  const [tree, source] = [join(folder, 'to sign'), join(folder, 'unsigned.pkg')];
  writeTree(tree, { name: '', files: 1_000, fileSize: 20_000, runs: 1 });
  measureOnce(maker.argv(tree, source));
  const makers = packageSigners(await writeIdentity(folder));
  return contest('sign a package of 13 MB', { files: 1, runs: 5, makers, source, folder });
}

interface Entry {
  readonly files: number;
  readonly runs: number;
  readonly makers: readonly Found[];
  readonly source: string;
  readonly folder: string;
}

/** Runs everybody in turn, some rounds; whoever fails in the first is left out, with what it said. */
function contest(name: string, { files, runs, makers, source, folder }: Entry): Contest {
  const skipped: { maker: string; needs: string }[] = [];
  const able = new Map<Maker, Measurement[]>();
  const run = (maker: Maker) => {
    const target = join(folder, 'made');
    rmSync(target, { force: true });
    return measureOnce(maker.argv(source, target));
  };
  for (const maker of makers) {
    if (!('argv' in maker)) {
      skipped.push({ maker: maker.name, needs: maker.needs });
      continue;
    }
    try {
      able.set(maker, [run(maker)]);
    } catch (error) {
      skipped.push({ maker: maker.name, needs: `a way through this: ${(error as Error).message.slice(-200)}` });
    }
  }
  for (let round = 1; round < runs; round++) for (const [maker, results] of able) results.push(run(maker));
  const rows = [...able].map(([{ name: maker, makes }, all]) => ({ maker, makes, measured: medianOf(all) }));
  const result = { name, files, runs, rows, skipped };
  printRows(result);
  return result;
}

/** Writes an Installer identity as PEM, and relic's configuration that names it. */
async function writeIdentity(folder: string): Promise<{ pem: string; relic: string }> {
  const authority = await makeRehearsalAuthority(new Date());
  const block = (label: string, der: Buffer) =>
    `-----BEGIN ${label}-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;
  const key = block('PRIVATE KEY', authority.members.installer.privateKey.export({ type: 'pkcs8', format: 'der' }));
  const chain = authority.chainOf('installer').map(({ der }) => block('CERTIFICATE', der));
  const [pem, keyFile, chainFile, relic] = ['all.pem', 'key.pem', 'chain.pem', 'relic.yml'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  writeFileSync(pem, key + chain.join(''), { mode: 0o600 });
  writeFileSync(keyFile, key, { mode: 0o600 });
  writeFileSync(chainFile, chain.join(''));
  const keys = `keys: {k: {token: file, keyfile: ${keyFile}, x509certificate: ${chainFile}}}\n`;
  writeFileSync(relic, `tokens: {file: {type: file}}\n${keys}`);
  return { pem, relic };
}
