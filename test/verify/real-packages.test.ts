import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accessBuffer } from '../../src/base/random-access.ts';
import { appleTrust } from '../../src/pki/x509/apple-roots.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import { readXar } from '../../src/xar/read.ts';
import { realPackages } from '../support/needs.ts';

const folder = join(realPackages.folder ?? '.', 'pkg');
const read = (name: string) => readFileSync(join(folder, name));
const UNSIGNED = ['intune-dock-2024.pkg', 'relic-dummy-2021.pkg'];
/** productsign of macOS 10.12, 11, 14 and 15, and Packages.app: signer's team, year of the timestamp, and what is remarkable. */
const SIGNED = [
  ['installomator-0.5-2021.pkg', 'JME5BW3F3R', 2021, ['package-rsa'], 2021],
  ['jq-1.8.1-2025.pkg', 'P3FGV63VK7', 2025, [], undefined],
  ['santa-0.9.19-2017.pkg', 'EQHXZ8M8AV', 2017, ['trailing-bytes'], undefined],
  ['setwallpaper-2017.pkg', 'MXNCQ3W382', 2017, ['trailing-bytes'], undefined],
  ['xcreds-launch-agent-2024.pkg', 'UXP6YEHSPW', 2024, ['payload-counters'], 2024],
] as const;

/** Nothing of these packages is what it demands; what matters is which checks it fails beyond its demands. */
const form = (madeBy: OurForm['madeBy']): OurForm => ({
  madeBy,
  teamIdentifier: null,
  identifier: 'com.example',
  version: null,
  title: 'Example',
  bundles: () => [],
  isVersion: () => true,
  installLocation: '/',
  minimumSystemVersion: '11.0',
  scripts: [],
  payload: new Map(),
  owner: { uid: 0, gid: 0 },
});
/** Checks of what Apple's tools write each in their own way. */
const ABOUT_BYTES =
  /^(heap-gaps|trailing-bytes|payload-counters|package-(signature|rsa|cms|padding|timestamp|chain|role|key-info))$/;

async function check(file: Buffer, ours: OurForm | null = null) {
  const report = await verifyPackage(accessBuffer(file), { trust: appleTrust(), now: new Date('2040-01-01'), ours });
  const ids = (status: string) => [
    ...new Set(report.checks.filter((check) => check.status === status).map(({ id }) => id)),
  ];
  const remarks = report.checks.filter(({ status, reason }) => status === 'pass' && reason !== undefined);
  return { report, failed: ids('fail'), remarks: [...new Set(remarks.map(({ id }) => id))] };
}

describe.skipIf(realPackages.missing)(`packages of other publishers${realPackages.note}`, () => {
  it('are all in the table', () => {
    const names = readdirSync(folder).filter((name) => name.endsWith('.pkg'));
    expect(names.sort()).toEqual([...UNSIGNED, ...SIGNED.map(([name]) => name)].sort());
  });

  it.each(SIGNED)(
    '%s verifies, long after its certificate expired',
    async (name, team, year, remarkable, ticketYear) => {
      const { report, failed, remarks } = await check(read(name));
      expect(failed).toEqual([]);
      expect(remarks).toEqual(remarkable);
      expect(report.facts.teamIdentifier).toBe(team);
      expect(report.facts.timestamp?.getUTCFullYear()).toBe(year);
      expect(report.facts.ticketIssuedAt?.getUTCFullYear()).toBe(ticketYear);
    },
  );

  it.each(SIGNED)('%s has the bytes of Apple’s tools, not those of ours', async (name) => {
    const aboutBytes = async (madeBy: OurForm['madeBy']) =>
      (await check(read(name), form(madeBy))).failed.filter((id) => ABOUT_BYTES.test(id));
    expect(await aboutBytes('apple')).toEqual([]);
    expect(await aboutBytes('portable')).toContain('package-cms');
  });

  it.each(UNSIGNED)('%s does not: nobody signed it', async (name) => {
    expect((await check(read(name))).failed).toContain('package-signature');
  });

  it.each(SIGNED)('%s is refused with one bit changed in any signed region', async (name) => {
    const file = read(name);
    const { heapStart, header, checksum, signatures, members, trailing } = await readXar(accessBuffer(file));
    const [rsa, cms] = signatures.map(({ range }) => heapStart + range.offset) as [number, number];
    const data = members.flatMap((member) => member.data ?? []);
    const places: [string, number][] = [
      ['TOC', header.headerSize + 100],
      ['TOC digest', heapStart + checksum.range.offset + 3],
      ['RSA signature', rsa + 77],
      ['CMS, certificates', cms + 900],
      ['CMS, end', cms + lastByte(file.subarray(cms, cms + (signatures[1]?.range.size ?? 0)))],
      ...data.map(({ offset, length }): [string, number] => ['member', heapStart + offset + (length >> 1)]),
    ];
    if (file.toString('latin1', file.length - 16, file.length - 12) === 't8lr')
      places.push(['ticket', trailing.offset + 700]);
    for (const [what, at] of places) {
      const changed = Buffer.from(file);
      changed[at] = (changed[at] as number) ^ 1;
      expect((await check(changed)).failed, `${what}, byte ${at}`).not.toEqual([]);
    }
  });
});

/** The CMS ends where its padding begins. */
function lastByte(slot: Buffer): number {
  let at = slot.length - 1;
  while (slot[at] === 0) at--;
  return at - 8;
}
