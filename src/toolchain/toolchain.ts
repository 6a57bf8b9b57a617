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
  compile(source: BundleSource, options: CompileOptions): Promise<readonly MachOSlice[]>;
  /** Returns the tools it runs and their versions, such as `{ clang: '14.0.6', 'ld64.lld': '14.0.6' }`. */
  versions(): Promise<Readonly<Record<string, string>>>;
}

export interface CompileOptions {
  readonly signal?: AbortSignal | undefined;
}
