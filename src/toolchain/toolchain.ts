import type { Check } from '../base/check.ts';
import type { BundleEntry } from '../code-signature/bundle-entry.ts';
import type { SignedBundle } from '../code-signature/sign/sign-bundle.ts';
import type { Notary } from '../notary/notary.ts';
import type { NotaryKey } from '../notary/rest/credentials.ts';
import type { UploadOptions } from '../notary/rest/upload.ts';
import type { ProductPlan, UnsignedProduct } from '../package/product.ts';
import type { SignedProduct } from '../package/sign-product.ts';
import type { Identity } from '../pki/identity/identity.ts';
import type { Trust } from '../pki/x509/apple-roots.ts';

/** The tools that a release is made with: one member for each thing that is done differently on a Mac. */
export interface Toolchain {
  readonly name: 'portable' | 'apple';
  readonly compiler: Compiler;
  readonly codeSigner: CodeSigner;
  readonly packageBuilder: PackageBuilder;
  readonly packageSigner: PackageSigner;
  notary(access: NotaryAccess): Notary;
  stapler(access: NotaryAccess): Stapler;
  verifier(trust: Trust): Verifier;
}

/** Ends a tool or a request when it fires. */
export interface WorkOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The processor architectures of a universal binary, in the order of its slices. */
export const ARCHITECTURES = ['x86_64', 'arm64'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** C sources of a loadable bundle and how to compile and link them. */
export interface BundleSource {
  /** Folder that `sources` and the include folders are relative to. */
  readonly folder: string;
  readonly sources: readonly string[];
  readonly compilerFlags: readonly string[];
  readonly linkerFlags: readonly string[];
  /** Folder with stub headers, for machines without Apple's SDK. */
  readonly stubHeaders: string;
  /** Text-based stub libraries, for machines without Apple's SDK. */
  readonly stubLibraries: readonly string[];
  readonly frameworks: readonly string[];
  /** The only symbols that may be seen from outside, as the linker spells them. */
  readonly exportedSymbols: readonly string[];
  /** File name of the executable; the linker derives LC_UUID from it. */
  readonly executable: string;
  readonly sdkVersion: string;
  /** Oldest macOS of each slice. */
  readonly minimumMacOS: Readonly<Record<Architecture, string>>;
}

/** A linked Mach-O file of one architecture. */
export interface MachOSlice {
  readonly architecture: Architecture;
  readonly data: Buffer;
}

/** Makes a universal MH_BUNDLE. */
export interface Compiler {
  /**
   * Returns one slice an architecture, without a signature: it is made once the bundle is complete.
   *
   * @throws ToolError with the compiler's own words
   */
  compile(source: BundleSource, options: WorkOptions): Promise<readonly MachOSlice[]>;
  /** Returns the universal file of the slices, in their order. */
  join(slices: readonly MachOSlice[], options: WorkOptions): Promise<Buffer>;
  /** Returns the tools it runs and their versions, such as `{ clang: '14.0.6', 'ld64.lld': '14.0.6' }`. */
  versions(): Promise<Readonly<Record<string, string>>>;
}

/** A certificate and its key. */
export interface SigningIdentity {
  readonly kind: 'identity';
  /** Checked: right role, valid today, complete chain. */
  readonly identity: Identity;
}

/** Nobody signs: the code runs for development, on no other Mac. */
export interface AdHoc {
  readonly kind: 'ad-hoc';
}

/** Seals a bundle and signs its executable. */
export interface CodeSigner {
  /**
   * Returns the bundle with its resources sealed and every slice signed: hardened runtime, secure timestamp (none when ad-hoc).
   *
   * @param entries all files of the bundle, its universal executable among them
   * @param name of the bundle's folder, such as `Example.bundle`
   * @throws UsageError when the bundle cannot be signed as it is; ToolError, NetworkError
   */
  sign(
    entries: readonly BundleEntry[],
    name: string,
    signer: AdHoc | SigningIdentity,
    options: WorkOptions,
  ): Promise<SignedBundle>;
}

/** Builds a component and the product archive around it. */
export interface PackageBuilder {
  /**
   * Writes the unsigned product archive, whole or not at all.
   *
   * @param path file to make or replace
   */
  build(plan: ProductPlan, path: string, options: WorkOptions): Promise<UnsignedProduct>;
}

/** Signs product archives. */
export interface PackageSigner {
  /**
   * Writes the product with an installer signature and a timestamp, in place of any signature it had.
   *
   * @param product the file at its path is read; it may be `path`
   * @param path file to make or replace
   */
  sign(
    product: { readonly path: string },
    identity: SigningIdentity,
    path: string,
    options: WorkOptions,
  ): Promise<SignedProduct>;
}

/** Where the notary and its tickets are, whose signatures they bear, and with which key the notary is asked. */
export interface NotaryAccess {
  readonly key: NotaryKey;
  /** Apple's tools know only Apple's services; the others take theirs from here. */
  readonly notaryUrl: string;
  readonly upload?: UploadOptions;
  readonly ticketUrl: string;
  readonly trust: Trust;
}

/** A product archive with its ticket behind it. */
export interface StapledProduct {
  readonly kind: 'stapled-product';
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  readonly issuedAt: Date;
  /** Of the ticket, hex. */
  readonly ticketSha256: string;
  /** Whether it bore this very ticket already. */
  readonly unchanged: boolean;
}

/** How long a ticket that is not there yet is waited for, and what is said meanwhile. */
export interface StapleWait extends WorkOptions {
  /** Milliseconds. Default five minutes. */
  readonly maxWaitMs?: number;
  /** Pause between two looks, in milliseconds. Default 5 s. */
  readonly pauseMs?: number;
  readonly tell: (text: string) => void;
  /** What to do when no ticket came. */
  readonly goOn: string;
}

/** Attaches tickets. */
export interface Stapler {
  /**
   * Fetches the ticket of a notarized product and attaches it to the file at its path; what was attached is verified offline.
   *
   * @throws NetworkError `TICKET_LATE` when there is none within the wait; VerificationError
   */
  staple(product: Pick<SignedProduct, 'path'>, options: StapleWait): Promise<StapledProduct>;
}

/** Looks at a finished package as a stranger would. */
export interface Verifier {
  /** Returns every check, passed or not; what the file holds never makes it throw. */
  verify(path: string, options: WorkOptions): Promise<readonly Check[]>;
}
