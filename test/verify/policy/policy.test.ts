import { describe, expect, it } from 'vitest';
import { CheckList } from '../../../src/base/check.ts';
import type { WorkBudget } from '../../../src/base/input/limits.ts';
import { accessBuffer } from '../../../src/base/random-access.ts';
import { type OpenPackage, openPackage } from '../../../src/package/open-package.ts';
import { appleTrust } from '../../../src/pki/x509/apple-roots.ts';
import type { Ability } from '../../../src/verify/abilities.ts';
import type { Policy } from '../../../src/verify/expectations.ts';
import { checkPolicy } from '../../../src/verify/policy/policy.ts';
import { parseXml } from '../../../src/xml/xml.ts';
import { sampleSlice } from '../../code-signature/sample.ts';
import { directory, file, symlink } from '../../support/payload.ts';
import { type PackageParts, type ProductParts, packageOf, productOf } from '../others.ts';

const opened = async (parts: Partial<PackageParts>) => openPackage(accessBuffer(await packageOf(null, parts)));
const product = async (parts: ProductParts) => openPackage(accessBuffer(await productOf(null, parts)));

interface Around {
  readonly teamIdentifier?: string | null;
  readonly abilities?: readonly Ability[];
}

async function checked(subject: OpenPackage, policy: Policy, { teamIdentifier = 'TEAM', abilities = [] }: Around = {}) {
  const list = new CheckList('a');
  const options = { trust: appleTrust(), now: new Date('2023-11-15') };
  await checkPolicy(list, policy, { opened: subject, teamIdentifier, abilities }, options);
  return list.checks.map(({ id, status, reason }) => `${id} ${status}${reason === undefined ? '' : `: ${reason}`}`);
}

const able = (ability: Ability['ability'], found = `found ${ability}`): Ability => ({ ability, before: false, found });
const EVERYTHING: Policy = {
  team: 'TEAM',
  minimumMacOS: '11.0',
  allowedPaths: ['/'],
  allowedMechanisms: [],
  forbid: ['plugIns'],
};
const UNREAD = 'Payload: ./in.pkg is an archive, which was not looked into';
const CLOSED = 'Payload: ./a.zip is a zip archive, which was not looked into';

describe('a policy', () => {
  it('is a check for each demand, and none for what it does not ask', async () => {
    const plain = await opened({ payload: [file('./a', 'x')] });
    const ids = ['policy-team', 'policy-minimum-macos', 'policy-paths', 'policy-mechanisms', 'policy-forbidden'];
    expect(await checked(plain, EVERYTHING)).toEqual(ids.map((id) => `${id} pass`));
    expect(await checked(plain, {})).toEqual([]);
    for (const [at, key] of Object.keys(EVERYTHING).entries())
      expect(await checked(plain, { [key]: EVERYTHING[key as keyof Policy] })).toEqual([`${ids[at]} pass`]);
  });

  it('fails every demand on contents where one of them could not be looked at', async () => {
    expect(await checked(await opened({ payload: [file('./in.pkg', 'xar!')] }), EVERYTHING)).toEqual([
      `policy-team fail: ${UNREAD}`,
      `policy-minimum-macos fail: ${UNREAD}`,
      `policy-paths fail: ${UNREAD}`,
      `policy-mechanisms fail: ${UNREAD}`,
      'policy-forbidden pass',
    ]);
    expect(await checked(await opened({ payload: [file('./a.zip', 'PK\x03\x04')] }), EVERYTHING)).toEqual([
      `policy-team fail: ${CLOSED}`,
      `policy-minimum-macos fail: ${CLOSED}`,
      'policy-paths pass',
      `policy-mechanisms fail: ${CLOSED}`,
      'policy-forbidden pass',
    ]);
  });

  it('asks for the team of the package and of all its code', async () => {
    const plain = await opened({ payload: [file('./a', 'x')] });
    expect(await checked(plain, { team: 'OTHER' })).toEqual([
      'policy-team fail: the package is signed by team TEAM, expected OTHER',
    ]);
    expect(await checked(plain, { team: 'OTHER' }, { teamIdentifier: null })).toEqual([
      'policy-team fail: the package is signed by team none, expected OTHER',
    ]);
    const code = await opened({ payload: [file('./t', sampleSlice('arm64'))] });
    expect(await checked(code, { team: 'TEAM' })).toEqual([
      'policy-team fail: Payload: ./t (arm64) is signed by team none, expected TEAM',
    ]);
    expect(await checked(code, { minimumMacOS: '10.15' })).toEqual(['policy-minimum-macos pass']);
  });

  it('asks for versions in every place', async () => {
    const demanding = await opened({ payload: [directory('./A'), file('./A/Info.plist', '<plist><dict><key>LSMinimumSystemVersion</key><string>12.0</string></dict></plist>')] });
    expect(await checked(demanding, { minimumMacOS: '11.0' })).toEqual([
      'policy-minimum-macos fail: Payload: ./A/Info.plist asks for macOS 12.0, expected 11.0 at most',
    ]);
    expect(await checked(await opened({}), { minimumMacOS: '11.0' }, { abilities: [able('javaScript'), able('scripts')] })).toEqual([
      'policy-minimum-macos fail: JavaScript may refuse any macOS, which cannot be known: found javaScript',
    ]);
  }); // biome-ignore format: a table

  it('forbids abilities by name', async () => {
    const around = { abilities: [able('plugIns'), able('scripts'), able('restart')] };
    expect(await checked(await opened({}), { forbid: ['plugIns', 'restart'] }, around)).toEqual([
      'policy-forbidden fail: plug-ins that Installer loads: found plugIns; asks to log out, restart or shut down: found restart',
    ]);
  });
});

describe('a policy on mechanisms', () => {
  const script = (text: string) => [file('./postinstall', `#!/bin/sh\n${text}\n`, 0o755)];
  const mechanisms = (parts: Partial<PackageParts>, allowedMechanisms: string[] = [], around: Around = {}) =>
    opened(parts).then((subject) => checked(subject, { allowedMechanisms }, around));

  it('reads payload and scripts, and of scripts what they run', async () => {
    expect(await mechanisms({ scripts: script('eval "$x"') })).toEqual([
      expect.stringMatching(/^policy-mechanisms fail: Scripts: \.\/postinstall runs a text/),
    ]);
    expect(await mechanisms({ payload: [file('./a', 'eval x; "A:b,privileged"')] })).toEqual([
      'policy-mechanisms fail: Payload: ./a names the mechanism A:b,privileged',
    ]);
    expect(await mechanisms({ payload: [file('./a', '"A:b,privileged"')] }, ['A:b,privileged'])).toEqual(['policy-mechanisms pass']);
  }); // biome-ignore format: a table

  it('knows the bundles of the package by their names', async () => {
    const entry = file('./x', '"Plug:other"');
    const pass = ['policy-mechanisms pass'];
    const fail = ['policy-mechanisms fail: Payload: ./x names the mechanism Plug:other'];
    expect(await mechanisms({ payload: [entry] })).toEqual(pass);
    expect(await mechanisms({ payload: [entry, directory('./Plug.app')] })).toEqual(pass);
    expect(await mechanisms({ payload: [entry, directory('./PLUG.BUNDLE')] })).toEqual(fail);
    expect(await mechanisms({ payload: [entry, directory('./a'), directory('./a/Plug.bundle')] })).toEqual(fail);
    const info = '<bundle id="p" path="./b/Plug.bundle"/>';
    expect(await mechanisms({ payload: [entry], info })).toEqual(fail);
    const [component] = (await opened({ payload: [entry], info })).components;
    const bare = { ...(await opened({ payload: [entry], info })), components: [{ ...component, bom: undefined }] };
    expect(await checked(bare as unknown as OpenPackage, { allowedMechanisms: [] })).toEqual(fail);
  });

  it('is not met by what comes from elsewhere', async () => {
    const abilities = [able('externalPackages', 'P'), able('externalRoot', 'R'), able('plugIns')];
    expect(await mechanisms({}, [], { abilities })).toEqual([
      'policy-mechanisms fail: not in the package, so not looked at: P; not in the package, so not looked at: R',
    ]);
  });
});

describe('a policy on paths', () => {
  const paths = async (subject: OpenPackage, allowedPaths: string[], abilities: Ability[] = []) =>
    (await checked(subject, { allowedPaths }, { abilities })).map((line) => line.replace('policy-paths ', ''));

  it('is about the place of each component', async () => {
    const two = await product({
      'a.pkg': { identifier: 'a', installLocation: '/A', payload: [file('./x', 'x')] },
      'b.pkg': { identifier: 'b', installLocation: '/B', payload: [file('./y', 'x')] },
    });
    expect(await paths(two, ['/A', '/B'])).toEqual(['pass']);
    expect(await paths(two, ['/A'])).toEqual(['fail: /B is not allowed; /B/y is not allowed']);
    expect(await paths(two, ['/A', '/B/y'])).toEqual(['pass']);
    expect(await paths(two, ['/A/x', '/B/z'])).toEqual(['fail: /B/y is not allowed']);
    expect(await paths(two, ['/A/', '//B'])).toEqual(['pass']);
    const deeper = await opened({ installLocation: '/B/A', payload: [file('./x', 'x')] });
    expect(await paths(deeper, ['/A'])).toEqual(['fail: /B/A is not allowed; /B/A/x is not allowed']);
  });

  it('tells where something comes to lie by a link', async () => {
    const linked = await product({
      'a.pkg': { identifier: 'a', installLocation: '/P', payload: [symlink('./l', 'm'), directory('./m')] },
      'b.pkg': { identifier: 'b', installLocation: '/P/l', payload: [file('./x', 'x')] },
    });
    expect(await paths(linked, ['/P/l', '/P/x'])).toEqual([
      'fail: the link /P/l leads to /P/m, which is not allowed; /P/m is not allowed; /P/l/x, which lies at /P/m/x is not allowed',
    ]);
    expect(await paths(linked, ['/P'])).toEqual(['pass']);
  }); // biome-ignore format: short

  it('does not let a folder be above what is allowed that is none', async () => {
    const [asFile, asFolder] = await Promise.all([
      opened({ payload: [file('./A', 'x')] }),
      opened({ payload: [directory('./A')] }),
    ]);
    expect(await paths(asFile, ['/A/b'])).toEqual(['fail: /A is not allowed']);
    expect(await paths(asFolder, ['/A/b'])).toEqual(['pass']);
    expect(await paths(asFolder, ['/Ab/c'])).toEqual(['fail: /A is not allowed']);
    expect(await paths(asFolder, ['/B/A/c'])).toEqual([expect.stringContaining('/A is not allowed')]);
  });

  it('is not met where things may lie elsewhere', async () => {
    const home = able('otherVolumes', 'enable_currentUserHome="true"');
    const abilities = [able('relocate', 'R'), home, able('otherVolumes', 'enable_anywhere'), able('externalRoot', 'E')];
    expect(await paths(await opened({}), ['/'], abilities)).toEqual([
      `fail: not in the package, so not looked at: E; it may be laid down elsewhere: R; it may be laid down in a home folder: ${home.found}`,
    ]);
    expect(await paths(await opened({}), ['/'], [able('otherVolumes', 'enable_anywhere'), able('scripts', 'a script named enable_currentUserHome')])).toEqual(['pass']);
  }); // biome-ignore format: short

  it('looks at 64 places of a component', async () => {
    const subject = await opened({ payload: [file('./x', 'x')] });
    const of = (count: number) => {
      const choices = Array.from({ length: count }, (_, at) => `<choice customLocation="/P${at}"/>`).join('');
      const distribution = { root: parseXml(`<x>${choices}</x>`, 'x') } as OpenPackage['distribution'];
      return paths({ ...subject, distribution } as OpenPackage, ['/']);
    };
    expect(await of(63)).toEqual(['pass']);
    expect(await of(64)).toEqual([
      'fail: a component may be laid down in 65 places, of which at most 64 are looked at',
    ]);
  });

  it('does not follow more bytes of links than it looks for', async () => {
    const links = (last: string) => [
      ...Array.from({ length: 1999 }, (_, at) => symlink(`./l${at}`, 'x'.repeat(1000))),
      symlink('./last', last),
    ];
    const of = async (last: string) => paths(await opened({ payload: links(last) }), ['/']);
    expect(await of('x'.repeat(1000))).toEqual(['pass']);
    expect(await of('x'.repeat(1001))).toEqual([
      'fail: flat package, offset 0: expected at most 20000 links whose ends are looked for, found more',
    ]);
  });
});

describe('what a policy could not read', () => {
  it('is an archive that is none, by its name', async () => {
    const broken = await opened({ pack: () => Buffer.from('no archive') });
    expect(await checked(broken, { allowedPaths: ['/'] })).toEqual([
      expect.stringMatching(/^policy-paths fail: Payload was not read: /),
    ]);
  });

  it('is a payload that is not there', async () => {
    const subject = await product({ 'a.pkg': { identifier: 'a', payload: [file('./x', 'x')] } });
    const lacking = (numberOfFiles: number) => {
      const [component] = subject.components;
      const info = { ...component?.info, payload: { ...component?.info.payload, numberOfFiles } };
      const without = { ...component, info, payload: undefined };
      return checked({ ...subject, components: [without] } as unknown as OpenPackage, { allowedPaths: ['/'] });
    };
    expect(await lacking(1)).toEqual(['policy-paths fail: a.pkg names files, but has no Payload']);
    expect(await lacking(0)).toEqual(['policy-paths pass']);
  });

  it('is what costs more than the whole package may', async () => {
    const data = await packageOf(null, { payload: [file('./a', 'x'.repeat(1000)), file('./b', 'x')] });
    const spent: [number, number][] = [];
    const budget = { spend: (bytes: number, cost: number) => spent.push([bytes, cost]) } as unknown as WorkBudget;
    await checked(await openPackage(accessBuffer(data), budget), { allowedPaths: ['/'] });
    expect(spent).toContainEqual([2000, 4]);
    expect(spent).toContainEqual([2, 4]);
  });

  it('is not a fault of ours, which ends the check', async () => {
    const broken = { spend: () => { throw new TypeError('ours'); } } as unknown as WorkBudget; // biome-ignore format: short
    const subject = await opened({ payload: [file('./a', 'x')] });
    const archive = { ...subject.archive, budget: broken };
    await expect(checked({ ...subject, archive }, { allowedPaths: ['/'] })).rejects.toThrow('ours');
  });
});
