import { describe, expect, it } from 'vitest';
import { APPLE_TABLES } from '../../src/apple-messages/apple-tables.ts';
import { findMessages } from '../../src/apple-messages/find-messages.ts';

/** Numbers by their names. Source: Security-61901, CSCommon.h, and of what is newer the SDK of macOS 14. */
const CODE_SIGNING = {
  InvalidObjectRef: -67071, StaticCodeNotFound: -67068, Unsigned: -67062, SignatureFailed: -67061,
  SignatureNotVerifiable: -67060, SignatureUnsupported: -67059, BadDictionaryFormat: -67058, ResourcesNotSealed: -67057,
  ResourcesNotFound: -67056, ResourcesInvalid: -67055, BadResource: -67054, ReqInvalid: -67052, ReqUnsupported: -67051,
  ReqFailed: -67050, BadObjectFormat: -67049, InternalError: -67048, SignatureInvalid: -67045, CMSTooLarge: -67036,
  StaticCodeChanged: -67034, InfoPlistFailed: -67030, NoMainExecutable: -67029, BadBundleFormat: -67028,
  FileHardQuarantined: -67026, ResourceDirectoryFailed: -67023, UnsignedNestedCode: -67022, BadNestedCode: -67021,
  HelperFailed: -67019, ResourceNotSupported: -67016, RegularFile: -67015, UnsealedAppRoot: -67014,
  AmbiguousBundleFormat: -67011, BadMainExecutable: -67010, UnsealedFrameworkRoot: -67008, TooBig: -67004,
  InvalidSymlink: -67003, NotAppLike: -67002, UnsupportedDigestAlgorithm: -67000, InvalidAssociatedFileData: -66999, BadTeamIdentifier: -66997,
  SignatureUntrusted: -66996, InvalidEntitlements: -66994, RevokedNotarization: -66992, CMSConstructionFailed: -66991,
}; // biome-ignore format: a list

/** Source: Security-61901, SecBase.h. */
const SECURITY = {
  InternalComponent: -2070, KeyIsSensitive: -25258, UnsupportedFormat: -25256, UnknownFormat: -25257, PassphraseRequired: -25260,
  NoTrustSettings: -25263, Pkcs12VerifyFailure: -25264, NotAvailable: -25291, ReadOnly: -25292, AuthFailed: -25293, NoSuchKeychain: -25294,
  InvalidKeychain: -25295, DuplicateKeychain: -25296, DuplicateItem: -25299, ItemNotFound: -25300, InvalidItemRef: -25304,
  NoDefaultKeychain: -25307, InteractionNotAllowed: -25308, WrongSecVersion: -25310, InteractionRequired: -25315,
  DataNotAvailable: -25316, CreateChainFailed: -25318, InDarkWake: -25320, Decode: -26275, MissingEntitlement: -34018,
  InvalidKeyUsageForPolicy: -67608, InvalidExtendedKeyUsage: -67609, InvalidRoot: -67612, OCSPBadResponse: -67630,
  OCSPUnavailable: -67632, IncompleteCertRevocationCheck: -67635, NetworkFailure: -67636, OCSPNoSigner: -67640,
  OCSPResponderTryLater: -67643, CodeSigningNoExtendedKeyUsage: -67650, CodeSigningDevelopment: -67651,
  CertificateExpired: -67818, CertificateNotValidYet: -67819, CertificateRevoked: -67820, CertificateSuspended: -67821,
  NotTrusted: -67843, TimestampMissing: -67882, TimestampInvalid: -67883, TimestampNotTrusted: -67884,
  TimestampServiceNotAvailable: -67885, TimestampBadAlg: -67886, TimestampBadRequest: -67887, TimestampBadDataFormat: -67888,
  TimestampTimeNotAvailable: -67889, TimestampSystemFailure: -67893, TimestampRejection: -67895, TimestampWaiting: -67896,
}; // biome-ignore format: a list

/** Source: Security-61901, Authorization.h. */
const AUTHORIZATION = { Denied: -60005, Canceled: -60006, InteractionNotAllowed: -60007, Internal: -60008 };

// cssmerr.h and cssmapple.h: a range of 0x800 a module, codes that all have from 0, a module's own from 0x100, Apple's from 0x400.
const [CSP, DL, CL, TP] = [1, 2, 3, 4].map((module) => -0x7fff0000 + module * 0x800) as [
  number,
  number,
  number,
  number,
];
const CSSM = {
  CSP_NO_USER_INTERACTION: CSP + 0xe0,
  CSP_OPERATION_AUTH_DENIED: CSP + 0x20,
  CSP_PRIVATE_KEY_NOT_FOUND: CSP + 0x100 + 0x4e,
  DL_OPERATION_AUTH_DENIED: DL + 0x20,
  DL_DATASTORE_DOESNOT_EXIST: DL + 0x100 + 0x17,
  DL_DATASTORE_ALREADY_EXISTS: DL + 0x100 + 0x18,
  CL_UNKNOWN_FORMAT: CL + 0x4e,
  TP_CERT_EXPIRED: TP + 0x100 + 10,
  TP_CERT_NOT_VALID_YET: TP + 0x100 + 11,
  TP_CERT_REVOKED: TP + 0x100 + 12,
  TP_CERT_SUSPENDED: TP + 0x100 + 13,
  TP_INVALID_ANCHOR_CERT: TP + 0x100 + 18,
  TP_NOT_TRUSTED: TP + 0x100 + 42,
  APPLETP_OCSP_NO_SIGNER: TP + 0x400 + 40,
};

const prefixed = (prefix: string, numbers: Readonly<Record<string, number>>) =>
  Object.entries(numbers).map(([name, number]) => [`${prefix}${name}`, number] as const);
const NUMBERS = new Map([
  ...prefixed('errSecCS', CODE_SIGNING),
  ...prefixed('errSec', SECURITY),
  ...prefixed('errAuthorization', AUTHORIZATION),
  ...prefixed('CSSMERR_', CSSM),
]);

describe('a status of Apple’s frameworks', () => {
  const rows = APPLE_TABLES.flatMap((table) => table.rows);
  const named = rows.flatMap(({ match }) =>
    match.flatMap((word, index) => {
      const number = match[index + 1];
      return typeof word === 'string' && typeof number === 'string' && /^-\d+$/.test(number)
        ? [[word, number] as const]
        : [];
    }),
  );

  // In one test, whose name stays the same whatever the numbers are.
  it('is known by its number as Apple’s headers have it', () => {
    for (const [name, number] of named) expect([name, number]).toEqual([name, String(NUMBERS.get(name))]);
  });

  it('is found by its name and by its number', () => {
    expect(named.length).toBeGreaterThan(100);
    for (const text of named.flat()) expect(findMessages(APPLE_TABLES, `it failed: ${text}`), text).toHaveLength(1);
  });
});

const codes = (text: string, tool?: string) => findMessages(APPLE_TABLES, text, tool).map(({ code }) => code);
const lowByte = (status: number) => status & 0xff;

describe('the exit codes of security are the lowest eight bits of a status', () => {
  it.each([
    ['KEYCHAIN_LOCKED', SECURITY.InteractionNotAllowed],
    ['KEYCHAIN_PASSWORD', SECURITY.AuthFailed],
    ['KEYCHAIN_NOT_FOUND', SECURITY.NoSuchKeychain],
    ['KEYCHAIN_EXISTS', SECURITY.DuplicateKeychain],
    ['KEYCHAIN_ITEM_EXISTS', SECURITY.DuplicateItem],
    ['KEYCHAIN_ITEM_NOT_FOUND', SECURITY.ItemNotFound],
  ])('%s: %i', (code, status) => {
    expect(codes(`security import exited with code ${lowByte(status)}`)).toEqual([code]);
    expect(codes(`security import exited with code ${lowByte(status) + 100}`)).not.toContain(code);
  });
});

// Source: sysexits(3): EX_USAGE 64 to EX_NOPERM 77.
describe('the exit codes of stapler', () => {
  it.each([
    [64, 66],
    [68, 69],
    [69, 76],
    [73, 74],
    [74, 77],
    [70, 71],
    [71, 75],
  ])('%i and %i have one cause', (one, other) => {
    const said = (code: number) => codes(`The staple and verify action failed! Error ${code}.`, 'stapler');
    expect(said(one)).toHaveLength(1);
    expect(said(other)).toEqual(said(one));
  });

  it('are of six causes', () => {
    const said = (code: number) => codes(`stapler exited with code ${code}`, 'stapler')[0];
    expect(new Set([65, 64, 68, 73, 70].map(said)).size).toBe(5);
    expect([63, 67, 72, 78].map(said)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

// Source: errno.h and xnu's launchd: 3 ESRCH, 5 EIO, 17 EEXIST, 36 EINPROGRESS, 37 EALREADY; 113 to 125 are launchd's own.
describe('the numbers of launchctl', () => {
  it.each([
    ['LAUNCHD_DISABLED', ['Bootstrap failed: 119', 'Load failed: 119']],
    ['LAUNCHD_PERMISSIONS', ['Bootstrap failed: 122', 'Load failed: 122']],
    ['LAUNCHD_DOMAIN', ['Bootstrap failed: 125', 'Load failed: 125']],
    ['LAUNCHD_NOT_THERE', ['Boot-out failed: 3', 'Unload failed: 113', 'Bootout failed: 113']],
    ['LAUNCHD_IN_PROGRESS', ['Bootstrap failed: 36', 'Load failed: 37', 'Boot-out failed: 36', 'Unload failed: 37']],
    ['LAUNCHD_REFUSED', ['Bootstrap failed: 5', 'Load failed: 17', 'Boot-out failed: 5']],
  ])('%s: %j', (code, lines) => {
    for (const line of lines) expect(codes(`${line}: words`, 'launchctl'), line).toEqual([code]);
  });

  it.each([
    'Bootstrap failed: 4',
    'Bootstrap failed: 3',
    'Boot-out failed: 17',
    'Boot-out failed: 122',
    'Load failed: 38',
  ])('say nothing known in %s', (line) => expect(codes(line, 'launchctl')).toEqual([]));
});

// Source: NSURLError.h and CFNetworkErrors.h.
describe('the numbers of URL loading', () => {
  it.each([
    ['NETWORK_TLS', [-1200, -1201, -1202, -1203, -1204]],
    ['NETWORK_DNS', [-1003, -1006]],
    ['NETWORK_OFFLINE', [-1009, -1020]],
    ['NETWORK_TIMEOUT', [-1001]],
    ['NETWORK_REFUSED', [-1004]],
    ['NETWORK_LOST', [-1005, -1017, 310]],
    ['NETWORK_PROXY', [306, -1000]],
  ])('%s: %j', (code, numbers) => {
    for (const number of numbers)
      for (const domain of ['NSURLErrorDomain', 'kCFErrorDomainCFNetwork'])
        expect(codes(`Error Domain=${domain} Code=${number}`), String(number)).toEqual([code]);
  });
});

// Source: RFC 9110, and the answers of App Store Connect.
describe('the statuses of HTTP', () => {
  it.each([
    ['NOTARY_CREDENTIALS', [401]],
    ['NOTARY_ROLE', [403]],
    ['NOTARY_UNKNOWN_ID', [404]],
    ['NOTARY_TOO_MANY', [429]],
    ['NOTARY_SERVICE', [500, 502, 503, 504]],
    ['NOTARY_REQUEST', [400, 409, 413, 415, 422]],
  ])('%s: %j', (code, numbers) => {
    for (const number of numbers)
      expect(codes(`HTTP status code: ${number}`, 'notarytool'), String(number)).toEqual([code]);
  });

  it.each([402, 405, 410, 414, 416, 423, 430, 501, 505])('%i is not known', (number) => {
    expect(codes(`HTTP status code: ${number}`, 'notarytool')).toEqual([]);
  });
});
