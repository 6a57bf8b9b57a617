import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import * as tools from '../../../src/base/run-tool.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { demandNoMetadata, runPkgbuild } from '../../../src/toolchain/apple/pkgbuild.ts';
import { deflatedFile, emitXar, layoutXar } from '../../../src/xar/write.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { collect, file } from '../../support/payload.ts';
import { packageOf } from '../../verify/others.ts';
import { scriptsOnly } from './machine.ts';

let scratch: string;
let authority: RehearsalAuthority;
beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'metadata-'));
  authority = await sharedAuthority();
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('demandNoMetadata', () => {
  const script = file('./postinstall', '#!/bin/sh\n', 0o755);
  const metadata = Buffer.from('0005160700020000', 'hex');

  it.each([
    ['the payload', { payload: [file('./a', 'x'), file('./._a', metadata)] }],
    ['the scripts', { scripts: [script, file('./._postinstall', metadata)] }],
  ])('refuses what pkgbuild of macOS 13 makes of extended attributes, in %s', async (_, parts) => {
    const path = join(scratch, 'bad.pkg');
    writeFileSync(path, await packageOf(authority, parts));
    await expect(demandNoMetadata(path)).rejects.toMatchObject({ code: 'PKGBUILD_METADATA' });
  });

  it('is asked of what pkgbuild makes', async () => {
    const path = join(scratch, 'bad.pkg');
    writeFileSync(path, await packageOf(authority, { payload: [file('./a', 'x'), file('./._a', metadata)] }));
    const made = vi.spyOn(tools, 'runTool').mockResolvedValue({ exitCode: 0, stdout: '', stderr: '' });
    const { component } = scriptsOnly(0);
    await expect(runPkgbuild(component, path, {})).rejects.toMatchObject({ code: 'PKGBUILD_METADATA' });
    made.mockRestore();
  });

  it('lets a package pass that has none', async () => {
    const path = join(scratch, 'good.pkg');
    writeFileSync(path, await packageOf(authority, { payload: [file('./a', 'x')], scripts: [script] }));
    await expect(demandNoMetadata(path)).resolves.toBeUndefined();
    // Of nothing but a receipt there is no Bom.
    const info = '<pkg-info identifier="a" version="1"><payload numberOfFiles="1" installKBytes="0"/></pkg-info>';
    const layout = layoutXar([deflatedFile('PackageInfo', Buffer.from(info))], { creationTime: 1 });
    writeFileSync(path, await collect(emitXar(layout)));
    await expect(demandNoMetadata(path)).resolves.toBeUndefined();
  });
});
