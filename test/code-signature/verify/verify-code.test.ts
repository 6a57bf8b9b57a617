import { beforeAll, describe, expect, it } from 'vitest';
import { type BundleEntry, CODE_RESOURCES_PATH, fileAt } from '../../../src/code-signature/bundle-entry.ts';
import { FLAG_ADHOC } from '../../../src/code-signature/code-directory.ts';
import { encodeRequirementSet } from '../../../src/code-signature/requirement/requirement-set.ts';
import { signBundle } from '../../../src/code-signature/sign/sign-bundle.ts';
import { signSlice } from '../../../src/code-signature/sign/sign-macho.ts';
import { MAGIC_EMBEDDED_SIGNATURE, parseSuperBlob } from '../../../src/code-signature/super-blob.ts';
import type { CodeExpectations } from '../../../src/code-signature/verify/code-expectations.ts';
import { type CodeReport, verifyBundle, verifyProgram } from '../../../src/code-signature/verify/verify-code.ts';
import { buildFat, parseFat } from '../../../src/macho/fat.ts';
import { isCode } from '../../../src/macho/first-bytes.ts';
import { parseMacho } from '../../../src/macho/macho.ts';
import { SAMPLE_EXECUTABLE, sampleBundle, sampleSlice } from '../sample.ts';
import { AD_HOC, NOW, otherRehearsalSigner, rehearsalSigner } from '../signers.ts';

/** Places in each region where a bit is flipped. The nightly sweep tries every byte. */
const STEPS = 5;

/** Returns the entries with one file's bytes changed by `change`, which works on a copy. */
function changed(entries: readonly BundleEntry[], path: string, change: (data: Buffer) => Buffer): BundleEntry[] {
  return entries.map((entry) => {
    if (entry.path !== path || !('data' in entry)) return entry;
    const copy = Buffer.from(entry.data);
    return { ...entry, data: change(copy) };
  });
}

function flipBit(data: Buffer, at: number, bit: number): Buffer {
  data[at] = data[at]! ^ (1 << bit);
  return data;
}

/** Returns the ids of the checks that failed, each once. */
function failures({ checks }: CodeReport): string[] {
  return [...new Set(checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
}

/** Returns where the regions of a signed universal file lie: name, first byte, size. */
function regionsOf(program: Buffer): { name: string; start: number; size: number }[] {
  return [
    { name: 'fat header', start: 0, size: 8 + 2 * 20 },
    { name: 'gap', start: 48, size: 0x4000 - 48 },
    ...parseFat(program).flatMap(({ architecture, offset, data }) => {
      const macho = parseMacho(data);
      const { dataOffset = 0, dataSize = 0 } = macho.codeSignature ?? {};
      const signature = parseSuperBlob(data.subarray(dataOffset), MAGIC_EMBEDDED_SIGNATURE);
      const at = offset + dataOffset;
      let blobAt = at + 12 + 8 * signature.blobs.length;
      const blobs = signature.blobs.map((blob) => {
        const start = blobAt;
        blobAt += blob.data.length;
        return { name: `${architecture} blob 0x${blob.type.toString(16)}`, start, size: blob.data.length };
      });
      return [
        { name: `${architecture} load commands`, start: offset, size: macho.commandsEnd },
        { name: `${architecture} pages`, start: offset, size: dataOffset },
        { name: `${architecture} SuperBlob index`, start: at, size: 12 + 8 * signature.blobs.length },
        ...blobs,
        { name: `${architecture} padding`, start: at + signature.length, size: dataSize - signature.length },
      ];
    }),
  ].filter(({ size }) => size > 0);
}

describe.each(['ad-hoc', 'identity'] as const)('verifyBundle, %s', (kind) => {
  let entries: readonly BundleEntry[];
  let expectations: CodeExpectations;

  beforeAll(async () => {
    const rehearsal = await rehearsalSigner();
    const signed = await signBundle(sampleBundle(), kind === 'ad-hoc' ? { kind } : rehearsal.signer);
    entries = signed.entries;
    expectations = kind === 'ad-hoc' ? AD_HOC : rehearsal.expectations;
  });

  it('passes what signBundle made', () => {
    const report = verifyBundle(entries, expectations);
    expect(report.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(report.slices.map(({ architecture }) => architecture)).toEqual(['x86_64', 'arm64']);
  });

  it('finds a flipped bit in every region of the executable', () => {
    const program = fileAt(entries, SAMPLE_EXECUTABLE) as Buffer;
    const undetected: string[] = [];
    for (const { name, start, size } of regionsOf(program)) {
      for (let step = 0; step < STEPS; step++) {
        const at = start + Math.floor((step * size) / STEPS);
        const bit = step % 8;
        const bad = changed(entries, SAMPLE_EXECUTABLE, (data) => flipBit(data, at, bit));
        if (verifyBundle(bad, expectations).valid) undetected.push(`${name} at ${at - start}, bit ${bit}`);
      }
    }
    expect(undetected).toEqual([]);
  });

  it('finds every truncation of the executable', () => {
    const program = fileAt(entries, SAMPLE_EXECUTABLE) as Buffer;
    for (let length = 0; length < program.length; length += 1499) {
      const bad = changed(entries, SAMPLE_EXECUTABLE, (data) => data.subarray(0, length));
      expect(verifyBundle(bad, expectations).valid, `${length} bytes`).toBe(false);
    }
  });

  it('names the check for each kind of change', () => {
    const program = fileAt(entries, SAMPLE_EXECUTABLE) as Buffer;
    const flip = (path: string, at: number) => changed(entries, path, (data) => flipBit(data, at, 0));
    const region = (name: string) => regionsOf(program).find((one) => one.name === name)!.start;
    const add = (path: string): BundleEntry => ({ path, mode: 0o644, data: Buffer.from('x') });
    const cases: [string, BundleEntry[], string][] = [
      ['page', flip(SAMPLE_EXECUTABLE, region('arm64 pages') + 0x4100), 'code-pages'],
      [
        'requirement',
        flip(SAMPLE_EXECUTABLE, region('arm64 blob 0x2') + 11),
        kind === 'ad-hoc' ? 'code-designated-requirement' : 'code-slots',
      ],
      ['code directory hash', flip(SAMPLE_EXECUTABLE, region('arm64 blob 0x0') + 400), 'code-pages'],
      ['code directory flags', flip(SAMPLE_EXECUTABLE, region('x86_64 blob 0x0') + 13), 'code-directory'],
      ['runtime version', flip(SAMPLE_EXECUTABLE, region('x86_64 blob 0x0') + 91), 'code-directory'],
      ['SuperBlob', flip(SAMPLE_EXECUTABLE, region('x86_64 SuperBlob index') + 11), 'code-super-blob'],
      ['fat', flip(SAMPLE_EXECUTABLE, 19), 'code-universal'],
      [
        'trailing byte',
        changed(entries, SAMPLE_EXECUTABLE, (data) => Buffer.concat([data, Buffer.alloc(1)])),
        'code-universal',
      ],
      [
        'swapped slices',
        changed(entries, SAMPLE_EXECUTABLE, (data) =>
          buildFat(
            parseFat(data)
              .map((slice) => slice.data)
              .reverse(),
          ),
        ),
        'code-universal',
      ],
      [
        'Info.plist',
        changed(entries, 'Contents/Info.plist', (data) => Buffer.from(String(data).replace('1.1.0', '1.1.1'))),
        'code-slots',
      ],
      [
        'identifier',
        changed(entries, 'Contents/Info.plist', (data) => Buffer.from(String(data).replace('com.net', 'com.nut'))),
        'code-directory',
      ],
      [
        'CSFlags',
        changed(entries, 'Contents/Info.plist', (data) => Buffer.from(String(data).replace('CFBundleName', 'CSFlags'))),
        'bundle-info',
      ],
      ['PkgInfo', flip('Contents/PkgInfo', 0), 'bundle-info'],
      ['CodeResources', changed(entries, CODE_RESOURCES_PATH, (data) => Buffer.from(`${data} `)), 'code-slots'],
      [
        'CodeResources rule',
        changed(entries, CODE_RESOURCES_PATH, (data) => Buffer.from(String(data).replace('^version', '^venison'))),
        'seal',
      ],
      ['changed file', flip('Contents/Resources/AuthDBSetup.sh', 3), 'seal-changed'],
      ['removed file', entries.filter(({ path }) => path !== 'Contents/Resources/AuthDBTeardown.sh'), 'seal-removed'],
      ['removed seal', entries.filter(({ path }) => path !== CODE_RESOURCES_PATH), 'seal'],
      ['added resource', [...entries, add('Contents/Resources/new.sh')], 'seal-added'],
      ['added to Contents', [...entries, add('Contents/new.plist')], 'seal-nested'],
      ['added code', [...entries, add('Contents/MacOS/helper')], 'seal-nested'],
      ['beside Contents', [...entries, add('new.sh')], 'bundle-places'],
      ['in _CodeSignature', [...entries, add('Contents/_CodeSignature/new')], 'bundle-places'],
      ['same path twice', [...entries, entries[0]!], 'bundle-places'],
      [
        'link to elsewhere',
        entries.map((entry) => ('symlink' in entry ? { ...entry, symlink: '../../../etc/passwd' } : entry)),
        'seal-links',
      ],
      [
        'link to another file',
        entries.map((entry) => ('symlink' in entry ? { ...entry, symlink: 'AuthDBTeardown.sh' } : entry)),
        'seal-links',
      ],
      [
        'file for link',
        entries.map((entry) =>
          'symlink' in entry ? { path: entry.path, mode: entry.mode, data: Buffer.from('x') } : entry,
        ),
        'seal-links',
      ],
    ];
    for (const [what, bad, id] of cases) {
      const report = verifyBundle(bad, expectations);
      expect(failures(report), what).toContain(id);
    }
  });

  it('lets an optional localization go', () => {
    const fewer = entries.filter(({ path }) => !path.includes('.lproj/'));
    expect(failures(verifyBundle(fewer, expectations))).toEqual([]);
  });
});

describe('verifyBundle', () => {
  it('tells who signed, when, and what the requirement is', async () => {
    const { signer, expectations, authority } = await rehearsalSigner();
    const { entries, slices } = await signBundle(sampleBundle(), signer);
    const report = verifyBundle(entries, expectations);
    const root = authority.members.root.certificate.sha1.toLowerCase();
    expect(report.slices).toMatchObject(
      slices.map(({ architecture, cdHash }) => ({
        architecture,
        cdHash: cdHash.toString('hex'),
        identifier: 'com.netflix.Escrow-Buddy',
        teamIdentifier: 'REHEARSAL0',
        flags: 0x10000,
        runtimeVersion: 0x000e0400,
        timestamp: NOW,
        signingTime: NOW,
        designatedRequirement: `identifier "com.netflix.Escrow-Buddy" and certificate root = H"${root}"`,
      })),
    );
  });

  it('fails what has no program and no seal, whatever else it has', () => {
    const bare = sampleBundle().filter(({ path }) => path !== SAMPLE_EXECUTABLE);
    const none = bare.filter(({ path }) => path !== 'Contents/Info.plist');
    const said = (entries: readonly BundleEntry[]) => {
      const { valid, checks, slices } = verifyBundle(entries, { ...AD_HOC, ours: false });
      expect([valid, slices]).toEqual([false, []]);
      return checks.filter(({ status }) => status === 'fail').map(({ id, subject }) => `${subject}: ${id}`);
    };
    expect(said([])).toEqual(['bundle: bundle-places', 'bundle: bundle-info']);
    expect(said(none)).toEqual(['bundle: bundle-places', 'bundle: bundle-info']);
    expect(said(bare)).toEqual(['bundle: bundle-places', 'bundle: seal']);
  });

  it('refuses ad-hoc code where a certificate is expected', async () => {
    const { entries } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const report = verifyBundle(entries, { ...AD_HOC, allowAdHoc: false });
    expect(failures(report)).toEqual(['code-cms']);
  });

  it('refuses a root that is not trusted, and code that another identity re-signed in part', async () => {
    const [one, two] = [await rehearsalSigner(), await otherRehearsalSigner()];
    const first = await signBundle(sampleBundle(), one.signer);
    expect(failures(verifyBundle(first.entries, two.expectations))).toContain('code-chain');
    const second = await signBundle(sampleBundle(), two.signer);
    const slices = [first, second].map(({ entries }) => parseFat(fileAt(entries, SAMPLE_EXECUTABLE) as Buffer));
    const mixed = changed(first.entries, SAMPLE_EXECUTABLE, () => buildFat([slices[0]![0]!.data, slices[1]![1]!.data]));
    expect(failures(verifyBundle(mixed, one.expectations))).toContain('code-slices-agree');
  });
});

describe('verifyBundle, code of others', () => {
  const others: CodeExpectations = { ...AD_HOC, ours: false };

  it('skips a slice for old processors, which ours must not have', async () => {
    const { entries } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const old = Buffer.alloc(4096);
    old.writeUInt32LE(0xfeedface, 0); // MH_MAGIC, 32 bits
    old.writeUInt32LE(7, 4);
    old.writeUInt32LE(3, 8);
    const mixed = changed(entries, SAMPLE_EXECUTABLE, (data) =>
      buildFat([...parseFat(data).map((slice) => slice.data), old]),
    );
    const report = verifyBundle(mixed, others);
    expect(failures(report)).toEqual([]);
    expect(report.checks).toContainEqual(expect.objectContaining({ id: 'code-macho', status: 'skipped' }));
    expect(failures(verifyBundle(mixed, AD_HOC))).toEqual(['code-universal', 'code-layout']);
  });

  it('does not check a framework, but demands that it is sealed', async () => {
    const { entries } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const framework = { path: 'Contents/Frameworks/A.framework/Versions/A/A', mode: 0o755, data: Buffer.from('x') };
    const report = verifyBundle([...entries, framework], others);
    expect(failures(report)).toEqual(['seal-nested']);
    expect(report.checks).toContainEqual(expect.objectContaining({ id: 'code-nested', status: 'skipped' }));
  });

  it('gives up on bundles inside of bundles without end', async () => {
    const { entries } = await signBundle(sampleBundle(), { kind: 'ad-hoc' });
    const deep = Array.from({ length: 12 }, (_, depth) =>
      entries.map((entry) => ({ ...entry, path: `${'Contents/XPCServices/a.xpc/'.repeat(depth)}${entry.path}` })),
    ).flat();
    const report = verifyBundle(deep, others);
    expect(report.checks).toContainEqual(expect.objectContaining({ id: 'code-nested', reason: 'nested too deep' }));
  });
});

describe('verifyProgram', () => {
  const expectations: CodeExpectations = { ...AD_HOC, ours: false };
  const options = {
    identifier: 'tool',
    teamIdentifier: null,
    flags: FLAG_ADHOC,
    infoPlist: null,
    codeResources: null,
    requirements: encodeRequirementSet(null),
    cms: null,
  };

  it('checks a program that belongs to no bundle', async () => {
    const { data, cdHash } = await signSlice(sampleSlice('arm64'), options);
    const report = verifyProgram(data, expectations, 'tool');
    expect(report.valid).toBe(true);
    expect(report.slices).toMatchObject([{ identifier: 'tool', cdHash: cdHash.toString('hex'), flags: FLAG_ADHOC }]);
    data[0x4000] = data[0x4000]! ^ 1;
    expect(failures(verifyProgram(data, expectations))).toEqual(['code-pages']);
  });

  it('is for Mach-O files alone', () => {
    const program = fileAt(sampleBundle(), SAMPLE_EXECUTABLE) as Buffer;
    expect([program, sampleSlice('arm64'), Buffer.from('#!/bin/sh'), Buffer.alloc(0)].map(isCode)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('fails what is not signed, and what is not a program', () => {
    expect(failures(verifyProgram(sampleSlice('arm64'), expectations))).toEqual(['code-layout']);
    expect(failures(verifyProgram(Buffer.from('#!/bin/sh\n'), expectations))).toEqual(['code-universal']);
  });

  it('fails an Info.plist that was sealed and is not there', async () => {
    const { data } = await signSlice(sampleSlice('arm64'), { ...options, infoPlist: Buffer.from('x') });
    expect(failures(verifyProgram(data, expectations))).toEqual(['code-slots']);
  });
});
