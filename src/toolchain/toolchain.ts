import type { Secret } from '../base/secret.ts';
import type { BundleEntry } from '../code-signature/bundle-entry.ts';
import type { SignedBundle } from '../code-signature/sign-bundle.ts';
import type { ProductPlan, UnsignedProduct } from '../flat-package/product.ts';
import type { Identity } from '../pki/identity.ts';

/** The tools that a release is made with: one member for each thing that is done differently on a Mac. */
export interface Toolchain {
  readonly name: 'portable' | 'apple';
  readonly compiler: Compiler;
  readonly codeSigner: CodeSigner;
  readonly packageBuilder: PackageBuilder;
  readonly packageSigner: PackageSigner;
  readonly notary: Notary;
  readonly stapler: Stapler;
  readonly verifier: Verifier;
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

/** A certificate and its key, in both forms that tools ask for. */
export interface SigningIdentity {
  readonly kind: 'identity';
  /** Checked: right role, valid today, complete chain. The portable tools sign with its `signer`. */
  readonly identity: Identity;
  /** The file it was read from, which Apple's tools need in a keychain; null when the key is kept elsewhere. */
  readonly p12: { readonly data: Secret<Buffer>; readonly password: Secret } | null;
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

/** A signed product archive on the disk. */
export interface SignedProduct {
  readonly kind: 'signed-product';
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** Digest of the table of contents, hex: what a ticket names. */
  readonly tocDigest: string;
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

/** An App Store Connect team key. */
export interface NotaryCredentials {
  readonly keyId: string;
  /** UUID. */
  readonly issuerId: string;
  /** PKCS#8 in PEM. */
  readonly key: Secret;
}

/** What is known once an upload is complete. */
export interface Submission {
  readonly id: string;
  /** ISO 8601. */
  readonly submittedAt: string;
}

/** What the notary says in the end. */
export interface Verdict {
  readonly status: 'Accepted' | 'Invalid' | 'Rejected';
  /** The notary's log as it came, JSON; null when it could not be had. */
  readonly log: unknown;
}

/** Apple's notary service, or its stand-in. */
export interface Notary {
  /** Uploads a signed product and returns its submission once the upload is complete; it does not wait for the verdict. */
  submit(product: SignedProduct, credentials: NotaryCredentials, options: WorkOptions): Promise<Submission>;
  /**
   * Returns the verdict on a submission, whatever it is.
   *
   * @throws NetworkError `NOTARY_TIMEOUT` when there is none in time: the submission goes on, and can be waited for again
   */
  wait(id: string, credentials: NotaryCredentials, options: WaitOptions): Promise<Verdict>;
}

export interface WaitOptions extends WorkOptions {
  /** Milliseconds to wait at most. */
  readonly timeoutMs: number;
}

/** A product archive with its ticket behind it. */
export interface StapledProduct {
  readonly kind: 'stapled-product';
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Hex. */
  readonly sha256: string;
  /** As the notary delivered it. */
  readonly ticket: Buffer;
}

/** Attaches tickets. */
export interface Stapler {
  /**
   * Fetches the ticket of a notarized product and attaches it to the file at its path.
   *
   * @throws NetworkError `TICKET_NOT_FOUND` when there is none (yet)
   */
  staple(product: SignedProduct, options: WorkOptions): Promise<StapledProduct>;
}

/** One thing that was looked at. */
export interface VerifierCheck {
  readonly id: string;
  readonly status: 'pass' | 'fail' | 'skipped';
  readonly reason?: string;
}

/** Looks at a finished package as a stranger would. */
export interface Verifier {
  /** Returns every check, passed or not; what the file holds never makes it throw. */
  verify(path: string, options: WorkOptions): Promise<readonly VerifierCheck[]>;
}
