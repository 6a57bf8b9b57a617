import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makePlan, type Plan } from '../../build/plan/plan.ts';
import { readBundleSource, renderInfoPlist } from '../../build/stages/compile.ts';
import { InterruptedError, PipelineError } from '../../src/base/errors.ts';
import type { BundleEntry } from '../../src/code-signature/bundle-entry.ts';
import type { SignedBundle } from '../../src/code-signature/sign/sign-bundle.ts';
import { codeCmsVerifier } from '../../src/code-signature/verify/verify-cms.ts';
import { verifyBundle } from '../../src/code-signature/verify/verify-code.ts';
import { parseFat } from '../../src/macho/fat.ts';
import { notarize, type SubmissionRecord, submissionName } from '../../src/notary/submission.ts';
import type { ProductPlan, UnsignedProduct } from '../../src/package/product.ts';
import type { SignedProduct } from '../../src/package/sign-product.ts';
import type { Trust } from '../../src/pki/x509/apple-roots.ts';
import type { AdHoc, NotaryAccess, SigningIdentity, Toolchain } from '../../src/toolchain/toolchain.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { checkEntries } from '../../src/tree/entry.ts';

/** What a toolchain is tested with. */
export interface ContractSubject {
  readonly toolchain: Toolchain;
  readonly trust: Trust;
  identity(role: 'application' | 'installer'): Promise<SigningIdentity>;
  readonly access: NotaryAccess;
  dispose(): void | Promise<void>;
}

const signal = new AbortController().signal;
const fired = AbortSignal.abort();
const EPOCH = 1700000000;
const AD_HOC: AdHoc = { kind: 'ad-hoc' };

/**
 * What every toolchain does, whosever tools it runs: the same expectations for each member, on the product's own sources, from
 * compiling to a verified staple.
 */
export function describeToolchain(name: string, open: () => Promise<ContractSubject>): void {
  describe(`the ${name} toolchain`, () => {
    let subject: ContractSubject;
    let work: string;
    let plan: Plan;
    let made: Made;

    beforeAll(async () => {
      subject = await open();
      work = mkdtempSync(join(tmpdir(), 'contract-'));
      plan = await makePlan({ root: process.cwd(), outFolder: work, sourceDateEpoch: String(EPOCH) });
      made = await makeUnsigned(
        subject.toolchain,
        plan,
        join(work, 'unsigned.pkg'),
        await subject.identity('application'),
      );
    });
    afterAll(async () => {
      await subject?.dispose();
      rmSync(work, { recursive: true, force: true });
    });

    it('names itself and its tools', async () => {
      expect(subject.toolchain.name).toBe(name);
      const versions = await subject.toolchain.compiler.versions();
      expect(Object.keys(versions)).toContain('clang');
      expect(versions.clang).toMatch(/^\d+\.\d+/);
    });

    it('compiles one slice an architecture, with the versions of the plan', () => {
      expect(made.slices.map(({ architecture }) => architecture)).toEqual(['x86_64', 'arm64']);
      const facts = verifyBundle(made.bundle.entries, { verifyCms: null, ours: false, allowAdHoc: true }).slices;
      expect(facts.map(({ minimumOs }) => minimumOs)).toEqual([0x000a0e00, 0x000b0000]);
      expect(facts.map(({ sdk }) => sdk)).toEqual([0x000e0400, 0x000e0400]);
    });

    it('joins the slices to a universal file that holds them unchanged', () => {
      const slices = parseFat(made.universal).map(({ data }) => data);
      expect(slices.map((data) => made.slices.some((slice) => slice.data.equals(data)))).toEqual([true, true]);
    });

    it('reports what the compiler says of a bad source, as the failure of a tool', async () => {
      const source = await readBundleSource(plan);
      const bad = { ...source, sources: ['no-such-file.c'] };
      const failure = subject.toolchain.compiler.compile(bad, { signal });
      await expect(failure).rejects.toMatchObject({
        name: 'ToolError',
        message: expect.stringContaining('no-such-file.c'),
      });
    });

    it('signs ad-hoc: sealed, hardened, valid', async () => {
      const { name } = plan.config.bundle;
      const signed = await subject.toolchain.codeSigner.sign(made.entries, name, AD_HOC, { signal });
      const report = verifyBundle(signed.entries, { verifyCms: null, ours: false, allowAdHoc: true });
      expect(report.checks.filter(({ status }) => status === 'fail')).toEqual([]);
      expect(signed.slices.map(({ flags }) => flags & 0x10002)).toEqual([0x10002, 0x10002]);
      expect(signed.identifier).toBe('com.netflix.Escrow-Buddy');
    });

    it('signs with an identity: timestamp, hardened runtime, its own requirement', () => {
      const verifyCms = codeCmsVerifier(subject.trust, new Date());
      const report = verifyBundle(made.bundle.entries, { verifyCms, ours: true, allowAdHoc: false });
      expect(report.checks.filter(({ status }) => status === 'fail')).toEqual([]);
      expect(report.slices.map(({ teamIdentifier }) => teamIdentifier)).toEqual(['REHEARSAL0', 'REHEARSAL0']);
      expect(made.bundle.slices.map(({ cdHash }) => cdHash.toString('hex'))).toEqual(
        report.slices.map(({ cdHash }) => cdHash),
      );
    });

    it('refuses a bundle without Info.plist', async () => {
      const entries = made.entries.filter(({ path }) => path !== 'Contents/Info.plist');
      const failure = subject.toolchain.codeSigner.sign(entries, 'A.bundle', { kind: 'ad-hoc' }, { signal });
      await expect(failure).rejects.toBeInstanceOf(PipelineError);
    });

    it('builds a product whose facts are those of the file', () => {
      const { product } = made;
      const data = readFileSync(product.path);
      expect(product).toMatchObject({ kind: 'unsigned-product', size: data.length, sha256: sha256sum(product.path) });
      expect(product.numberOfFiles).toBe(made.plan.component.payload.length);
      expect(product.installKBytes).toBeGreaterThan(50);
    });

    it('leaves nothing at the path when it is interrupted', async () => {
      const path = join(work, 'interrupted.pkg');
      const failure = subject.toolchain.packageBuilder.build(made.plan, path, { signal: fired });
      await expect(failure).rejects.toBeInstanceOf(InterruptedError);
      expect(existsSync(path)).toBe(false);
    });

    // Before the next one: signing anew leaves the table of contents as it is, so a ticket fits every signature of a product.
    it('finds no ticket for a package that nobody submitted, however often it looks', async () => {
      const signed = await sign(subject, made.product, join(work, 'unknown.pkg'));
      const stapler = subject.toolchain.stapler(subject.access);
      const failure = stapler.staple(signed, { ...PATIENCE, maxWaitMs: 30, pauseMs: 10, goOn: 'look again' });
      await expect(failure).rejects.toMatchObject({ name: 'NetworkError', code: 'TICKET_LATE', hint: 'look again' });
      expect(sha256sum(signed.path)).toBe(signed.sha256);
    });

    it('signs, notarizes, staples and verifies the product', async () => {
      const { toolchain, access } = subject;
      const signed = await sign(subject, made.product, join(work, 'signed.pkg'));
      const records: SubmissionRecord[] = [];
      const { id, log } = await notarizeWith(subject, signed, records);
      expect(records.map(({ status }) => status)).toEqual(['Uploading', 'In Progress', 'Accepted']);
      expect(log).toMatchObject({ status: 'Accepted', sha256: signed.sha256 });
      const stapler = toolchain.stapler(access);
      const stapled = await stapler.staple(signed, PATIENCE);
      expect(stapled).toMatchObject({ kind: 'stapled-product', path: signed.path, unchanged: false });
      expect(stapled).toMatchObject({ sha256: sha256sum(signed.path), size: readFileSync(signed.path).length });
      expect(stapled.size).toBeGreaterThan(signed.size + 1000);
      expect(await stapler.staple(signed, PATIENCE)).toEqual({ ...stapled, unchanged: true });
      const checks = await toolchain.verifier(access.trust).verify(signed.path, { signal });
      // Scripts without programs among them are reported as skipped, not as passed.
      const notPassed = checks.filter(({ status }) => status !== 'pass').map(({ id, status }) => `${id}: ${status}`);
      expect(notPassed.filter((check) => check !== 'code-signatures: skipped')).toEqual([]);
      const notary = toolchain.notary(access);
      const known = { id, name: submissionName({ name: 'signed.pkg', sha256: signed.sha256 }), status: 'Accepted' };
      expect(await notary.status(id)).toMatchObject(known);
      expect((await notary.history())[0]).toMatchObject(known);
    });

    it('finds in the history what was submitted, and submits nothing twice', async () => {
      const signed = await sign(subject, made.product, join(work, 'again.pkg'));
      const first = await notarizeWith(subject, signed, []);
      const records: SubmissionRecord[] = [];
      expect((await notarizeWith(subject, signed, records)).id).toBe(first.id);
      expect(records.map(({ status }) => status)).not.toContain('In Progress');
    });

    it('is refused a package that is not signed, with the issues', async () => {
      const product: SignedProduct = { ...made.product, kind: 'signed-product' };
      const failure = notarizeWith(subject, product, []);
      await expect(failure).rejects.toMatchObject({
        code: 'NOTARY_INVALID',
        message: expect.stringContaining('signed'),
      });
    });

    it.each(['nobody signed', 'was cut short'])('verifies a package that %s, and says no', async (what) => {
      const path = join(work, 'bad.pkg');
      copyFileSync(made.product.path, path);
      if (what === 'was cut short') truncateSync(path, made.product.size - 100);
      const checks = await subject.toolchain.verifier(subject.trust).verify(path, { signal });
      expect(checks.some(({ status }) => status === 'fail')).toBe(true);
    });
  });
}

const PATIENCE = { signal, tell: () => undefined, goOn: '' };

async function notarizeWith(
  { toolchain, access }: ContractSubject,
  product: SignedProduct,
  records: SubmissionRecord[],
) {
  const { path, sha256, tocDigest } = product;
  return notarize(
    { name: basename(path), data: readFileSync(path), sha256, tocDigest },
    {
      notary: toolchain.notary(access),
      recorded: null,
      record: async (record) => void records.push(record),
      pollMs: () => 5,
      warn: () => undefined,
      ...PATIENCE,
      goOn: () => '',
    },
  );
}

async function sign(subject: ContractSubject, product: UnsignedProduct, path: string): Promise<SignedProduct> {
  const signed = await subject.toolchain.packageSigner.sign(product, await subject.identity('installer'), path, {
    signal,
  });
  expect(signed).toMatchObject({ kind: 'signed-product', path, sha256: sha256sum(path) });
  expect(signed.tocDigest).not.toBe(product.tocDigest);
  return signed;
}

const sha256sum = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

/** A product from the project's sources, and what it was made of. */
export interface Made {
  readonly slices: Awaited<ReturnType<Toolchain['compiler']['compile']>>;
  readonly universal: Buffer;
  readonly entries: readonly BundleEntry[];
  readonly bundle: SignedBundle;
  readonly plan: ProductPlan;
  readonly product: UnsignedProduct;
}

/** Compiles, signs and packages the product's own sources. */
export async function makeUnsigned(
  toolchain: Toolchain,
  plan: Plan,
  path: string,
  signer: AdHoc | SigningIdentity = AD_HOC,
): Promise<Made> {
  const slices = await toolchain.compiler.compile(await readBundleSource(plan), { signal });
  const universal = await toolchain.compiler.join(slices, { signal });
  const entries = [
    { path: 'Contents/Info.plist', mode: 0o644, data: await renderInfoPlist(plan) },
    { path: `Contents/MacOS/${plan.config.bundle.executable}`, mode: 0o755, data: universal },
    { path: 'Contents/Resources/status.sh', mode: 0o755, data: Buffer.from('#!/bin/sh\nexit 0\n') },
  ];
  const bundle = await toolchain.codeSigner.sign(entries, plan.config.bundle.name, signer, { signal });
  const product = productPlan(plan, bundle);
  return {
    slices,
    universal,
    entries,
    bundle,
    plan: product,
    product: await toolchain.packageBuilder.build(product, path, { signal }),
  };
}

function productPlan(plan: Plan, bundle: SignedBundle): ProductPlan {
  const { identifier, installLocation } = plan.config.package;
  const { name } = plan.config.bundle;
  const files = bundle.entries.map((entry) =>
    'data' in entry ? { ...entry, path: `${name}/${entry.path}` } : undefined,
  );
  return {
    identifier,
    version: plan.version,
    title: plan.config.product.title,
    minimumSystemVersion: plan.config.macOS.installer,
    creationTime: EPOCH,
    component: {
      identifier,
      version: plan.version,
      installLocation,
      payload: treeOf(files.filter((file) => file !== undefined)),
      scripts: treeOf([
        { path: 'postinstall', mode: 0o755, data: Buffer.from('#!/bin/sh\nexit 0\n') },
        { path: 'preinstall', mode: 0o755, data: Buffer.from('#!/bin/sh\nexit 0\n') },
      ]),
      bundles: [
        {
          path: name,
          id: plan.config.bundle.identifier,
          shortVersion: plan.version,
          version: String(plan.bundleVersion),
        },
      ],
    },
  };
}

function treeOf(
  files: readonly { readonly path: string; readonly mode: number; readonly data: Buffer }[],
): PayloadEntry[] {
  const common = { uid: 0, gid: 0, mtimeSeconds: EPOCH };
  const folders = new Set(['.']);
  for (const { path } of files) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      folders.add(`./${path.slice(0, end)}`);
  }
  return checkEntries([
    ...[...folders].map((path) => ({ ...common, kind: 'directory' as const, path, mode: 0o755 })),
    ...files.map(({ path, mode, data }) => ({
      ...common,
      kind: 'file' as const,
      path: `./${path}`,
      mode,
      source: {
        size: data.length,
        chunks: async function* () {
          yield data;
        },
      },
    })),
  ]);
}
