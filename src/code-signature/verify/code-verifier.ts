import { type Check, CheckList } from '../../base/check.ts';
import { LIMITS } from '../../base/input/limits.ts';
import { type Bundle, deepBundle, depthOf, findBundles, inside, surroundingsOf, textsOf } from './bundle-shape.ts';
import type { CodeExpectations } from './code-expectations.ts';
import type { FileIndex } from './file-index.ts';
import { checkProgram, type FoundCode } from './verify-program.ts';
import { checkPlaces, checkSeal, type NestedCode, nestedPaths } from './verify-seal.ts';
import type { SliceFacts } from './verify-slice.ts';

/** Keys that change what codesign makes of a bundle. Source: Security-61901 signer.cpp. */
const FORBIDDEN_KEYS = ['CSFlags', 'CFBundleResourceSpecification'];

/** How a tree is looked at. */
export interface TreeOptions {
  /** The tree itself is one bundle: what is missing from it is a failure. */
  readonly isBundle?: boolean;
  /** Put before all paths in the checks' subjects. */
  readonly name?: string;
  /** Files whose signature lies in extended attributes; see `checkNested`. */
  readonly signedByAttributes?: ReadonlySet<string>;
}

/**
 * Checks all code of a tree, each file once, whose bytes are shown to it one after the other: memory holds one code file at a time.
 *
 * Bundles and versions of frameworks are checked as codesign does, wherever they lie; all other Mach-O files as programs.
 *
 * @example
 * const verifier = new CodeVerifier(index, expectations);
 * for (const path of verifier.files) verifier.see(path, read(path));
 * verifier.finish().checks
 */
export class CodeVerifier {
  readonly #index: FileIndex;
  readonly #expectations: CodeExpectations;
  readonly #options: TreeOptions;
  readonly #bundles: readonly Bundle[];
  readonly #byRoot: ReadonlyMap<string, Bundle>;
  /** Bundles by their main executable. */
  readonly #owners = new Map<string, Bundle>();
  readonly #found = new Map<string, FoundCode>();

  constructor(index: FileIndex, expectations: CodeExpectations, options: TreeOptions = {}) {
    this.#index = index;
    this.#expectations = expectations;
    this.#options = options;
    const found = findBundles(index);
    const whole = options.isBundle && !found.some(({ root }) => root === '') ? [deepBundle(index, '')] : [];
    this.#bundles = [...whole, ...found].filter((bundle) => this.#isSigned(bundle));
    this.#byRoot = new Map(this.#bundles.map((bundle) => [bundle.root, bundle]));
    for (const bundle of this.#bundles) if (bundle.executable) this.#owners.set(bundle.executable, bundle);
  }

  /** Paths of all files whose bytes are to be shown. */
  get files(): string[] {
    const code = this.#index.entries.flatMap((entry) => ('code' in entry && entry.code ? [entry.path] : []));
    // A main executable that is not a Mach-O file is a failure of ours, and its words come from reading it.
    const main = [...this.#owners]
      .filter(([path]) => this.#index.file(path) && this.#options.isBundle)
      .map(([path]) => path);
    return [...new Set([...code, ...main])];
  }

  /** Checks one of `files`; returns how many slices it has. */
  see(path: string, data: Buffer): number {
    const bundle = this.#owners.get(path);
    const surroundings = bundle ? surroundingsOf(bundle, this.#index) : null;
    const found = checkProgram(data, this.#subject(path), surroundings, this.#expectations);
    this.#found.set(path, found);
    return found.slices.length;
  }

  /** Records why a file could not be checked. */
  refuse(path: string, reason: string): void {
    const check: Check = { id: 'code-macho', status: 'fail', reason, subject: this.#subject(path) };
    this.#found.set(path, { checks: [check], slices: [] });
  }

  /** Checks seals and what belongs to no bundle, and returns everything. */
  finish(): FoundCode & { readonly mainSlices: readonly SliceFacts[] } {
    const roots = new Set(this.#byRoot.keys());
    const checks: Check[] = this.#bundles.flatMap((bundle) =>
      depthOf(bundle, roots) > LIMITS.bundleDepth
        ? [
            {
              id: 'code-nested',
              status: 'fail' as const,
              reason: 'nested too deep',
              subject: this.#subject(bundle.root),
            },
          ]
        : this.#bundleChecks(bundle),
    );
    const programs = [...this.#found].filter(([path]) => !this.#owners.has(path));
    checks.push(...programs.flatMap(([, found]) => found.checks));
    const main = this.#byRoot.get('')?.executable;
    return {
      checks,
      slices: [...this.#found.values()].flatMap(({ slices }) => slices),
      mainSlices: (main === undefined ? undefined : this.#found.get(main)?.slices) ?? [],
    };
  }

  /** A bundle is checked when it holds a program of its own, or says that it was sealed. */
  #isSigned(bundle: Bundle): boolean {
    if (this.#options.isBundle && bundle.root === '') return true;
    const { executable, codeResources } = bundle;
    return (
      (executable !== undefined && this.#index.file(executable)?.code === true) || !!this.#index.get(codeResources)
    );
  }

  #bundleChecks(bundle: Bundle): Check[] {
    const list = new CheckList(this.#subject(bundle.root));
    checkPlaces(list, bundle, this.#index);
    this.#checkInformation(list, bundle);
    const { information, executable } = bundle;
    if (!information || executable === undefined) return list.checks;
    const nested = nestedPaths(bundle, this.#index).map((path) => this.#checkNested(list, bundle, path));
    checkSeal(list, bundle, this.#index, nested);
    const main = this.#found.get(executable);
    // checkPlaces names an executable that is not there.
    if (!main && this.#index.file(executable)) this.#checkDetached(list, bundle);
    return [...list.checks, ...(main?.checks ?? [])];
  }

  /** codesign puts the signature of a bundle whose executable is not a Mach-O file, such as a script, into files of its own. */
  #checkDetached(list: CheckList, bundle: Bundle): void {
    const detached = inside(bundle.sealed, '_CodeSignature/CodeDirectory');
    if (this.#index.file(detached))
      list.skip('code-super-blob', 'signature of a script as main executable: not supported');
    else list.fail('code-super-blob', 'the main executable is not a Mach-O file, and has no signature');
  }

  #checkInformation(list: CheckList, bundle: Bundle): void {
    const id = 'bundle-info';
    const { information, problem } = bundle;
    if (!information || bundle.executable === undefined) {
      list.fail(id, problem ?? 'no text for CFBundleExecutable');
      return;
    }
    const { ours } = this.#expectations;
    const packageInfo = this.#index.file(inside(bundle.sealed, 'PkgInfo'))?.content;
    const texts = textsOf(bundle);
    // PkgInfo is not sealed, and all it may say is said in Info.plist. `????` stands for no signature there.
    const expected = `${texts.get('CFBundlePackageType')}${texts.get('CFBundleSignature') ?? '????'}`;
    list.check(id, [
      ...FORBIDDEN_KEYS.map(
        (key) => ours && information.has(key) && `the key ${key} would change how this bundle is signed`,
      ),
      !texts.has('CFBundleIdentifier') && 'no text for CFBundleIdentifier',
      ours && packageInfo !== undefined && packageInfo.toString('latin1') !== expected && `PkgInfo is not ${expected}`,
    ]);
  }

  /** Returns what is known of code inside a bundle: a program, a bundle, or the current version of a framework. */
  #checkNested(list: CheckList, { sealed }: Bundle, path: string): NestedCode {
    const place = inside(sealed, path);
    const program = this.#found.get(place) ?? this.#found.get(this.#executableIn(place) ?? '');
    if (!program) this.#explainNested(list, place);
    const cdHashes = program ? program.slices.flatMap((slice) => slice.cdHashes) : null;
    return { path, cdHashes, designatedRequirement: program?.slices[0]?.designatedRequirement ?? null };
  }

  #executableIn(place: string): string | undefined {
    const current = this.#index.get(`${place}/Versions/Current`);
    const target = current && 'symlink' in current ? current.symlink.replace(/^\.\//, '') : undefined;
    return (this.#byRoot.get(place) ?? this.#byRoot.get(`${place}/Versions/${target}`))?.executable;
  }

  #explainNested(list: CheckList, place: string): void {
    const id = 'code-nested';
    if (this.#options.signedByAttributes?.has(place)) {
      list.skip(id, `${place}: its signature lies in extended attributes, which are not supported`);
    } else if (this.#index.file(place) || this.#expectations.ours) {
      list.fail(id, `${place} lies where only signed code may lie, and is none`);
    } else list.skip(id, `${place} holds no bundle that can be checked`);
  }

  #subject(path: string): string {
    const { name } = this.#options;
    if (name === undefined) return path;
    return path === '' ? name : `${name}/${path}`;
  }
}
