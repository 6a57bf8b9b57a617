import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import type { Manifest } from '../../../build/plan/manifest.ts';
import { makePlan, type Plan, REHEARSAL_SUFFIX } from '../../../build/plan/plan.ts';
import type { ReleaseSigning } from '../../../build/signing/identities.ts';
import { assemblePayload, readPermissions } from '../../../build/stages/assemble-payload.ts';
import {
  buildPackages,
  packageBundles,
  packagePaths,
  type UnsignedPackages,
} from '../../../build/stages/build-package.ts';
import { ofEachPackage } from '../../../build/stages/generate-scripts.ts';
import { signCode } from '../../../build/stages/sign-code.ts';
import { signPackages } from '../../../build/stages/sign-package.ts';
import { staplePackages } from '../../../build/stages/staple.ts';
import type { ProductPlan } from '../../../src/package/product.ts';
import type { StapleWait } from '../../../src/toolchain/toolchain.ts';

/** Stages asked by themselves: what they hand to the tools, and what they make of the answers. */
const scratch = mkdtempSync(join(tmpdir(), 'stages-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const signal = new AbortController().signal;
let plan: Plan;
beforeEach(async () => {
  const outFolder = mkdtempSync(join(scratch, 'out-'));
  plan = await makePlan({ root: process.cwd(), outFolder, sourceDateEpoch: '1700000000' });
});

describe('assemblePayload', () => {
  const file = (path: string) => ({ path, data: Buffer.from(path) });
  const noScripts = ofEachPackage(() => []);
  const inRoot = (permissions: object) => {
    const root = mkdtempSync(join(scratch, 'root-'));
    mkdirSync(join(root, 'payload'));
    writeFileSync(join(root, 'payload/permissions.json'), JSON.stringify(permissions));
    return { ...plan, root };
  };
  const TABLE = {
    owner: { uid: 0, gid: 80 },
    payload: { '.': '0755', 'Escrow Buddy.bundle': '0750', 'Escrow Buddy.bundle/run': '4755' } as object,
    scripts: { '.': '0700', '*': '0755' } as object,
  };
  const row = ({ path, kind, mode, uid, gid, mtimeSeconds }: any) =>
    [path, kind, mode.toString(8), uid, gid, mtimeSeconds].join(' ');

  it('gives every file and each folder above it what the table says', async () => {
    const [x, y, z] = ['x', 'x/y', 'x/y/z'].map((path) => `Escrow Buddy.bundle/${path}`) as [string, string, string];
    const at = { plan: inRoot({ ...TABLE, payload: { ...TABLE.payload, [x]: '0711', [y]: '0755', [z]: '0644' } }) };
    const scripts = { ...noScripts, product: [file('postinstall')], guard: [file('a/b/c')] };
    const { value, summary } = await assemblePayload([file('run'), file('x/y/z')], scripts, at);
    const facts = '0 80 1700000000';
    expect(value.product.payload.map(row)).toEqual([
      `. directory 755 ${facts}`,
      `./Escrow Buddy.bundle directory 750 ${facts}`,
      `./Escrow Buddy.bundle/run file 4755 ${facts}`,
      `./Escrow Buddy.bundle/x directory 711 ${facts}`,
      `./Escrow Buddy.bundle/x/y directory 755 ${facts}`,
      `./Escrow Buddy.bundle/x/y/z file 644 ${facts}`,
    ]);
    expect(summary).toMatch(/^6 entries, /);
    expect(value.product.scripts.map(row)).toEqual([`. directory 700 ${facts}`, `./postinstall file 755 ${facts}`]);
    expect(value.guard.payload.map(row)).toEqual([`. directory 755 ${facts}`]);
    expect(value.guard.scripts.map(row)).toEqual([
      ...[
        `. directory 700 ${facts}`,
        `./a directory 755 ${facts}`,
        `./a/b directory 755 ${facts}`,
        `./a/b/c file 755 ${facts}`,
      ],
    ]);
  });

  it.each<[string, object, string]>([
    ['no mode for a file', { payload: { '.': '0755', 'Escrow Buddy.bundle': '0755' } }, 'PERMISSION_MISSING'],
    ['none for the root, for which no star stands', { payload: { '*': '0755' } }, 'PERMISSION_MISSING'],
    ['a row that nothing has', { payload: { ...TABLE.payload, other: '0644' } }, 'PERMISSION_UNUSED'],
    ['an owner below 0', { owner: { uid: -1, gid: 0 } }, 'PERMISSIONS_INVALID'],
    ['a group below 0', { owner: { uid: 0, gid: -1 } }, 'PERMISSIONS_INVALID'],
    ['half an owner', { owner: { uid: 0.5, gid: 0 } }, 'PERMISSIONS_INVALID'],
    ['three digits', { scripts: { '.': '755' } }, 'PERMISSIONS_INVALID'],
    ['a digit that is not octal', { scripts: { '.': '0758' } }, 'PERMISSIONS_INVALID'],
    ['another key', { note: '' }, 'PERMISSIONS_INVALID'],
  ])('refuses a table with %s', async (_, change, code) => {
    const at = { plan: inRoot({ ...TABLE, ...change }) };
    await expect(assemblePayload([file('run')], noScripts, at)).rejects.toMatchObject({ code });
  });

  it('has a star for scripts alone: what is laid down is named row by row', async () => {
    const at = { plan: inRoot({ ...TABLE, payload: { ...TABLE.payload, '*': '0644' } }) };
    await expect(assemblePayload([file('run')], noScripts, at)).rejects.toMatchObject({ code: 'PERMISSION_UNUSED' });
    expect(Object.keys((await readPermissions(plan)).payload)).not.toContain('*');
  });
});

/** Asks for the packages to be built; returns what the builder was given. */
async function built(change: Partial<Plan> = {}) {
  const given = new Map<string, ProductPlan>();
  const build = async (product: ProductPlan, path: string) => {
    given.set(path, product);
    const facts = { numberOfFiles: 3, installKBytes: 2, tocDigest: `toc of ${product.identifier}` };
    return {
      kind: 'unsigned-product' as const,
      path,
      size: given.size,
      sha256: `sha256 of ${product.identifier}`,
      ...facts,
    };
  };
  const own = { ...plan, ...change };
  const trees = { payload: [], scripts: [] };
  const assembled = { kind: 'assembled-payload' as const, ...ofEachPackage(() => trees) };
  return { given, own, ...(await buildPackages(assembled, { build }, { plan: own, signal })) };
}

describe('buildPackages', () => {
  it('makes the product with its bundle, and the others that only run scripts', async () => {
    const { given, own, facts, summary } = await built();
    const paths = packagePaths(own);
    expect(readdirSync(own.outFolder)).toEqual(['extras']);
    const told = [...given].map(([path, { identifier, title, component }]) => [
      path,
      identifier,
      title,
      component.bundles.length,
    ]);
    expect(told).toEqual([
      [paths.product, 'com.netflix.Escrow-Buddy', 'Escrow Buddy', 1],
      [paths.guard, 'com.netflix.Escrow-Buddy.guard', 'Escrow Buddy Guard', 0],
      [paths.uninstall, 'com.netflix.Escrow-Buddy.uninstall', 'Escrow Buddy Uninstall', 0],
      [paths.request, 'com.netflix.Escrow-Buddy.request', 'Escrow Buddy Request', 0],
    ]);
    expect(given.get(paths.product)!.component.bundles[0]).toMatchObject({ path: 'Escrow Buddy.bundle' });
    const common = { version: own.version, minimumSystemVersion: '10.14.4', creationTime: 1_700_000_000 };
    for (const { component, ...product } of given.values()) {
      expect(product).toMatchObject(common);
      expect(component).toMatchObject({
        identifier: product.identifier,
        installLocation: '/Library/Security/SecurityAgentPlugins',
      });
    }
    expect(facts!.files!.map(({ path, role, sha256 }) => [path, role, sha256])).toEqual([
      ['Escrow.Buddy-1.1.0.pkg', 'package', 'sha256 of com.netflix.Escrow-Buddy'],
      ['extras/Escrow.Buddy.Guard-1.1.0.pkg', 'extra', 'sha256 of com.netflix.Escrow-Buddy.guard'],
      ['extras/Escrow.Buddy.Uninstall-1.1.0.pkg', 'extra', 'sha256 of com.netflix.Escrow-Buddy.uninstall'],
      ['extras/Escrow.Buddy.Request-1.1.0.pkg', 'extra', 'sha256 of com.netflix.Escrow-Buddy.request'],
    ]);
    expect(facts!.package).toEqual({
      ...{ identifier: 'com.netflix.Escrow-Buddy', tocDigest: 'toc of com.netflix.Escrow-Buddy' },
      ...{ signer: null, teamIdentifier: null, timestamp: null },
    });
    expect(summary).toBe('3 entries, 2 KiB installed, 1 bytes');
    expect(packageBundles(own.config, 'product', '1.2.3')).toEqual([
      { path: 'Escrow Buddy.bundle', id: 'com.netflix.Escrow-Buddy', shortVersion: '1.2.3', version: '10203' },
    ]);
  });

  it.each([undefined, REHEARSAL_SUFFIX] as const)(
    'takes away what an earlier run left, and nothing else: %s',
    async (nameSuffix) => {
      const { nameSuffix: _, ...plain } = plan;
      const forms = [plain, { ...plain, nameSuffix: REHEARSAL_SUFFIX }] as const;
      const [mine, other] = nameSuffix ? [forms[1], forms[0]] : forms;
      const kit = 'EscrowBuddy-1.1.0-mdm-kit.zip';
      const stale = [
        ...Object.values(packagePaths(other)),
        ...['SHA256SUMS', 'report.html', 'extras/release-notes.md', kit].map((name) => join(plan.outFolder, name)),
      ];
      const kept = [...Object.values(packagePaths(mine)), join(plan.outFolder, 'notes.txt')];
      for (const path of [...stale, ...kept]) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, '');
      }
      await built(nameSuffix ? { nameSuffix } : {});
      expect(stale.filter(existsSync)).toEqual([]);
      expect(kept.filter(existsSync)).toEqual(kept);
    },
  );
});

const signing = (mode: 'release' | 'rehearsal') => {
  const identity = (commonName: string) => ({ kind: 'identity', identity: { certificate: { commonName } } });
  const identities = { application: identity('Application: X'), installer: identity('Installer: X') };
  return { mode, identities, teamIdentifier: 'ABCDE12345' } as unknown as ReleaseSigning;
};

describe('signCode', () => {
  const slice = { architecture: 'arm64' as const, cdHash: Buffer.from('c0ffee', 'hex'), flags: 7 };
  const run = async (by: ReleaseSigning | null, more: object[] = []) => {
    const given: unknown[] = [];
    const sign = async (...parameters: any[]) => {
      given.push(...parameters);
      return { entries: [...parameters[0], ...more], identifier: 'id', slices: [slice] };
    };
    const compiled = { kind: 'compiled-plugin' as const, slices: [], infoPlist: Buffer.from('plist') };
    const scripts = {
      kind: 'generated-scripts' as const,
      resources: [{ path: 'Contents/Resources/a.sh', data: Buffer.from('a') }],
      installer: ofEachPackage(() => []),
    };
    const tools = { codeSigner: { sign }, compiler: { join: async () => Buffer.from('code') } } as never;
    return { given, ...(await signCode(compiled, scripts, by, tools, { plan, signal })) };
  };

  it('signs Info.plist, program and scripts, and says what came of each slice', async () => {
    const { given, value, facts, summary } = await run(signing('release'));
    expect(given[0]).toEqual([
      { path: 'Contents/Info.plist', mode: 0o644, data: Buffer.from('plist') },
      { path: 'Contents/MacOS/Escrow Buddy', mode: 0o755, data: Buffer.from('code') },
      { path: 'Contents/Resources/a.sh', mode: 0o755, data: Buffer.from('a') },
    ]);
    expect(given.slice(1)).toEqual(['Escrow Buddy.bundle', signing('release').identities.application, { signal }]);
    expect(value.files.map(({ path }) => path)).toEqual([
      'Contents/Info.plist',
      'Contents/MacOS/Escrow Buddy',
      'Contents/Resources/a.sh',
    ]);
    expect([facts!.code, summary]).toEqual([
      [{ architecture: 'arm64', cdhash: 'c0ffee', identifier: 'id', flags: 7 }],
      'Application: X',
    ]);
  });

  it('says who signed, be it nobody', async () => {
    const nobody = await run(null);
    expect([nobody.given[2], nobody.summary]).toEqual([{ kind: 'ad-hoc' }, expect.stringMatching(/^ad-hoc/)]);
    expect((await run(signing('rehearsal'))).summary).toBe('rehearsal identity: trusted by no Mac');
  });

  it('lets no link into the bundle', async () => {
    await expect(run(null, [{ path: 'a', symlink: 'b' }])).rejects.toThrow(TypeError);
  });
});

describe('signPackages', () => {
  it.each(['release', 'rehearsal'] as const)('signs each in its place, the product first, in a %s', async (mode) => {
    const order: string[] = [];
    const sign = async ({ path }: { path: string }, _: unknown, to: string) => {
      expect(to).toBe(path);
      order.push(path);
      return {
        kind: 'signed-product' as const,
        path,
        size: 9,
        sha256: `of ${order.length}`,
        tocDigest: `toc ${order.length}`,
      };
    };
    const paths = packagePaths(plan);
    const unsigned = ofEachPackage((name) => ({ path: paths[name] })) as UnsignedPackages;
    const files = [
      { path: 'Escrow.Buddy-1.1.0.pkg', role: 'package', size: 1, sha256: 'before' },
      { path: 'extras/Escrow.Buddy.Request-1.1.0.pkg', role: 'extra', size: 1, sha256: 'before' },
      { path: 'other', role: 'sbom', size: 1, sha256: 'before' },
    ];
    const { facts, summary } = await signPackages(unsigned, signing(mode), { sign } as never, { plan, signal }, files);
    expect(order).toEqual([paths.product, paths.guard, paths.uninstall, paths.request]);
    expect(facts!.files!.map(({ size, sha256 }) => [size, sha256])).toEqual([
      [9, 'of 1'],
      [9, 'of 4'],
      [1, 'before'],
    ]);
    expect(facts!.package).toEqual({
      ...{ identifier: 'com.netflix.Escrow-Buddy', tocDigest: 'toc 1', signer: 'Installer: X' },
      ...{ teamIdentifier: 'ABCDE12345', timestamp: null },
    });
    expect(summary).toBe(mode === 'release' ? 'Installer: X' : 'rehearsal identity: trusted by no Mac');
  });
});

describe('staplePackages', () => {
  const issuedAt = new Date('2026-01-01T00:00:00Z');
  const run = async (mode: 'release' | 'rehearsal', unchanged = false, extras?: Manifest['extras']) => {
    const waits: StapleWait[] = [];
    const staple = async ({ path }: { path: string }, wait: StapleWait) => {
      waits.push(wait);
      const ticket = { issuedAt, ticketSha256: `ticket ${waits.length}`, unchanged };
      return { kind: 'stapled-product' as const, path, size: 9, sha256: `of ${waits.length}`, ...ticket };
    };
    const paths = ['a.pkg', 'extras/b.pkg'].map((name) => join(plan.outFolder, name));
    const context = { plan, signal, again: 'AGAIN', progress: { update: () => undefined } } as never;
    const files = [
      { path: 'a.pkg', role: 'package', size: 1, sha256: '' },
      { path: 'c', role: 'sbom', size: 1, sha256: '' },
    ];
    const manifest = { files, ...(extras && { extras }) };
    return {
      waits,
      ...(await staplePackages({ kind: 'notarized-packages', paths }, { staple }, { mode }, context, manifest)),
    };
  };
  const ticket = (number: number) => ({ issuedAt: '2026-01-01T00:00:00.000Z', sha256: `ticket ${number}` });

  it('staples each, and says what came of the product and of the others', async () => {
    const { value, facts, summary } = await run('release');
    expect(value).toEqual({ kind: 'stapled-packages', path: join(plan.outFolder, 'a.pkg'), sha256: 'of 1' });
    expect(facts!.files!.map(({ size, sha256 }) => [size, sha256])).toEqual([
      [9, 'of 1'],
      [1, ''],
    ]);
    expect(facts!.ticket).toEqual(ticket(1));
    expect(facts!.extras).toEqual([{ path: 'extras/b.pkg', submission: null, ticket: ticket(2) }]);
    expect(summary).toBe('ticket of 2026-01-01T00:00:00.000Z');
    expect((await run('release', true)).summary).toMatch(/^this ticket was stapled before of /);
  });

  it('keeps what is known of the submission of an extra package', async () => {
    const submission = { id: 'ID', status: 'Accepted', submittedAt: 'then' };
    const { facts } = await run('release', false, [{ path: 'extras/b.pkg', submission, ticket: null }]);
    expect(facts!.extras).toEqual([{ path: 'extras/b.pkg', submission, ticket: ticket(2) }]);
  });

  it('looks again sooner in a rehearsal, and says how to go on', async () => {
    const [rehearsal, release] = [(await run('rehearsal')).waits, (await run('release')).waits];
    expect(rehearsal.map(({ pauseMs }) => pauseMs)).toEqual([100, 100]);
    expect(release.map((wait) => 'pauseMs' in wait)).toEqual([false, false]);
    expect([release[0]!.goOn, release[0]!.signal]).toEqual([expect.stringMatching(/AGAIN$/), signal]);
  });
});
