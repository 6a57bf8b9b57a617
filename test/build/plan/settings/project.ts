import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { makePlan, type Plan } from '../../../../build/plan/plan.ts';
import { assemblePayload } from '../../../../build/stages/assemble-payload.ts';
import { buildPackages } from '../../../../build/stages/build-package.ts';
import { readBundleSource, renderInfoPlist } from '../../../../build/stages/compile.ts';
import { generateScripts } from '../../../../build/stages/generate-scripts.ts';
import { PipelineError } from '../../../../src/base/errors.ts';
import { portablePackageBuilder } from '../../../../src/toolchain/portable/package-builder.ts';

/**
 * The files of settings. The tests beside this change every setting, one at a time, and see that it reaches what is built, or is
 * refused: a setting that nobody reads would be believed all the same. The packages are built with what the compiler is told in the
 * place of the program.
 */
export const FILES = {
  config: 'release.config.json',
  build: 'payload/plugin/build.json',
  permissions: 'payload/permissions.json',
  template: 'payload/Info.plist',
} as const;
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
const signal = new AbortController().signal;
export const TEXT: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(FILES).map((file) => [file, readFileSync(file, 'utf8')]),
);
/** What is looked at. */
type Observe = (plan: Plan) => Promise<unknown>;

/** A copy of the project whose settings are changed. */
interface SettingsProject {
  /** Replaces a file of FILES until the test has ended. */
  write(file: string, text: string): void;
  /** What a run of the given kind gives, or the code with which it is refused. */
  outcome(observe: Observe): Promise<unknown>;
  /** The same, of the files as they are. */
  original(observe: Observe): Promise<unknown>;
}

/** Returns the project that the tests of a file have from their start to their end. */
export function settingsProject(): SettingsProject {
  let root: string;
  const known = new Map<Observe, unknown>();
  const planOf = () => makePlan({ root, outFolder: join(root, 'out'), sourceDateEpoch: '1700000000' });
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'settings-'));
    for (const path of ['package.json', 'release.config.json', 'payload', 'scripts']) {
      cpSync(path, join(root, path), { recursive: true });
    }
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  afterEach(() => {
    for (const [file, text] of Object.entries(TEXT)) writeFileSync(join(root, file), text);
  });
  return {
    write: (file, text) => writeFileSync(join(root, file), text),
    outcome: (observe) =>
      planOf()
        .then(observe)
        .catch((error: unknown) => {
          if (error instanceof PipelineError) return { refused: error.code };
          throw error;
        }),
    async original(observe) {
      if (!known.has(observe)) known.set(observe, await planOf().then(observe));
      return known.get(observe);
    },
  };
}

/** Names and digests of the unsigned packages, and all scripts. */
export async function packages(plan: Plan): Promise<unknown> {
  const { folder: _, ...source } = await readBundleSource(plan);
  const scripts = (await generateScripts(null, { plan })).value;
  const bundle = [
    { path: 'Contents/Info.plist', data: await renderInfoPlist(plan) },
    { path: `Contents/MacOS/${plan.config.bundle.executable}`, data: Buffer.from(JSON.stringify(source)) },
    { path: 'Contents/_CodeSignature/CodeResources', data: Buffer.alloc(0) },
    ...scripts.resources,
  ];
  const assembled = (await assemblePayload(bundle, scripts.installer, { plan })).value;
  return (await buildPackages(assembled, portablePackageBuilder(), { plan, signal })).facts;
}
