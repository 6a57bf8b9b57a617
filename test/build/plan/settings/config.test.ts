import { generateKeyPairSync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { downloadUrl } from '../../../../build/kit/make-kit.ts';
import { connectToNotary } from '../../../../build/notary/connection.ts';
import type { Plan } from '../../../../build/plan/plan.ts';
import { resolveSigning } from '../../../../build/signing/identities.ts';
import type { RehearsalAuthority } from '../../../../src/rehearsal/authority.ts';
import { selectToolchain } from '../../../../src/toolchain/select.ts';
import { rehearsalP12 } from '../../../rehearsal/authority-p12.ts';
import { sharedAuthority } from '../../../rehearsal/shared-authority.ts';
import { ofTheDay } from '../../../support/by-day.ts';
import { firstOnPath } from '../../../support/needs.ts';
import { FILES, type Json, packages, settingsProject, TEXT } from './project.ts';

const PASSWORD = 'rehearsal';
const { original, outcome, write } = settingsProject();
let authority: RehearsalAuthority;
let env: Record<string, string>;

beforeAll(async () => {
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
    write(FILES.config, JSON.stringify(changed));
    expect(await outcome(observe)).not.toEqual(before);
  });

  it('takes a key service in the place of identities', async () => {
    const identity = { command: ['false'], certificates: 'package.json' };
    const externalSigner = { application: identity, installer: identity };
    const changed = { ...config, signing: { ...config.signing, externalSigner } };
    write(FILES.config, JSON.stringify(changed));
    expect(await outcome(signing)).toHaveProperty('refused');
  });
});
