import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { buildProduct, type ProductPlan } from '../../../src/package/product.ts';
import { type AppleMachine, makeAppleMachine } from '../../support/apple-tools/apple-machine.ts';

/** A machine with Apple's tools, and a folder to work in. */
export interface Workplace {
  readonly machine: AppleMachine;
  readonly work: string;
  /** The calls of a tool in this test. */
  calls(tool: string): readonly string[][];
}

/** Gives the tests around it a machine with Apple's tools; each begins without calls, faults and verdict. It is there from `beforeAll` on. */
export function useMachine(): Workplace {
  const held = {} as { -readonly [Name in keyof Workplace]: Workplace[Name] };
  held.calls = (tool) => held.machine.calls().filter(([name]) => name === tool);
  beforeAll(async () => {
    held.machine = await makeAppleMachine();
    held.work = mkdtempSync(join(tmpdir(), 'apple-tools-'));
  });
  afterAll(() => {
    held.machine?.dispose();
    rmSync(held.work, { recursive: true, force: true });
  });
  beforeEach(() => {
    held.machine.clearCalls();
    held.machine.playFaults();
    held.machine.setVerdict(undefined);
  });
  return held;
}

/** Returns the path of a package without a signature, in `work`. */
export async function unsignedPackage(work: string): Promise<string> {
  const path = join(work, 'unsigned.pkg');
  await buildProduct(scriptsOnly(0), path, new AbortController().signal);
  return path;
}

/** A package of one folder, which belongs to `uid`. */
export function scriptsOnly(uid: number): ProductPlan {
  const common = { uid, gid: 0, mtimeSeconds: 1700000000 };
  const component = {
    identifier: 'com.example.a',
    version: '1.0',
    installLocation: '/Library',
    payload: [{ ...common, kind: 'directory' as const, path: '.', mode: 0o755 }],
    scripts: [],
    bundles: [],
  };
  const product = { identifier: 'com.example.a', version: '1.0', title: 'A', minimumSystemVersion: '10.14' };
  return { ...product, component, creationTime: 1700000000 };
}
