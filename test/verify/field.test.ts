import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectCode } from '../../build/report/inspect-code.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { openPackage } from '../../src/package/open-package.ts';
import type { RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { PayloadEntry } from '../../src/tree/entry.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { sharedAuthority } from '../rehearsal/shared-authority.ts';
import { file } from '../support/payload.ts';
import { type PackageParts, packageOf } from './others.ts';

const FIELD = new URL('../fixtures/field/', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, FIELD));
let authority: RehearsalAuthority;
beforeAll(async () => {
  authority = await sharedAuthority();
});

/** Checks about who signed: the authority that signed these inputs exists no more. */
const ABOUT_TRUST = /^(package-(signature|chain|role|timestamp)|code-(chain|timestamp|designated-requirement)|ticket)$/;

async function check(data: Buffer) {
  const { checks } = await verifyPackage(accessBuffer(data), { trust: authority.trust, now: new Date(), ours: null });
  const failed = checks.filter(({ status, id }) => status === 'fail' && !ABOUT_TRUST.test(id));
  return { checks, failed, ids: [...new Set(failed.map(({ id }) => id))] };
}

/** A package of somebody else, signed by the authority of this test. */
const others = (parts: Partial<PackageParts>) => packageOf(authority, parts);
const tool = (content: Buffer, path = './tool'): PayloadEntry => file(path, content, 0o755);

describe('inputs reduced from public reports', () => {
  it('thin-macho-not-judged: an unsigned program outside of any bundle fails, by name', async () => {
    const { failed } = await check(await others({ payload: [tool(read('thin-macho-not-judged/unsigned'))] }));
    expect(failed).toMatchObject([{ id: 'code-layout', subject: 'tool (arm64)', reason: 'the slice is not signed' }]);
  });

  it('appledouble-in-signed-bundle: metadata of another file is not a file', async () => {
    const [control, withMetadata] = await Promise.all(
      ['control-without.pkg', 'with-provenance.pkg'].map((name) => check(read(`appledouble-in-signed-bundle/${name}`))),
    );
    expect(control?.ids).toEqual([]);
    expect(withMetadata?.ids).toEqual([]);
    expect(withMetadata?.checks).toContainEqual(
      expect.objectContaining({ id: 'one-meaning', reason: expect.stringContaining('AppleDouble files') }),
    );
  });

  it('scripts-that-cannot-run: the reason is named', async () => {
    const [first, second] = [read('scripts-that-cannot-run/noshebang.pkg'), read('scripts-that-cannot-run/crlf.pkg')];
    expect((await check(first)).failed).toMatchObject([{ id: 'scripts', reason: './postinstall has no #! line' }]);
    expect((await check(second)).failed).toMatchObject([
      { id: 'scripts', reason: './postinstall ends its first line with CR LF, so that the interpreter is not found' },
    ]);
  });

  it.each(['noextracted.pkg', 'unarchived.pkg'])('xar-unarchived-checksum: %s is read', async (name) => {
    const data = read(`xar-unarchived-checksum/${name}`);
    expect((await openPackage(accessBuffer(data))).components).toHaveLength(1);
    expect((await check(data)).ids).toEqual([]);
  });

  it('xar-unarchived-checksum: the digest is checked under either name', async () => {
    const data = read('xar-unarchived-checksum/unarchived.pkg');
    const changed = Buffer.from(data);
    changed[changed.length - 100] = changed[changed.length - 100]! ^ 1;
    expect((await check(changed)).ids).toContain('member-checksums');
  });

  it('lld-adhoc-signature: padding before the first blob is not damage', async () => {
    const data = read('lld-adhoc-signature/tool');
    expect(inspectCode(data).lines.join('\n')).toContain('adhoc');
    expect((await check(read('lld-adhoc-signature/tool.pkg'))).failed).toMatchObject([
      { id: 'code-cms', reason: 'ad-hoc: signed by nobody' },
    ]);
  });
});
