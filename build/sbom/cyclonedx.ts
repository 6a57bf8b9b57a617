import type { NpmPackage } from './npm-packages.ts';
import type { ContentFile, ContentSlice, PackageContent } from './package-content.ts';
import { NAMESPACE_URL, uuidV5 } from './uuid-v5.ts';

/** What an SBOM tells beside the package's content. */
export interface SbomInput {
  /** Name of the product and of the package's file. */
  readonly product: { readonly title: string; readonly file: string; readonly license: string };
  readonly content: PackageContent;
  readonly commit: string | null;
  /** Unix seconds; the document's time, so that it does not depend on when it is made. */
  readonly sourceDateEpoch: number;
  /** Versions of compiler, linker and the rest, by name. */
  readonly tools: Readonly<Record<string, string>>;
  readonly npmPackages: readonly NpmPackage[];
}

/** A component of the document; fields as CycloneDX 1.6 names them. */
export interface SbomComponent {
  readonly type: 'application' | 'library' | 'file';
  readonly 'bom-ref': string;
  readonly 'mime-type'?: string;
  readonly name: string;
  readonly version?: string;
  readonly scope?: 'required' | 'excluded';
  readonly hashes?: readonly { readonly alg: 'SHA-256' | 'SHA-512'; readonly content: string }[];
  readonly licenses?: readonly [{ readonly expression: string }];
  readonly purl?: string;
  readonly pedigree?: { readonly commits: readonly { readonly uid: string }[] };
  readonly components?: readonly SbomComponent[];
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/** A CycloneDX document, as far as this project writes one. */
export interface Sbom {
  readonly $schema: string;
  readonly bomFormat: 'CycloneDX';
  readonly specVersion: '1.6';
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: {
    readonly timestamp: string;
    readonly lifecycles: readonly [{ readonly phase: 'post-build' }];
    readonly tools: { readonly components: readonly SbomComponent[] };
    readonly component: SbomComponent;
  };
  readonly components: readonly SbomComponent[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
  readonly compositions: readonly [{ readonly aggregate: 'complete'; readonly assemblies: readonly string[] }];
}

const SCHEMA_URL = 'http://cyclonedx.org/schema/bom-1.6.schema.json';

/**
 * Returns the SBOM of a finished package, CycloneDX 1.6: the package, its bundle, every file and slice with digest, the system
 * libraries they link, and, with scope `excluded`, what only took part in the build.
 *
 * The same input gives the same document: its time is that of the sources, its serial number is made from its content.
 *
 * @see https://cyclonedx.org/docs/1.6/json/
 * @example `${JSON.stringify(buildSbom(input), null, 2)}\n`
 */
export function buildSbom(input: SbomInput): Sbom {
  const { content, tools } = input;
  const shipped = contentComponents(content);
  const dependencies = [
    { ref: 'package', dependsOn: shipped.filter(({ type }) => type !== 'library').map((part) => part['bom-ref']) },
    ...slicesOf(content).map(({ ref, slice }) => ({ ref, dependsOn: slice.libraries.map(libraryRef) })),
  ];
  const document = {
    $schema: SCHEMA_URL,
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(input.sourceDateEpoch * 1000).toISOString(),
      lifecycles: [{ phase: 'post-build' }],
      tools: { components: Object.entries(tools).map(toolComponent) },
      component: packageComponent(input),
    },
    components: [...shipped, ...input.npmPackages.map(npmComponent)],
    dependencies,
    compositions: [{ aggregate: 'complete', assemblies: ['package', ...bundlesOf(shipped)] }],
  } satisfies Omit<Sbom, 'serialNumber'>;
  const { $schema, bomFormat, specVersion, ...rest } = document;
  return { $schema, bomFormat, specVersion, serialNumber: serialNumberOf(document), ...rest } as Sbom;
}

/** Returns the serial number of a document: a UUID of version 5 over its text without one. */
export function serialNumberOf(document: Omit<Sbom, 'serialNumber'> & { readonly serialNumber?: string }): string {
  const { serialNumber: _, ...content } = document;
  return `urn:uuid:${uuidV5(uuidV5(NAMESPACE_URL, SCHEMA_URL), JSON.stringify(content))}`;
}

/** Returns the components that a package's content must have in its SBOM, in order. */
export function contentComponents(content: PackageContent): SbomComponent[] {
  const bundles = content.bundles.map((bundle): SbomComponent => {
    const files = content.payload.filter(({ path }) => path.startsWith(`${bundle.path}/`));
    return {
      type: 'application',
      'bom-ref': `payload/${bundle.path}`,
      name: bundle.path,
      ...(bundle.version !== null && { version: bundle.version }),
      components: files.map((file) => fileComponent('payload', file)),
      properties: [
        ...(bundle.id === null ? [] : [{ name: 'apple:CFBundleIdentifier', value: bundle.id }]),
        { name: 'apple:installLocation', value: content.installLocation },
      ],
    };
  });
  const inBundle = ({ path }: ContentFile) => content.bundles.some((bundle) => path.startsWith(`${bundle.path}/`));
  return [
    ...bundles,
    ...content.payload.filter((file) => !inBundle(file)).map((file) => fileComponent('payload', file)),
    ...content.scripts.map((file) => fileComponent('scripts', file)),
    ...libraryComponents(content),
  ];
}

function packageComponent({ product, content, commit }: SbomInput): SbomComponent {
  return {
    type: 'application',
    'bom-ref': 'package',
    name: product.title,
    version: content.version,
    hashes: [{ alg: 'SHA-256', content: content.sha256 }],
    licenses: [{ expression: product.license }],
    ...(commit !== null && { pedigree: { commits: [{ uid: commit }] } }),
    properties: [
      { name: 'apple:packageFile', value: product.file },
      { name: 'apple:packageIdentifier', value: content.identifier },
    ],
  };
}

const MIME_TYPES: Readonly<Record<ContentFile['kind'], string>> = {
  'mach-o': 'application/x-mach-binary',
  script: 'application/x-sh',
  'property-list': 'application/x-plist',
  other: 'application/octet-stream',
};

function fileComponent(archive: 'payload' | 'scripts', file: ContentFile): SbomComponent {
  return {
    type: 'file',
    'bom-ref': `${archive}/${file.path}`,
    'mime-type': MIME_TYPES[file.kind],
    name: file.path,
    hashes: [{ alg: 'SHA-256', content: file.sha256 }],
    ...(file.slices.length > 0 && {
      components: file.slices.map((slice) => sliceComponent(`${archive}/${file.path}`, file, slice)),
    }),
  };
}

function sliceComponent(at: string, { path }: ContentFile, slice: ContentSlice): SbomComponent {
  const { cdHash, minimumMacOS, sdk, uuid } = slice;
  const facts = { architecture: slice.architecture, cdhash: cdHash, minimumMacOS, sdk, uuid };
  return {
    type: 'file',
    'bom-ref': `${at}#${slice.architecture}`,
    'mime-type': MIME_TYPES['mach-o'],
    name: `${path} (${slice.architecture})`,
    hashes: [{ alg: 'SHA-256', content: slice.sha256 }],
    properties: Object.entries(facts).flatMap(([name, value]) =>
      value === null ? [] : [{ name: `apple:${name}`, value }],
    ),
  };
}

/** Libraries belong to macOS: they are needed, and come with no package. */
function libraryComponents(content: PackageContent): SbomComponent[] {
  const names = new Set(slicesOf(content).flatMap(({ slice }) => slice.libraries));
  return [...names].sort().map((name) => ({
    type: 'library',
    'bom-ref': libraryRef(name),
    name,
    scope: 'required',
    properties: [{ name: 'apple:partOf', value: 'macOS' }],
  }));
}

const libraryRef = (name: string) => `macOS${name}`;

function slicesOf({ payload, scripts }: PackageContent): { readonly ref: string; readonly slice: ContentSlice }[] {
  const of = (archive: string, files: readonly ContentFile[]) =>
    files.flatMap(({ path, slices }) =>
      slices.map((slice) => ({ ref: `${archive}/${path}#${slice.architecture}`, slice })),
    );
  return [...of('payload', payload), ...of('scripts', scripts)];
}

const bundlesOf = (components: readonly SbomComponent[]) =>
  components.filter(({ type }) => type === 'application').map((component) => component['bom-ref']);

function toolComponent([name, version]: [string, string]): SbomComponent {
  return { type: 'application', 'bom-ref': `tool/${name}`, name, version };
}

/** @see https://github.com/package-url/purl-spec, type npm: the scope's `@` is escaped */
function npmComponent({ name, version, sha512, license }: NpmPackage): SbomComponent {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    scope: 'excluded',
    ...(sha512 !== null && { hashes: [{ alg: 'SHA-512' as const, content: sha512 }] }),
    ...(license !== null && { licenses: [{ expression: license }] as const }),
    purl,
  };
}
