import { type PlistValue, parse as parsePlist } from 'plist';
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { makeKit } from '../../../build/kit/make-kit.ts';
import { kitSource } from './made-kit.ts';

/**
 * What Apple's own schema says of each declaration, profile and manifest that the kit holds: every key, its type, which must be there.
 * A key that is not named there is refused. Read by hand from apple/device-management, release of 2026, which no registry has.
 */
const text = z.string().min(1);
const https = z.string().startsWith('https://');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const declaration = <T extends string, P extends z.ZodType>(type: T, payload: P) =>
  z.strictObject({ Type: z.literal(type), Identifier: text, ServerToken: text, Payload: payload });

const binary = z
  .strictObject({
    CDHash: z.string().length(40).optional(),
    SigningID: text.optional(),
    TeamID: text.optional(),
    PathPrefix: text.optional(),
    SigningState: z.enum(['All', 'TestFlight', 'DeveloperID', 'Enterprise', 'AppStore', 'Apple']).optional(),
  })
  .refine(({ CDHash, TeamID }) => CDHash !== undefined || TeamID !== undefined, 'a CDHash or a TeamID');

const DECLARATION = z.discriminatedUnion('Type', [
  declaration(
    'com.apple.configuration.package',
    // Apple calls the behaviour optional; without it nothing is installed.
    z.strictObject({
      ManifestURL: https,
      InstallBehavior: z.strictObject({ Install: z.enum(['Optional', 'Required']) }),
    }),
  ),
  declaration(
    'com.apple.configuration.app.settings',
    z.strictObject({ Allowed: z.strictObject({ AllowedBinaries: z.array(binary).min(1) }) }),
  ),
  declaration(
    'com.apple.configuration.services.background-tasks',
    z.strictObject({
      TaskType: text,
      TaskDescription: text.optional(),
      ExecutableAssetReference: text.optional(),
      LaunchdConfigurations: z
        .array(z.strictObject({ FileAssetReference: text, Context: z.enum(['daemon', 'agent']) }))
        .optional(),
    }),
  ),
  declaration(
    'com.apple.asset.data',
    z.strictObject({
      // ContentType and digest are required of what a background task names.
      Reference: z.strictObject({
        DataURL: https,
        ContentType: z.enum(['application/zip', 'application/xml']),
        Size: z.number().int().positive(),
        'Hash-SHA-256': sha256,
      }),
      Authentication: z.strictObject({ Type: z.enum(['MDM', 'None']) }).optional(),
    }),
  ),
]);

const chunks = { 'sha256-size': z.number().int(), sha256s: z.array(sha256).min(1), 'md5-size': z.number().int() };
const asset = { kind: z.literal('software-package'), url: https };
const MANIFEST = z.strictObject({
  items: z.tuple([
    z.strictObject({
      assets: z.tuple([
        z.union([
          z.strictObject({ ...asset, ...chunks, md5s: z.array(z.string().length(32)).min(1) }),
          z.strictObject({ ...asset, sha256 }),
        ]),
      ]),
      metadata: z.strictObject({
        kind: z.literal('software'),
        'bundle-identifier': text,
        'bundle-version': text,
        title: text.min(2),
        subtitle: text.optional(),
      }),
    }),
  ]),
});

const common = {
  PayloadIdentifier: text,
  PayloadUUID: z.string().regex(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/),
  PayloadVersion: z.literal(1),
  PayloadDisplayName: text.optional(),
};
const payload = <T extends string, S extends z.ZodRawShape>(type: T, shape: S) =>
  z.strictObject({ ...common, PayloadType: z.literal(type), ...shape });
const PAYLOAD = z.discriminatedUnion('PayloadType', [
  payload('com.apple.security.pkcs1', { PayloadCertificateFileName: text, PayloadContent: z.instanceof(Uint8Array) }),
  payload('com.apple.security.FDERecoveryKeyEscrow', { Location: text, EncryptCertPayloadUUID: text }),
  payload('com.apple.MCX.FileVault2', {
    Enable: z.literal('On'),
    Defer: z.literal(true),
    DeferForceAtUserLoginMaxBypassAttempts: z.number().int().min(-1).max(9999),
    ForceEnableInSetupAssistant: z.boolean(),
    UseRecoveryKey: z.boolean(),
    ShowRecoveryKey: z.boolean(),
  }),
  payload('com.apple.SetupAssistant.managed', { SkipSetupItems: z.tuple([z.literal('FileVault')]) }),
  payload('com.apple.servicemanagement', {
    Rules: z.array(
      z.strictObject({
        RuleType: z.enum(['BundleIdentifier', 'BundleIdentifierPrefix', 'Label', 'LabelPrefix', 'TeamIdentifier']),
        RuleValue: text,
        TeamIdentifier: text.optional(),
        Comment: text.optional(),
      }),
    ),
  }),
  // Our own domain: no request among its settings.
  payload('com.netflix.Escrow-Buddy', {
    CommandTimeout: z.number().int().min(20).max(120),
    EnableGuard: z.boolean(),
    DisableHeal: z.boolean(),
  }),
]);
const PROFILE = z.strictObject({
  ...common,
  PayloadType: z.literal('Configuration'),
  PayloadScope: z.literal('System'),
  PayloadDescription: text,
  PayloadDisplayName: text,
  PayloadContent: z.array(PAYLOAD).min(1),
});

const kit = new Map<string, string>();
beforeAll(async () => {
  for (const { path, data } of await makeKit(kitSource())) kit.set(path, data.toString('utf8'));
});
const named = (pattern: RegExp) => [...kit].filter(([path]) => pattern.test(path));
const plist = (source: string): PlistValue => parsePlist(source);

describe("Apple's schema", () => {
  it('has a place for every key of every declaration, and every declaration is of a type that it knows', () => {
    const found = named(/\/declaration-[^/]*\.json$/);
    expect(found.length).toBe(5);
    for (const [path, source] of found) expect(DECLARATION.safeParse(JSON.parse(source)).error, path).toBeUndefined();
  });

  it('has a place for every key of every profile', () => {
    const found = named(/\.mobileconfig$/);
    expect(found.length).toBe(5);
    for (const [path, source] of found) expect(PROFILE.safeParse(plist(source)).error, path).toBeUndefined();
  });

  it('has a place for every key of the manifests and of the command', () => {
    for (const name of ['manifest.plist', 'declaration-manifest.plist'])
      expect(MANIFEST.safeParse(plist(kit.get(`apple-mdm/${name}`) as string)).error, name).toBeUndefined();
    const command = z.strictObject({
      RequestType: z.literal('InstallEnterpriseApplication'),
      Manifest: MANIFEST,
      InstallAsManaged: z.literal(false),
    });
    const source = kit.get('apple-mdm/install-enterprise-application.plist') as string;
    expect(command.safeParse(plist(source)).error).toBeUndefined();
  });

  it('names the payload whose certificate encrypts the key', () => {
    const profile = PROFILE.parse(plist(kit.get('profiles/escrow-template.mobileconfig') as string));
    const [certificate, redirection] = profile.PayloadContent;
    expect(redirection).toMatchObject({ EncryptCertPayloadUUID: certificate?.PayloadUUID });
  });
});
