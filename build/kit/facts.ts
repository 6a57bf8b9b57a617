import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { FormatError, PipelineError } from '../../src/base/errors.ts';
import { accessBuffer } from '../../src/base/random-access.ts';
import { readWhole, withFile } from '../../src/base/with-file.ts';
import { parseFat } from '../../src/macho/fat.ts';
import { cpioEntries, type OpenComponent, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import { parseCms } from '../../src/pki/cms/parse.ts';
import { readHeap } from '../../src/xar/read.ts';
import { sliceFacts } from '../report/inspect-code.ts';

/** Everything that the kit says of a package, read from the finished file. Nothing is typed a second time. */
export interface KitFacts {
  readonly title: string;
  readonly version: string;
  /** Of the receipt. */
  readonly identifier: string;
  readonly file: PackageFileFacts;
  /** As Installer reserves them. */
  readonly installKBytes: number;
  /** Oldest macOS that Installer accepts, such as `10.14.4`. */
  readonly minimumMacOS: string;
  readonly architectures: readonly string[];
  /** Null for an unsigned package. */
  readonly signing: SigningFacts | null;
  readonly bundle: BundleFacts;
  /** The values in its scripts, by name: MECHANISM, DOMAIN, BUNDLE and so on; see scripts/lib/values.sh. */
  readonly values: Readonly<Record<string, string>>;
  readonly code: readonly CodeFacts[];
  /** The guard, as postinstall would lay it down. */
  readonly guardScript: string;
}

/** The package as a file. */
export interface PackageFileFacts {
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  readonly sha256: string;
  readonly sha512: string;
  readonly sha3_512: string;
  /** For manifests that name digests a part at a time. */
  readonly chunks: { readonly size: number; readonly md5s: readonly string[]; readonly sha256s: readonly string[] };
}

/** Who signed the package. */
export interface SigningFacts {
  /** Name of the leaf certificate. */
  readonly signer: string;
  readonly teamIdentifier: string;
  /** Names of the whole chain, leaf first. */
  readonly authorities: readonly string[];
}

/** The plug-in's bundle, as it will lie on the Mac. */
export interface BundleFacts {
  /** Absolute. */
  readonly path: string;
  readonly identifier: string;
  readonly executable: string;
}

/** One slice of the plug-in. */
export interface CodeFacts {
  readonly architecture: string;
  readonly identifier: string;
  /** 20 bytes, hex; null without a signature. */
  readonly cdHash: string | null;
}

/** Bytes of a manifest's part; what others' manifests use (micromdm, Apple's example). */
const CHUNK_SIZE = 10 * 1024 * 1024;
/** Values that the scripts of the kit are filled with: all of scripts/lib/values.sh; a test holds both to each other. */
const VALUE_NAMES = [
  'PRODUCT_NAME',
  'VERSION',
  'DOMAIN',
  'PACKAGE_IDENTIFIER',
  'BUNDLE',
  'EXECUTABLE',
  'MECHANISM',
  'ANCHOR',
  'GUARD_IDENTIFIER',
  'UNINSTALL_IDENTIFIER',
  'REQUEST_IDENTIFIER',
  'PLUG_IN_FOLDER',
  'BUNDLE_NAME_ANY_CASE',
  'LOGIN_RIGHT',
  'MINIMUM_MACOS',
  'CODE_REQUIREMENT',
];

/**
 * Returns what a finished package of this project says of itself.
 *
 * @throws FormatError `KIT_PACKAGE` when it is another kind of package, and whatever a damaged one gives
 */
export async function readKitFacts(path: string): Promise<KitFacts> {
  const file = fileFacts(basename(path), await readWhole(path));
  return withFile(path, async (access) => {
    const opened = await openPackage(access);
    const component = onlyComponent(opened, path);
    const { distribution } = opened;
    const minimumMacOS = distribution?.minimumSystemVersions[0];
    const bundle = component.info.bundles[0];
    if (!distribution?.product || !minimumMacOS || !bundle?.id) {
      throw notOurs(path, 'a product archive with an oldest macOS and one bundle');
    }
    const contents = await filesOf(opened, component.payload);
    const scripts = await filesOf(opened, component.scripts);
    const values = valuesIn([...contents.values(), ...scripts.values()]);
    const missing = VALUE_NAMES.filter((name) => values[name] === undefined);
    if (missing.length > 0) throw notOurs(path, `scripts that say ${missing.join(', ')}`);
    const executable = contents.get(`${bundle.path.replace(/^\.\//, '')}/Contents/MacOS/${values.EXECUTABLE}`);
    const guardScript = scripts.get('guard.sh');
    if (!executable || !guardScript) throw notOurs(path, 'the executable that its scripts name, and the guard');
    return {
      title: distribution.title ?? (values.PRODUCT_NAME as string),
      version: component.info.version,
      identifier: component.info.identifier,
      file,
      installKBytes: component.info.payload.installKBytes,
      minimumMacOS,
      architectures: distribution.hostArchitectures,
      signing: await signingFacts(opened),
      bundle: { path: values.BUNDLE as string, identifier: bundle.id, executable: values.EXECUTABLE as string },
      values,
      guardScript: guardScript.toString('utf8'),
      code: parseFat(executable).map(({ data }) => {
        const { architecture, signature } = sliceFacts(data);
        return { architecture, identifier: signature?.identifier ?? '', cdHash: signature?.cdHash ?? null };
      }),
    };
  });
}

/** Returns what a package that travels in the kit says it is, as one line to compare: identifier, version and signer. */
export async function identityOf(data: Buffer): Promise<string> {
  try {
    const opened = await openPackage(accessBuffer(data));
    const { signer = 'nobody' } = (await signingFacts(opened)) ?? {};
    const components = opened.components.map(({ info }) => `${info.identifier} ${info.version}`);
    return `${components.join(', ') || 'nothing'}, signed by ${signer}`;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return `not a package that can be read (${error.message})`;
  }
}

/** Returns digests and size of a file, whole and in parts. */
export function fileFacts(name: string, data: Buffer): PackageFileFacts {
  const digest = (algorithm: string, part = data) => createHash(algorithm).update(part).digest('hex');
  const parts = Array.from({ length: Math.max(1, Math.ceil(data.length / CHUNK_SIZE)) }, (_, index) =>
    data.subarray(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE),
  );
  return {
    name,
    size: data.length,
    md5: digest('md5'),
    sha256: digest('sha256'),
    sha512: digest('sha512'),
    sha3_512: digest('sha3-512'),
    chunks: {
      // A small file is one part of its own size. Source: Apple, manifesturl.yaml; Zentral.
      size: Math.min(CHUNK_SIZE, data.length),
      md5s: parts.map((part) => digest('md5', part)),
      sha256s: parts.map((part) => digest('sha256', part)),
    },
  };
}

function onlyComponent({ components }: OpenPackage, path: string): OpenComponent {
  const [component, ...others] = components;
  if (!component || others.length > 0) throw notOurs(path, 'one component');
  return component;
}

/** Returns the files of an archive, by their path below its root. */
async function filesOf(
  { archive }: OpenPackage,
  member: OpenComponent['payload'],
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  if (!member) return files;
  for await (const { path, kind, data } of cpioEntries(archive, member)) {
    if (kind !== 'file') continue;
    const parts: Buffer[] = [];
    for await (const chunk of data) parts.push(Buffer.from(chunk));
    files.set(path.replace(/^\.\//, ''), Buffer.concat(parts));
  }
  return files;
}

/** Returns the values of all scripts together; a script holds only those that it uses. */
function valuesIn(files: readonly Buffer[]): Record<string, string> {
  const scripts = files.filter((data) => data.subarray(0, 2).toString('latin1') === '#!');
  return Object.fromEntries(scripts.flatMap((script) => [...scriptValuesIn(script.toString('utf8'))]));
}

/** Returns the values that a generated script begins with, `KEY='value'` a line; see quoteWord in build/scripts/render-script.ts. */
export function scriptValuesIn(script: string): ReadonlyMap<string, string> {
  const lines = script.matchAll(/^([A-Z_]+)='((?:[^'\n]|'\\'')*)'$/gm);
  return new Map([...lines].map(([, key, value]) => [key as string, (value as string).replaceAll("'\\''", "'")]));
}

async function signingFacts({ archive }: OpenPackage): Promise<SigningFacts | null> {
  const place = archive.signatures.find(({ style }) => style === 'CMS');
  if (!place) return null;
  const { certificates, signerCertificate } = parseCms(await readHeap(archive, place.range));
  if (!signerCertificate) return null;
  const chain = [signerCertificate];
  for (let last = signerCertificate; ; ) {
    const issuer = certificates.find((one) => one.subject.der.equals(last.issuer.der) && !chain.includes(one));
    if (!issuer) break;
    chain.push(issuer);
    last = issuer;
  }
  return {
    signer: signerCertificate.commonName,
    teamIdentifier: signerCertificate.organizationalUnit ?? '',
    authorities: chain.map(({ commonName }) => commonName),
  };
}

function notOurs(path: string, expected: string): FormatError {
  return new FormatError('KIT_PACKAGE', basename(path), 0, `expected ${expected}`, {
    hint: 'The kit is made from a package that this project built; give the .pkg in out/<version>/.',
  });
}
