import { generateKeyPairSync } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { downloadUrl } from '../../../build/kit/make-kit.ts';
import { connectToNotary } from '../../../build/notary/connection.ts';
import { makePlan, type Plan } from '../../../build/plan/plan.ts';
import { resolveSigning } from '../../../build/signing/identities.ts';
import { assemblePayload } from '../../../build/stages/assemble-payload.ts';
import { buildPackages } from '../../../build/stages/build-package.ts';
import { readBundleSource, renderInfoPlist } from '../../../build/stages/compile.ts';
import { generateScripts } from '../../../build/stages/generate-scripts.ts';
import { PipelineError } from '../../../src/base/errors.ts';
import type { RehearsalAuthority } from '../../../src/rehearsal/authority.ts';
import { portableCompiler } from '../../../src/toolchain/portable/compiler.ts';
import { portablePackageBuilder } from '../../../src/toolchain/portable/package-builder.ts';
import { selectToolchain } from '../../../src/toolchain/select.ts';
import { rehearsalP12 } from '../../rehearsal/authority-p12.ts';
import { sharedAuthority } from '../../rehearsal/shared-authority.ts';
import { byDay, ofTheDay } from '../../support/by-day.ts';
import { firstOnPath } from '../../support/needs.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';

/**
 * Changes every setting, one at a time, and sees that it reaches what is built, or is refused: a setting that nobody reads would
 * be believed all the same. The packages are built with what the compiler is told in the place of the program.
 */
const FILES = {
  config: 'release.config.json',
  build: 'payload/plugin/build.json',
  permissions: 'payload/permissions.json',
  template: 'payload/Info.plist',
} as const;
type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
const PASSWORD = 'rehearsal';
const signal = new AbortController().signal;
const root = mkdtempSync(join(tmpdir(), 'settings-'));
const TEXT: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(FILES).map((file) => [file, readFileSync(file, 'utf8')]),
);
let authority: RehearsalAuthority;
let env: Record<string, string>;

beforeAll(async () => {
  for (const path of ['package.json', 'release.config.json', 'payload', 'scripts']) {
    cpSync(path, join(root, path), { recursive: true });
  }
  authority = await sharedAuthority();
  const p12 = async (role: 'application' | 'installer') =>
    (await rehearsalP12(authority, role, PASSWORD)).toString('base64');
  const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey;
  env = {
    APPLICATION_P12_BASE64: await p12('application'),
    APPLICATION_P12_PASSWORD: PASSWORD,
    INSTALLER_P12_BASE64: await p12('installer'),
    INSTALLER_P12_PASSWORD: PASSWORD,
    NOTARY_KEY: key.export({ type: 'pkcs8', format: 'pem' }) as string,
    NOTARY_KEY_ID: 'ABC1234567',
    NOTARY_ISSUER_ID: '69a6de70-03db-47e3-e053-5b8c7c11a4d1',
  };
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => {
  for (const [file, text] of Object.entries(TEXT)) writeFileSync(join(root, file), text);
});

const planOf = () => makePlan({ root, outFolder: join(root, 'out'), sourceDateEpoch: '1700000000' });
/** What a run of the given kind gives, or the code with which it is refused. */
const outcome = (observe: (plan: Plan) => Promise<unknown>): Promise<unknown> =>
  planOf()
    .then(observe)
    .catch((error: unknown) => {
      if (error instanceof PipelineError) return { refused: error.code };
      throw error;
    });

const known = new Map<unknown, unknown>();
/** The same, of the files as they are. */
async function original(observe: (plan: Plan) => Promise<unknown>): Promise<unknown> {
  if (!known.has(observe)) known.set(observe, await planOf().then(observe));
  return known.get(observe);
}

/** Names and digests of the unsigned packages, and all scripts. */
async function packages(plan: Plan): Promise<unknown> {
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

const signing = (plan: Plan) => resolveSigning({ env, plan, trust: authority.trust }).then(({ mode }) => mode);
const notary = (plan: Plan) =>
  connectToNotary({ env, plan, mode: 'release' }).then(({ access: { notaryUrl, ticketUrl } }) => [
    notaryUrl,
    ticketUrl,
  ]);
const toolchain = async ({ config }: Plan) => selectToolchain(config.signing.toolchain).name;
const download = async ({ config, version }: Plan) => downloadUrl(config, version, 'Example.pkg');
const kit = async ({ config }: Plan) => config.output.kit;

/** Every setting of release.config.json with another value that its shape allows, and where to look. */
const SETTINGS: Readonly<Record<string, readonly [value: Json, observe: (plan: Plan) => Promise<unknown>]>> = {
  'product.title': ['Other', packages],
  'bundle.name': ['Other.bundle', packages],
  'bundle.executable': ['Other', packages],
  'bundle.identifier': ['com.example.Other', packages],
  'authorization.right': ['system.login.other', packages],
  'authorization.mechanism': ['Escrow Buddy:Other,privileged', packages],
  'authorization.before': ['loginwindow:success', packages],
  'package.identifier': ['com.example.Other', packages],
  'package.installLocation': ['/Library/Other', packages],
  'package.guardIdentifier': ['com.example.Other', packages],
  'package.uninstallIdentifier': ['com.example.Other', packages],
  'package.requestIdentifier': ['com.example.Other', packages],
  'macOS.sdk': ['14.5', packages],
  'macOS.installer': ['10.15', packages],
  'macOS.x86_64': ['10.14.1', packages],
  'macOS.arm64': ['11.1', packages],
  'output.package': ['Other-{version}.pkg', packages],
  'output.guard': ['Other-{version}.pkg', packages],
  'output.uninstall': ['Other-{version}.pkg', packages],
  'output.request': ['Other-{version}.pkg', packages],
  'output.kit': ['Other-{version}.zip', kit],
  'signing.teamIdentifier': ['ABCDE12345', signing],
  'signing.toolchain': [firstOnPath('pkgbuild') ? 'portable' : 'apple', toolchain],
  'services.downloads': ['https://example.com/{version}', download],
  'services.notary': ['https://example.com/notary', notary],
  'services.tickets': ['https://example.com/tickets', notary],
};

describe(`release.config.json${ofTheDay}`, () => {
  const config = JSON.parse(TEXT[FILES.config] as string) as Record<string, Record<string, Json>>;

  it('has no setting that is not looked at here, but for the address that test/build/signing asks for a timestamp', () => {
    const all = Object.entries(config).flatMap(([section, values]) =>
      typeof values === 'string' ? [section] : Object.keys(values).map((key) => `${section}.${key}`),
    );
    expect(all.sort()).toEqual(['$schema', 'services.timestamp', ...Object.keys(SETTINGS)].sort());
  });

  it.each(Object.entries(SETTINGS))('%s reaches what is built, or is refused', async (path, [value, observe]) => {
    const [section, key] = path.split('.') as [string, string];
    const before = await original(observe);
    const changed = { ...config, [section]: { ...config[section], [key]: value } };
    writeFileSync(join(root, FILES.config), JSON.stringify(changed));
    expect(await outcome(observe)).not.toEqual(before);
  });

  it('takes a key service in the place of identities', async () => {
    const identity = { command: ['false'], certificates: 'package.json' };
    const externalSigner = { application: identity, installer: identity };
    const changed = { ...config, signing: { ...config.signing, externalSigner } };
    writeFileSync(join(root, FILES.config), JSON.stringify(changed));
    expect(await outcome(signing)).toHaveProperty('refused');
  });
});

describe.each(['build', 'permissions'] as const)(`the %s file${ofTheDay}`, (name) => {
  const document = JSON.parse(TEXT[FILES[name]] as string) as Json;

  it.each(byDay(leavesOf(document), 2, ([key]) => String(key)).map((path) => [path]))(
    '%j reaches the package, or is refused',
    async (path) => {
      const before = await original(packages);
      for (const change of [otherValue, () => undefined]) {
        writeFileSync(join(root, FILES[name]), JSON.stringify(changedAt(document, path, change)));
        expect(await outcome(packages)).not.toEqual(before);
      }
    },
  );

  it('refuses a key that nobody knows', async () => {
    writeFileSync(join(root, FILES[name]), JSON.stringify({ ...(document as object), other: 1 }));
    expect(await outcome(packages)).toEqual({
      refused: name === 'build' ? 'BUILD_FILE_INVALID' : 'PERMISSIONS_INVALID',
    });
  });
});

describe('permissions.json', () => {
  it('refuses a row that nothing in the payload has', async () => {
    const file = JSON.parse(TEXT[FILES.permissions] as string);
    file.payload['Escrow Buddy.bundle/Contents/Other'] = '0644';
    writeFileSync(join(root, FILES.permissions), JSON.stringify(file));
    expect(await outcome(packages)).toEqual({ refused: 'PERMISSION_UNUSED' });
  });
});

describe(`the template of Info.plist${ofTheDay}`, () => {
  const template = TEXT[FILES.template] as string;
  const pairs = template.match(/\t<key>[^<]*<\/key>\n\t(?:<string>[^<]*<\/string>|<array>[\s\S]*?<\/array>)\n/g) ?? [];

  it('has pairs to change', () => expect(pairs.length).toBeGreaterThan(5));

  it.each(byDay(pairs, 3))('reaches the package with %j', async (pair) => {
    const before = await original(packages);
    for (const other of ['', pair.replace('string></', 'string>x</').replace(/<\/string>/, 'x</string>')]) {
      writeFileSync(join(root, FILES.template), template.replace(pair, other));
      expect(await outcome(packages)).not.toEqual(before);
    }
  });

  it('may neither have a key twice, nor one that is decided elsewhere', async () => {
    writeFileSync(join(root, FILES.template), template.replace('<dict>\n', `<dict>\n${pairs[0]}`));
    expect(await outcome(packages)).toEqual({ refused: 'INFO_PLIST_INVALID' });
    const name = '\t<key>CFBundleName</key>\n\t<string>Escrow Buddy</string>\n';
    writeFileSync(join(root, FILES.template), template.replace('<dict>\n', `<dict>\n${name}`));
    expect(await outcome(packages)).toEqual({ refused: 'INFO_PLIST_INVALID' });
  });
});

const linking = firstOnPath('clang', ...versions('clang')) && firstOnPath('ld64.lld', ...versions('ld64.lld'));
describe(`what the compiler is told${ofTheDay}`, () => {
  const { PATH } = process.env;
  beforeAll(() => void (process.env.PATH = quickCompiler()));
  afterAll(() => void (process.env.PATH = PATH));
  const compiled = async (plan: Plan) => {
    const slices = await portableCompiler().compile(await readBundleSource(plan), { signal });
    return slices.map(({ data }) => data.toString('base64'));
  };

  // Frameworks are for Apple's linker alone; test/toolchain/apple holds its argv.
  it.skipIf(!linking).each(
    byDay(
      [
        ['sources', (list: string[]) => list.filter((name) => name !== 'clock.c')],
        ['compilerFlags', (list: string[]) => list.map((flag) => (flag === '-Os' ? '-O0' : flag))],
        ['linkerFlags', (list: string[]) => list.map((flag) => (flag === '40' ? '8000' : flag))],
        ['exportedSymbols', (list: string[]) => [...list, '_other']],
        ['stubHeaders', () => 'other'],
        ['stubLibraries', (list: string[]) => list.slice(0, 1)],
      ] as [string, (value: unknown) => Json][],
      1,
    ),
  )(
    `changes the program or is refused: %s${linking ? '' : ' (skipped: needs clang, ld64.lld)'}`,
    async (key, change) => {
      const before = await original(compiled);
      const file = JSON.parse(TEXT[FILES.build] as string);
      writeFileSync(join(root, FILES.build), JSON.stringify({ ...file, [key]: change(file[key]) }));
      expect(await outcome(compiled)).not.toEqual(before);
    },
  );
});

function versions(program: string): string[] {
  return Array.from({ length: 12 }, (_, index) => `${program}-${14 + index}`);
}

/** Paths of all values that are neither object nor array. */
function leavesOf(value: Json, path: readonly string[] = []): string[][] {
  if (value === null || typeof value !== 'object') return [[...path]];
  return Object.entries(value).flatMap(([key, child]) => leavesOf(child, [...path, key]));
}

function otherValue(value: Json): Json {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'string' && /^\d{4}$/.test(value) ? '0700' : `${value}x`;
}

/** Returns the document with one value changed, or without it where `change` gives undefined. */
function changedAt(value: Json, [key, ...rest]: readonly string[], change: (value: Json) => Json | undefined): Json {
  const copy = structuredClone(value) as Record<string, Json>;
  const found = copy[key as string] as Json;
  const changed = rest.length === 0 ? change(found) : changedAt(found, rest, change);
  if (changed !== undefined) copy[key as string] = changed;
  else if (Array.isArray(copy)) copy.splice(Number(key), 1);
  else delete copy[key as string];
  return copy;
}
