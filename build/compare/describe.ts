import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { withFile } from '../../src/base/with-file.ts';
import { slicesOf as thinFiles } from '../../src/macho/fat.ts';
import { cpioEntries, type OpenComponent, type OpenPackage, openPackage } from '../../src/package/open-package.ts';
import type { XarMember } from '../../src/xar/toc.ts';
import { sliceFacts } from '../report/inspect-code.ts';
import { type SignatureParts, signatureParts, trailingParts } from '../report/inspect-signature.ts';
import { ifReadable } from '../report/inspection.ts';

/** A package, described so that two of them can be compared. Nothing here says whether it is valid: `verify` does. */
export interface PackageDescription {
  readonly file: string;
  readonly identity: Facts;
  /** What Installer reads: oldest macOS, architectures, scripts in the Distribution, restart. */
  readonly installation: Facts;
  readonly components: ReadonlyMap<string, ComponentDescription>;
}

/** Facts by name, in plain words; null where the package says nothing. */
export type Facts = Readonly<Record<string, string | null>>;

/** A component by its identifier. */
export interface ComponentDescription {
  readonly facts: Facts;
  /** By absolute path. */
  readonly files: ReadonlyMap<string, FileDescription>;
  /** Files of the Scripts archive, by name. */
  readonly scripts: ReadonlyMap<string, FileDescription>;
}

/** One file, folder or link. */
export interface FileDescription {
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: string;
  readonly owner: string;
  /** Bytes. */
  readonly size: number;
  /** Hex, of the contents or of a link's target; null for a folder. */
  readonly sha256: string | null;
  /** Text of a script or property list, for showing what changed; null for others and for long ones. */
  readonly text: string | null;
  /** Slices of a Mach-O file. */
  readonly slices: readonly SliceDescription[];
}

/** One architecture of a program. */
export interface SliceDescription {
  readonly architecture: string;
  readonly facts: Facts;
}

/** A longer text is not kept, in bytes: scripts and property lists are shorter. */
const TEXT_LIMIT = 512 * 1024;
/** Longest file that is looked at as a program, in bytes. */
const CODE_LIMIT = 512 * 1024 * 1024;

/**
 * Returns a description of any flat package.
 *
 * @throws FormatError when it cannot be read
 */
export async function describePackage(path: string): Promise<PackageDescription> {
  return withFile(path, async (access) => {
    const opened = await openPackage(access);
    const components = new Map<string, ComponentDescription>();
    for (const component of opened.components) {
      components.set(component.info.identifier, await describeComponent(opened, component));
    }
    return {
      file: basename(path),
      identity: await identityOf(opened),
      installation: installationOf(opened),
      components,
    };
  });
}

async function identityOf({ archive, distribution, components }: OpenPackage): Promise<Facts> {
  const signatures = await signatureParts(archive);
  const signature: SignatureParts | undefined = signatures.find(({ style }) => style === 'CMS') ?? signatures[0];
  const trailing = await trailingParts(archive);
  return {
    title: distribution?.title ?? null,
    identifier: distribution?.product?.id ?? components[0]?.info.identifier ?? null,
    version: distribution?.product?.version ?? components[0]?.info.version ?? null,
    'signed by': signature?.certificates[0] ?? null,
    'certificate ends': signature?.notAfter?.slice(0, 10) ?? null,
    'signed at': signature?.timestamp ?? null,
    'stapled ticket': trailing.ticketIssuedAt ?? (trailing.kind === 'stapled' ? 'unreadable' : null),
  };
}

function installationOf({ distribution, components }: OpenPackage): Facts {
  const info = components[0]?.info;
  return {
    'oldest macOS': distribution?.minimumSystemVersions.join(', ') || (info?.minimumSystemVersion ?? null),
    architectures: distribution?.hostArchitectures.join(', ') || null,
    'what may be chosen': distribution?.customize ?? null,
    components: components.map(({ info: { identifier } }) => identifier).join(', '),
  };
}

async function describeComponent(opened: OpenPackage, component: OpenComponent): Promise<ComponentDescription> {
  const { info, payload, scripts } = component;
  const root = (info.installLocation ?? '/').replace(/\/+$/, '');
  return {
    facts: {
      version: info.version,
      'installs into': info.installLocation ?? '/',
      'runs as': info.auth === 'root' ? 'root' : 'the user',
      afterwards: info.postinstallAction === 'none' ? null : info.postinstallAction,
      'KiB installed': String(info.payload.installKBytes),
    },
    files: await filesOf(opened, payload, (path) => (path === '.' ? root || '/' : `${root}/${path.slice(2)}`)),
    scripts: await filesOf(opened, scripts, (path) => path.replace(/^\.\//, '')),
  };
}

async function filesOf(
  { archive }: OpenPackage,
  member: XarMember | undefined,
  nameOf: (path: string) => string,
): Promise<ReadonlyMap<string, FileDescription>> {
  const files = new Map<string, FileDescription>();
  if (!member) return files;
  for await (const { path, kind, mode, header, data } of cpioEntries(archive, member)) {
    const parts: Buffer[] = [];
    let size = 0;
    const hash = createHash('sha256');
    for await (const chunk of data) {
      hash.update(chunk);
      size += chunk.length;
      if (size <= CODE_LIMIT) parts.push(Buffer.from(chunk));
    }
    const content = size <= CODE_LIMIT ? Buffer.concat(parts) : Buffer.alloc(0);
    files.set(nameOf(path), {
      kind,
      mode: mode.toString(8).padStart(4, '0'),
      owner: `${header.uid}:${header.gid}`,
      size,
      sha256: kind === 'directory' ? null : hash.digest('hex'),
      text: kind === 'file' ? textOf(content) : null,
      slices: kind === 'file' ? slicesOf(content) : [],
    });
  }
  return files;
}

/** Returns a text without control characters, or null for what is none or too long to show. */
function textOf(content: Buffer): string | null {
  if (content.length === 0 || content.length > TEXT_LIMIT || content.includes(0)) return null;
  const text = content.toString('utf8');
  return Buffer.from(text).equals(content) ? text : null;
}

function slicesOf(content: Buffer): SliceDescription[] {
  // No program, or a broken one: its bytes are compared all the same.
  const slices = ifReadable(() => thinFiles(content).map(sliceFacts)) ?? [];
  return slices.map(({ architecture, minimumMacOS, sdk, libraries, signature }) => ({
    architecture,
    facts: {
      'signing identifier': signature?.identifier ?? null,
      team: signature?.teamIdentifier ?? null,
      cdhash: signature?.cdHash ?? null,
      flags: signature?.flagNames.join(', ') ?? null,
      'oldest macOS': minimumMacOS,
      SDK: sdk,
      libraries: libraries.join(', '),
    },
  }));
}
