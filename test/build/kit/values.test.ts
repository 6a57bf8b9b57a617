import { parse as parsePlist } from 'plist';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { kitFiles } from '../../../build/kit/kit.ts';
import { readKitInput } from '../../../build/kit/make-kit.ts';
import { orphanQuery } from '../../../build/kit/queries.ts';
import { profileUuid, renderJson, renderPlist, renderProfile } from '../../../build/kit/render.ts';
import { renderKitScripts } from '../../../build/kit/scripts.ts';
import type { KitInput } from '../../../build/kit/system.ts';
import { SYSTEMS } from '../../../build/kit/systems.ts';
import { readVocabulary } from '../../../build/kit/vocabulary.ts';
import { vocabularyTables } from '../../../build/kit/vocabulary-tables.ts';
import { kitSource } from './made-kit.ts';

let good: KitInput;
beforeAll(async () => {
  const input = await readKitInput(kitSource());
  const signer = 'Developer ID Installer: Example Inc. (ABCDE12345)';
  const signing = { signer, teamIdentifier: 'ABCDE12345', authorities: [signer, 'B', 'C'] };
  good = { ...input, facts: { ...input.facts, signing } };
});

/** Returns a file of a system's folder, made from other facts. */
function file(path: string, facts: Partial<KitInput['facts']> = {}, change: Partial<KitInput> = {}): string {
  const [folder = '', ...name] = path.split('/');
  const files = SYSTEMS.find((system) => system.folder === folder)?.files({
    ...good,
    ...change,
    facts: { ...good.facts, ...facts },
  });
  return String(files?.[name.join('/')]);
}
const json = (...given: Parameters<typeof file>) => JSON.parse(file(...given));
const plist = (...given: Parameters<typeof file>) => parsePlist(file(...given)) as Record<string, any>;
const yaml = (...given: Parameters<typeof file>) => parseYaml(file(...given));
const ofSize = (size: number) => ({ file: { ...good.facts.file, size } });

/** Munki's and Workspace ONE's own words for an item that installs and goes without anybody at the Mac. */
const UNATTENDED = { unattended_install: true, uninstallable: true, uninstall_method: 'uninstall_script' };

describe('what the files of each system say', () => {
  it.each(['munki/pkgsinfo.plist', 'workspace-one/pkginfo.plist'])(
    '%s: sizes in whole KiB, nobody is asked',
    (path) => {
      // Munki rounds down.
      const sizes = [1023, 1024, 2047, 2048, 1024 * 1024].map((size) => plist(path, ofSize(size)).installer_item_size);
      expect(sizes).toEqual([0, 1, 1, 2, 1024]);
      expect(plist(path)).toMatchObject(UNATTENDED);
    },
  );

  it('munki/pkgsinfo.plist: it stays where it is, and may go without anybody at the Mac', () => {
    expect(plist('munki/pkgsinfo.plist')).toMatchObject({ autoremove: false, unattended_uninstall: true });
  });

  it('autopkg: the newest release of the repository alone, signed by the chain of this package', () => {
    const download = 'autopkg/EscrowBuddy.download.recipe.yaml';
    const [find, , , verify] = yaml(download).Process;
    expect(find.Arguments).toEqual({
      github_repo: 'example/escrow-buddy',
      asset_regex: '^Escrow\\.Buddy-[0-9.]+\\.pkg$',
      latest_only: true,
    });
    expect(verify.Arguments.expected_authority_names).toEqual(good.facts.signing?.authorities);
    const [elsewhere, , , unsigned] = yaml(download, { signing: null }, { url: 'https://example.com/a.pkg' }).Process;
    expect(elsewhere.Arguments.github_repo).toBe('OWNER/REPOSITORY');
    expect(unsigned.Arguments.expected_authority_names).toEqual([]);
    const { pkginfo } = yaml('autopkg/EscrowBuddy.munki.recipe.yaml').Input;
    expect(pkginfo).toMatchObject({ ...UNATTENDED, autoremove: false, unattended_uninstall: true });
  });

  it('installomator: repository and team, or what is to be put there', () => {
    const label = 'installomator/escrowbuddyx.sh';
    expect(file(label)).toMatch(/FromGit example escrow-buddy\)\n.*FromGit example escrow-buddy\)\n.*="ABCDE12345"\n/);
    expect(file(label, { signing: null }, { url: 'https://example.com/a.pkg' })).toMatch(
      /FromGit OWNER REPOSITORY\)\n.*FromGit OWNER REPOSITORY\)\n.*expectedTeamID=""\n/,
    );
  });

  it('intune: the publisher is the name in the certificate, and the version of the bundle decides nothing', () => {
    const app = { ignoreVersionDetection: true, minimumSupportedOperatingSystem: { v10_14: true } };
    expect(json('intune/app.json')).toMatchObject({ ...app, publisher: 'Example Inc.' });
    expect(json('intune/app.json', { signing: null }).publisher).toBe('unsigned');
  });

  it('fleet: people are not offered it', () => {
    expect(yaml('fleet/team.yml').software.packages[0].self_service).toBe(false);
  });

  it('jamf: the package with the values of its API, and settings in an order with room between them', () => {
    expect(json('jamf-pro/package.json')).toMatchObject({
      ...{ priority: 10, rebootRequired: false, fillUserTemplate: false, osInstall: false, suppressUpdates: false },
      ...{ hashType: 'SHA_512', hashValue: good.facts.file.sha512 },
    });
    const { properties } = json('jamf-pro/settings-schema.json');
    const shown = Object.entries<any>(properties).map(([key, { property_order, anyOf }]) => [
      key,
      property_order,
      ...anyOf.map(({ title: _, ...rest }: object & { title: string }) => rest),
    ]);
    const none = { type: 'null' };
    expect(shown).toEqual([
      ['CommandTimeout', 5, none, { type: 'integer', minimum: 20, maximum: 120, default: 30 }],
      ['EnableGuard', 10, none, { type: 'boolean', default: false }],
      ['DisableHeal', 15, none, { type: 'boolean', default: false }],
      ['MaximumOSVersion', 20, none, { type: 'string' }],
    ]);
  });

  it('osquery: each query is a snapshot, once an hour', () => {
    const queries = Object.values<any>(json('osquery/escrow-buddy.pack.json').queries);
    expect(queries.length).toBeGreaterThan(5);
    for (const query of queries) expect(query).toMatchObject({ interval: 3600, snapshot: true });
    expect(orphanQuery(good)).toContain("AND plugin = 'Escrow Buddy')");
  });

  it('apple-mdm: digests of parts for the command, of the whole for the declaration', () => {
    const asset = (name: string, at = (value: any) => value) => at(plist(`apple-mdm/${name}`)).items[0].assets[0];
    const { chunks, sha256 } = good.facts.file;
    const parts = { 'sha256-size': chunks.size, sha256s: chunks.sha256s, 'md5-size': chunks.size, md5s: chunks.md5s };
    const common = { kind: 'software-package', url: good.url };
    expect(asset('manifest.plist')).toEqual({ ...common, ...parts });
    expect(asset('install-enterprise-application.plist', ({ Manifest }) => Manifest)).toEqual({ ...common, ...parts });
    expect(asset('declaration-manifest.plist')).toEqual({ ...common, sha256 });
  });

  it('apple-mdm: code is allowed by team and identifier, or where nobody signed by its cdhashes', () => {
    const allowed = (facts: Partial<KitInput['facts']>) =>
      json('apple-mdm/declaration-allowed-binaries.json', facts).Payload.Allowed.AllowedBinaries;
    const code = [
      { architecture: 'x86_64', identifier: 'a', cdHash: '1' },
      { architecture: 'arm64', identifier: 'b', cdHash: '2' },
    ];
    expect(allowed({ code })).toEqual([{ TeamID: 'ABCDE12345', SigningID: 'a' }]);
    expect(allowed({ code, signing: null })).toEqual([
      { CDHash: '1', SigningID: 'a' },
      { CDHash: '2', SigningID: 'b' },
    ]);
  });

  it('apple-mdm: the guard may be run by whoever unpacks it', () => {
    const archive = good.guardZip;
    const entry = archive.indexOf('PK\x01\x02');
    // Its mode stands in the upper half of the external attributes. Source: APPNOTE.TXT, 4.4.15; Info-ZIP.
    expect((archive.readUInt16LE(entry + 40) & 0o777).toString(8)).toBe('755');
  });

  it('apple-mdm: the guard runs at once and every ten minutes', () => {
    expect(plist('apple-mdm/guard.launchd.plist')).toMatchObject({ RunAtLoad: true, StartInterval: 600 });
  });

  it('profiles: FileVault is put off till the login and then demanded, its key never shown', () => {
    expect(plist('profiles/filevault-at-setup.mobileconfig').PayloadContent[0]).toMatchObject({
      ...{ Defer: true, DeferForceAtUserLoginMaxBypassAttempts: 0, ForceEnableInSetupAssistant: true },
      ...{ UseRecoveryKey: true, ShowRecoveryKey: false },
    });
  });

  it('profiles: the guard is known by its label, and by the team of a signed one', () => {
    const [rule] = plist('profiles/background-item.mobileconfig').PayloadContent[0].Rules;
    expect(rule).toMatchObject({ RuleType: 'Label', TeamIdentifier: 'ABCDE12345' });
    const [unsigned] = plist('profiles/background-item.mobileconfig', { signing: null }).PayloadContent[0].Rules;
    expect(Object.keys(unsigned)).toEqual(['RuleType', 'RuleValue', 'Comment']);
  });

  it('profiles: settings with the values that they have without a profile, and none for one that has none', () => {
    const [values] = plist('profiles/settings.mobileconfig').PayloadContent;
    expect(Object.keys(values)).not.toContain('MaximumOSVersion');
    expect(values).toMatchObject({ CommandTimeout: 30, EnableGuard: false, DisableHeal: false, PayloadVersion: 1 });
  });

  it('profiles: the manifest has the keys of ProfileManifests', () => {
    const manifest = plist('profiles/com.netflix.Escrow-Buddy.plist');
    expect(manifest).toMatchObject({ pfm_format_version: 1, pfm_unique: false, pfm_version: 1 });
    const shown = manifest.pfm_subkeys.map((key: Record<string, unknown>) =>
      Object.entries(key).filter(([name]) => !/description|title|app_min/.test(name)),
    );
    const key = (name: string, type: string, more: object) =>
      Object.entries({ pfm_name: name, pfm_type: type, ...more });
    const always = { pfm_require: 'always' };
    const domain = 'com.netflix.Escrow-Buddy';
    expect(shown).toEqual([
      key('PayloadDescription', 'string', { pfm_default: 'Settings of Escrow Buddy', ...always }),
      key('PayloadDisplayName', 'string', { pfm_default: 'Escrow Buddy', ...always }),
      key('PayloadIdentifier', 'string', { pfm_default: domain, ...always }),
      key('PayloadType', 'string', { pfm_default: domain, ...always }),
      key('PayloadUUID', 'string', always),
      key('PayloadOrganization', 'string', {}),
      key('PayloadVersion', 'integer', { pfm_default: 1, pfm_range_list: [1], ...always }),
      key('CommandTimeout', 'integer', { pfm_default: 30, pfm_range_min: 20, pfm_range_max: 120 }),
      key('EnableGuard', 'boolean', { pfm_default: false }),
      key('DisableHeal', 'boolean', { pfm_default: false }),
      key('MaximumOSVersion', 'string', { pfm_format: '^[0-9]{1,3}(\\.[0-9]{1,3}){0,2}$' }),
    ]);
  });
});

describe('the documents of the kit', () => {
  const made = async (facts: Partial<KitInput['facts']> = {}, change: Partial<KitInput> = {}) => {
    const vocabulary = await readVocabulary('.');
    const files = kitFiles(
      { ...good, ...change, facts: { ...good.facts, ...facts } },
      { readme: '# R\n\n\n', vocabulary },
    );
    return new Map(files.map(({ path, data }) => [path, data]));
  };

  it('are one of each script, a README and the files of each system, and those of the whole', async () => {
    const files = await made();
    for (const [name, text] of Object.entries(good.scripts))
      expect(files.get(`scripts/${name}.sh`)).toEqual(Buffer.from(text));
    for (const system of SYSTEMS)
      for (const [path, text] of Object.entries({ 'README.md': undefined, ...system.files(good) }))
        if (text === undefined) expect(String(files.get(`${system.folder}/${path}`))).toMatch(/^# Escrow Buddy /);
        else expect(files.get(`${system.folder}/${path}`)).toEqual(Buffer.from(text as string));
    expect(String(files.get('README.md'))).toMatch(/^# R\n\n## Systems\n/);
    expect([...files.values()].every((data) => Buffer.isBuffer(data))).toBe(true);
    expect(JSON.parse(String(files.get('kit.json')))).toMatchObject({
      schema: 1,
      product: 'Escrow Buddy',
      url: good.url,
    });
  });

  it('say of each rule whether it is met, and of each way whether all are', async () => {
    const compatibility = async (facts: Partial<KitInput['facts']>) => {
      const { schema, systems } = JSON.parse(String((await made(facts)).get('compatibility.json')));
      expect(schema).toBe(1);
      return systems.find(({ name }: { name: string }) => name === 'SimpleMDM').paths[0];
    };
    const statuses = ({ rules }: { rules: object[] }) => rules.map(({ rule: _, source: __, ...rest }: any) => rest);
    const met = await compatibility({});
    expect([met.meetsRules, statuses(met)]).toEqual([true, [{ status: 'pass' }, { status: 'pass' }]]);
    const half = await compatibility({ minimumMacOS: '' });
    expect([half.meetsRules, statuses(half)]).toEqual([
      false,
      [{ status: 'pass' }, { status: 'fail', reason: 'it has no Distribution' }],
    ]);
  });

  it('are written as people read them', () => {
    expect(renderJson({ a: [1] })).toBe('{\n  "a": [\n    1\n  ]\n}\n');
    expect(renderPlist({ a: [1] })).toMatch(
      /\n\t<dict>\n\t\t<key>a<\/key>\n\t\t<array>\n\t\t\t<integer>1<\/integer>\n/,
    );
  });

  it('hold profiles of version 1, each payload with an identifier of its own or the one it is given', () => {
    const payloads = [{ PayloadIdentifier: 'a.b' }, { PayloadIdentifier: 'a.c', PayloadUUID: 'given' }];
    const profile = parsePlist(renderProfile({ identifier: 'a', name: 'n', description: 'd', payloads }));
    expect(profile).toEqual({
      PayloadContent: [
        { PayloadIdentifier: 'a.b', PayloadUUID: profileUuid('a.b'), PayloadVersion: 1 },
        { PayloadIdentifier: 'a.c', PayloadUUID: 'given', PayloadVersion: 1 },
      ],
      ...{ PayloadDescription: 'd', PayloadDisplayName: 'n', PayloadIdentifier: 'a', PayloadScope: 'System' },
      ...{ PayloadType: 'Configuration', PayloadUUID: profileUuid('a'), PayloadVersion: 1 },
    });
    // python3 -c "import uuid; print(uuid.uuid5(uuid.NAMESPACE_URL, 'profile:a'))"
    expect(profileUuid('a')).toBe('527F4158-1D87-5AC5-933A-4F12E5288422');
  });

  it('hold scripts with address, size, digest and team of the package, and no team of an unsigned one', () => {
    const { values } = good.facts;
    const scripted = (signing: { teamIdentifier: string } | null) =>
      renderKitScripts(
        { values, file: { size: 7, sha256: 'd' }, signing },
        'u',
        () => 'PACKAGE_TEAM=@PACKAGE_TEAM@\nPACKAGE_BYTES=@PACKAGE_BYTES@\necho "$PACKAGE_TEAM" "$PACKAGE_BYTES"\n',
      ).install;
    expect(scripted({ teamIdentifier: 'T' })).toMatch(/^PACKAGE_TEAM='T'\nPACKAGE_BYTES='7'\n/);
    expect(scripted(null)).toMatch(/^PACKAGE_TEAM=''\n/);
  });

  it('explain each setting with its type, range and value', async () => {
    const { settings } = vocabularyTables(await readVocabulary('.'), '1.1.0');
    expect(settings.rows.map((cells) => cells.slice(0, 3))).toEqual([
      ['`CommandTimeout`', 'integer, 20 to 120', '30'],
      ['`EnableGuard`', 'boolean', 'false'],
      ['`DisableHeal`', 'boolean', 'false'],
      ['`MaximumOSVersion`', 'string, `26` or `26.2`', 'none'],
    ]);
  });
});
