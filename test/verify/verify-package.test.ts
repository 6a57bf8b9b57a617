import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { openRehearsalAuthority, REHEARSAL_TEAM, type RehearsalAuthority } from '../../src/rehearsal/authority.ts';
import type { OurForm, PackageExpectations } from '../../src/verify/expectations.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { readXar } from '../../src/xar/read.ts';
import { deflatedFile, emitXar, layoutXar, storedFile } from '../../src/xar/write.ts';
import { attackKit } from '../attacks/attack.ts';
import { sampleSlice } from '../code-signature/sample.ts';
import { openSample } from '../mutation/sample.ts';
import { builtPackage } from '../support/built-package.ts';
import { collect, directory, file } from '../support/payload.ts';
import { type PackageParts, packageOf, productOf } from './others.ts';

let authority: RehearsalAuthority;
let release: Buffer;
let form: OurForm;
beforeAll(async () => {
  authority = await openRehearsalAuthority('.rehearsal');
  release = readFileSync(builtPackage());
  const kit = await attackKit(process.cwd(), await openSample(release, authority));
  form = (await kit.formOf(release, 'x.pkg')) as OurForm;
});

async function checked(data: Buffer, expectations: Partial<PackageExpectations> = {}) {
  const options = { trust: authority.trust, now: new Date(), ours: null, ...expectations };
  const report = await verifyPackage(accessBuffer(data), options);
  const of = (wanted: string, about?: string) =>
    report.checks
      .filter(({ id, subject }) => id === wanted && (about === undefined || subject === about))
      .map(({ status, reason }) => `${status}${reason === undefined ? '' : `: ${reason}`}`);
  const failed = report.checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
  return { ...report, of, failed };
}

/** A package of somebody else that nobody signed. */
const unsigned = async (parts: Partial<PackageParts>, expectations: Partial<PackageExpectations> = {}) =>
  checked(await packageOf(null, parts), { allowUnsigned: true, ...expectations });

describe('the report on a release', () => {
  it('tells what it says of itself', async () => {
    const { facts, installs, valid, failed, abilities } = await checked(release, { ours: form });
    const { creationTime, checksum } = await readXar(accessBuffer(release));
    expect(failed).toEqual([]);
    expect(valid).toBe(true);
    expect(facts).toMatchObject({
      identifier: form.identifier,
      tocDigest: checksum.value.toString('hex'),
      signer: authority.members.installer.certificate.commonName,
      teamIdentifier: REHEARSAL_TEAM,
      timestamp: expect.any(Date),
      ticketIssuedAt: expect.any(Date),
    });
    expect(facts.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(facts.slices.map(({ architecture }) => architecture).sort()).toEqual(['arm64', 'x86_64']);
    expect(installs).toEqual([
      { identifier: form.identifier, version: facts.version, installLocation: form.installLocation, numberOfFiles: expect.any(Number) },
    ]);
    expect(abilities.map(({ ability }) => ability)).toContain('scripts');
    expect(creationTime).toBeGreaterThan(0);
  }); // biome-ignore format: short

  it('asks for the team of ours, of package and code, if one is known', async () => {
    const of = async (teamIdentifier: string | null) => {
      const report = await checked(release, { ours: { ...form, teamIdentifier } });
      return [report.of('package-our-team'), report.of('code-our-team')];
    };
    expect(await of(REHEARSAL_TEAM)).toEqual([['pass'], ['pass']]);
    expect(await of(null)).toEqual([['skipped: no team is configured, so any Developer ID passes'], []]);
    const code = ['x86_64', 'arm64'].map((name) => `${name} is signed by team ${REHEARSAL_TEAM}, expected OTHER`);
    expect(await of('OTHER')).toEqual([
      [`fail: the package is signed by team ${REHEARSAL_TEAM}, expected OTHER`],
      [`fail: ${code.join('; ')}`],
    ]);
    for (const other of [REHEARSAL_TEAM.slice(0, -1), `${REHEARSAL_TEAM}0`, REHEARSAL_TEAM.toLowerCase()])
      expect((await of(other)).map(([words]) => words?.slice(0, 5))).toEqual(['fail:', 'fail:']);
    const stranger = await checked(release);
    expect([stranger.of('package-our-team'), stranger.of('code-our-team')]).toEqual([[], []]);
  });

  it('asks for no team where nobody signed', async () => {
    const report = await unsigned({}, { ours: { ...form, teamIdentifier: REHEARSAL_TEAM } });
    expect(report.of('package-our-team')).toEqual([]);
    expect(report.of('package-signature')).toEqual(['skipped: the package is not signed']);
  });

  it('holds what is ours, and nothing else, to our form', async () => {
    const ids = (report: Awaited<ReturnType<typeof checked>>) => report.checks.map(({ id }) => id);
    expect(ids(await checked(release, { ours: form }))).toEqual(expect.arrayContaining(['form-code', 'members', 'payload-paths']));
    expect(ids(await checked(release)).filter((id) => /^form-|^members$|^payload-paths$|^policy-/.test(id))).toEqual([]);
    const held = await checked(release, { policy: { team: REHEARSAL_TEAM } });
    expect(held.of('policy-team')).toEqual(['pass']);
  }); // biome-ignore format: short
});

describe('the report on what cannot be read', () => {
  const NOTHING = { identifier: null, version: null, signer: null, teamIdentifier: null, timestamp: null, ticketIssuedAt: null, slices: [] }; // biome-ignore format: short

  it('ends with the archive, or with what is in it', async () => {
    const text = await checked(Buffer.from('no archive at all, not even a header of one'));
    expect(text).toMatchObject({ valid: false, installs: [], abilities: [], facts: { ...NOTHING, tocDigest: null } });
    expect(text.failed).toEqual(['xar-structure']);
    const layout = layoutXar([deflatedFile('a', Buffer.from('x'))], { creationTime: 0, signatures: [] });
    const empty = await checked(await collect(emitXar(layout)), { allowUnsigned: true });
    expect(empty.failed).toEqual(['package-contents']);
    expect(empty).toMatchObject({ valid: false, facts: { ...NOTHING, tocDigest: layout.tocDigest.toString('hex') } });
  });
});

describe('the report on a package of somebody else', () => {
  it('takes identifier and version from the product, else from its component', async () => {
    const bare = await unsigned({ identifier: 'com.example.bare', payload: [file('./a', 'x')] });
    expect(bare.facts).toMatchObject({ identifier: 'com.example.bare', version: '1.0', signer: null, teamIdentifier: null });
    expect(bare.failed).toEqual([]);
    expect(bare.of('package-contents')).toEqual(['pass']);
    const parts = { 'a.pkg': { identifier: 'com.example.a', payload: [file('./a', 'x')] } };
    const product = await checked(await productOf(null, parts, (text) => text.replace(/(<product .*version=)"1.0"/, '$1"2.0"')), { allowUnsigned: true });
    expect(product.facts).toMatchObject({ identifier: 'com.example.product', version: '2.0' });
    expect(product.facts.slices).toEqual([]);
  }); // biome-ignore format: short

  it('holds an unsigned one to a policy as signed by nobody', async () => {
    const { of } = await unsigned({}, { policy: { team: 'TEAM' } });
    expect(of('policy-team')).toEqual(['fail: the package is signed by team none, expected TEAM']);
  });
});

describe('the check of a component', () => {
  it('names it by its folder', async () => {
    const subjects = (checks: readonly { subject?: string }[]) => [...new Set(checks.map(({ subject }) => subject))];
    expect(subjects((await unsigned({})).checks)).toEqual(['package', 'component']);
    const product = await checked(await productOf(null, { 'a.pkg': { identifier: 'a' } }), { allowUnsigned: true });
    expect(subjects(product.checks)).toEqual(['package', 'a.pkg']);
  });

  it('is about payload and scripts, as far as they are there and can be read', async () => {
    const about = async (parts: Partial<PackageParts>) => {
      const { checks } = await unsigned(parts);
      return checks.filter(({ subject }) => subject === 'component').map(({ id, status }) => `${id} ${status}`);
    };
    const payload = ['bom-payload pass', 'payload-counters pass', 'owners-modes pass', 'package-info pass', 'one-meaning pass', 'code-signatures skipped'];
    const scripts = [file('./postinstall', '#!/bin/sh\nexit 0\n', 0o755)];
    expect(await about({})).toEqual([...payload, 'scripts skipped']);
    expect(await about({ scripts })).toEqual([...payload, 'scripts pass', 'one-meaning pass', 'code-signatures skipped']);
    expect(await about({ pack: () => Buffer.from('none') })).toEqual(['bom-payload fail', 'package-info pass', 'scripts skipped']);
    const broken = [storedFile('Scripts', Buffer.from('none'))];
    expect(await about({ more: broken })).toEqual([...payload, 'scripts fail']);
  }); // biome-ignore format: a table

  it('lets scripts bring unsigned code, and payloads none', async () => {
    const program = file('./tool', sampleSlice('x86_64'), 0o755);
    const run = file('./postinstall', '#!/bin/sh\nexit 0\n', 0o755);
    const options = { allowUnsigned: false };
    expect((await unsigned({ scripts: [run, program] }, options)).failed).toEqual(['package-signature']);
    expect((await unsigned({ payload: [program] }, options)).failed).toContain('code-layout');
  });

  it('checks packages inside it under their own names', async () => {
    const inner = await packageOf(null, { payload: [file('./t', sampleSlice('arm64'), 0o755)] });
    const product = await productOf(null, { 'a.pkg': { identifier: 'a' }, 'b.pkg': { identifier: 'b', payload: [file('./t', sampleSlice('arm64'), 0o755)] } });
    const { checks } = await unsigned({ payload: [directory('./d'), file('./d/in.pkg', inner), file('./out.pkg', product), file('./bad.pkg', 'xar!')] });
    const subjects = new Set(checks.map(({ subject }) => subject));
    for (const name of ['component/d/in.pkg', 'component/out.pkg', 'component/out.pkg/a.pkg', 'component/out.pkg/b.pkg', 'component/bad.pkg'])
      expect(subjects).toContain(name);
    const contents = checks.filter(({ id, subject }) => id === 'package-contents' && subject?.startsWith('component/'));
    expect(contents.map(({ subject, status }) => `${subject} ${status}`).sort()).toEqual([
      'component/bad.pkg fail',
      'component/d/in.pkg pass',
      'component/out.pkg pass',
    ]);
    expect(checks.filter(({ id, status }) => id === 'code-layout' && status === 'fail')).toHaveLength(2);
  }); // biome-ignore format: short

  it('says what may hold code and is not looked into', async () => {
    const zips = (count: number) => Array.from({ length: count }, (_, at) => file(`./${at}.zip`, 'PK\x03\x04'));
    const closed = async (count: number) => (await unsigned({ payload: zips(count) })).of('code-in-archives');
    const named = (...all: number[]) => all.map((at) => `./${at}.zip (a zip archive)`).join(', ');
    expect(await closed(0)).toEqual([]);
    expect(await closed(1)).toEqual([`skipped: not looked into: ${named(0)}`]);
    expect(await closed(3)).toEqual([`skipped: not looked into: ${named(0, 1, 2)}`]);
    expect(await closed(4)).toEqual([`skipped: not looked into: ${named(0, 1, 2)} and 1 more`]);
  });

  it('notes files that are the metadata of others', async () => {
    // AppleDouble: magic, version, 16 zeros, no entries (RFC 1740).
    const head = (entries: string) => Buffer.from(`0005160700020000${'00'.repeat(16)}${entries}`, 'hex');
    const { of } = await unsigned({ payload: [file('./a', 'x'), file('./._a', head('0000'))] });
    expect(of('one-meaning', 'component')).toEqual(['pass: 1 AppleDouble files are the metadata of others']);
    expect((await unsigned({ payload: [file('./a', 'x')] })).of('one-meaning', 'component')).toEqual(['pass']);
  });
});
