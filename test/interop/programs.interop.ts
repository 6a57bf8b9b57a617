import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { isCode } from '../../src/macho/first-bytes.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import { makeRehearsalAuthority, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { file } from '../support/payload.ts';
import { packageOf } from '../verify/others.ts';
import { installNpmPackage } from './install.ts';

/**
 * Programs for macOS that packages of npm carry: who signed them, as macOS would find. Those of a Developer ID pass; those that a linker
 * signed for nobody run on the Mac that built them and are refused by Gatekeeper, whole as they are.
 */
const PROGRAMS: readonly (readonly [name: string, version: string, signer: string | null])[] = [
  ['@sentry/cli-darwin', '3.8.0', '97JCY7859U'],
  ['@deno/darwin-arm64', '2.9.6', '2H4KBF436B'],
  ['@oven/bun-darwin-aarch64', '1.4.5', '7FRXF46ZSN'],
  ['@typescript/typescript-darwin-arm64', '7.0.2', 'UBF8T346G9'],
  ['@cloudflare/workerd-darwin-arm64', '1.20261117.1', null],
  ['@esbuild/darwin-arm64', '0.28.2', null],
  ['@biomejs/cli-darwin-arm64', '2.6.8', null],
  ['turbo-darwin-arm64', '2.8.17', null],
  ['@rollup/rollup-darwin-arm64', '4.68.8', null],
  ['lightningcss-darwin-arm64', '1.33.0', null],
  ['@swc/core-darwin-arm64', '1.16.22', null],
  ['@parcel/watcher-darwin-arm64', '2.6.0', null],
  ['fsevents', '2.3.3', null],
  ['@ast-grep/cli-darwin-arm64', '0.51.1', null],
  ['@oxlint/binding-darwin-arm64', '1.94.0', null],
  ['@img/sharp-darwin-arm64', '0.35.5', null],
  ['@vscode/ripgrep-darwin-arm64', '1.18.0', null],
];

let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await makeRehearsalAuthority(new Date());
});

/** Returns every Mach-O file of a folder, by its name. */
function programsIn(folder: string): { name: string; data: Buffer }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ name: entry.name, data: readFileSync(join(entry.parentPath, entry.name)) }))
    .filter(({ data }) => isCode(data));
}

describe('programs of others', () => {
  it.each(PROGRAMS)('%s %s in a package: signed by %s', async (name, version, signer) => {
    const programs = programsIn(installNpmPackage(name, version));
    expect(programs.length).toBeGreaterThan(0);
    const payload = programs.map(({ name: path, data }, index) => file(`./${index}-${path}`, data, 0o755));
    const { checks, facts } = await verifyPackage(accessBuffer(await packageOf(authority, { payload })), {
      trust: appleTrust(),
      now: new Date(),
      ours: null,
    });
    const failed = checks.filter(({ id, status }) => status === 'fail' && id.startsWith('code-'));
    const ids = [...new Set(failed.map(({ id, reason }) => `${id}: ${reason}`))];
    const refused = ['code-cms: ad-hoc: signed by nobody'];
    // Its slice for Intel is signed by nobody at all.
    if (name === 'fsevents') refused.unshift('code-layout: the slice is not signed');
    expect(ids.sort()).toEqual(signer === null ? refused.sort() : []);
    expect([...new Set(facts.slices.map(({ teamIdentifier }) => teamIdentifier))]).toEqual([signer]);
    // Whole, whoever signed: what the words never say of a program that runs.
    expect(checks.filter(({ reason }) => /damaged|invalid/i.test(reason ?? ''))).toEqual([]);
  });
});
