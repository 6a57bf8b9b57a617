import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SCRIPT_PACKAGES } from '../../build/stages/generate-scripts.ts';
import { needs } from '../support/needs.ts';
import { type Component, install, list } from './simulated/installer.ts';
import {
  disk,
  makeWorld,
  mechanisms,
  runGuard,
  runResource,
  stock,
  updateMacOS,
  type World,
} from './simulated/lives.ts';
import { simulatedMacNeeds } from './simulated/simulated-mac.ts';
import { BUNDLE, type Packages, pipelineNeeds, pipelinePackages, testPackages } from './simulated/test-package.ts';

const missing = simulatedMacNeeds.missing || pipelineNeeds.missing;
const reader = needs('cpio', 'gzip');

/** A script without the two values that differ between a signed and an unsigned build. */
const withoutSigning = (path: string) => readFileSync(path, 'utf8').replace(/^CODE_(SIGNED|REQUIREMENT)=.*$/gm, '');

describe.skipIf(missing)(`the packages the pipeline builds${simulatedMacNeeds.note}${pipelineNeeds.note}`, () => {
  let folder: string;
  let packages: Packages;
  let world: World;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'real-package-'));
    packages = pipelinePackages(folder);
    world = await makeWorld('dash', packages);
  });
  beforeEach(() => world.mac.reset(world.empty));
  afterAll(async () => {
    await world?.mac.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('say the identity of 1.0.0', () => {
    expect(packages.product).toMatchObject({
      identifier: 'com.netflix.Escrow-Buddy',
      installLocation: '/Library/Security/SecurityAgentPlugins',
      upgradeBundles: ['./Escrow Buddy.bundle'],
    });
    expect(packages.guard.identifier).toBe('com.netflix.Escrow-Buddy.guard');
    expect(packages.uninstall.identifier).toBe('com.netflix.Escrow-Buddy.uninstall');
  });

  it.skipIf(reader.missing)(
    `are read by GNU cpio as by bsdtar: names, root:wheel, no writable mode${reader.note}`,
    () => {
      for (const [component, archive, tree] of archives(packages)) {
        const cpio = (options: string) =>
          execFileSync('/bin/sh', ['-c', `gzip -dc "$1" | cpio ${options} --quiet`, 'sh', archive], {
            encoding: 'utf8',
          })
            .trimEnd()
            .split('\n');
        const below = cpio('-it')
          .filter((name) => name !== '.')
          .map((name) => name.replace(/^\.\//, ''));
        expect(below.sort(), component.identifier).toEqual(list(tree));
        for (const row of cpio('-itvn')) expect(row).toMatch(/^[d-]r[w-][x-]r-[x-]r-[x-]\s+\d+\s+0\s+0\s/);
      }
    },
  );

  it("hold this checkout's scripts, so that tests of made packages speak for them", () => {
    const made = testPackages(join(folder, 'made'));
    for (const name of SCRIPT_PACKAGES) {
      const scripts = packages[name].scripts!;
      expect(readdirSync(scripts).sort()).toEqual(readdirSync(made[name].scripts!).sort());
      for (const script of readdirSync(scripts))
        expect(withoutSigning(join(scripts, script))).toBe(withoutSigning(join(made[name].scripts!, script)));
    }
    const resources = 'Escrow Buddy.bundle/Contents/Resources';
    for (const script of readdirSync(join(made.product.payload!, resources)))
      expect(withoutSigning(join(packages.product.payload!, resources, script))).toBe(
        withoutSigning(join(made.product.payload!, resources, script)),
      );
  });

  it('live: install, guard, update, heal, uninstall, and nothing is left', async () => {
    const { mac } = world;
    const before = disk(mac);
    for (const component of [packages.product, packages.guard])
      expect(await install(mac, component)).toMatchObject({ status: 0 });
    expect(await mac.seal(BUNDLE), 'the seal holds once installed').toBe('ok');
    expect(await mechanisms(mac)).toEqual(stock('macos-15', true));
    await updateMacOS(mac, 'macos-26');
    await runGuard(mac);
    expect(await mechanisms(mac)).toEqual(stock('macos-26', true));
    expect(await runResource(mac, 'uninstall.sh')).toMatchObject({ status: 0 });
    expect(await mechanisms(mac)).toEqual(stock('macos-26'));
    expect(disk(mac)).toEqual(before);
    expect(mac.unknownCalls()).toBe('');
  });

  it('are removed by the uninstall package', async () => {
    const { mac } = world;
    await install(mac, packages.product);
    expect(await install(mac, packages.uninstall)).toMatchObject({ status: 0 });
    expect(existsSync(mac.path(BUNDLE))).toBe(false);
    expect(await mechanisms(mac)).toEqual(stock('macos-15'));
  });
});

function* archives(packages: Packages): Generator<[Component, string, string]> {
  for (const component of Object.values(packages) as Component[])
    for (const tree of [component.payload, component.scripts])
      if (tree !== undefined && list(tree).length > 0) yield [component, tree.replace(/\.tree$/, ''), tree];
}
