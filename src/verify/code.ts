import type { CheckList } from '../base/check.ts';
import type { BundleEntry } from '../code-signature/bundle-entry.ts';
import type { CodeExpectations } from '../code-signature/verify/code-expectations.ts';
import { codeCmsVerifier } from '../code-signature/verify/verify-cms.ts';
import { type CodeReport, verifyBundle, verifyProgram } from '../code-signature/verify/verify-code.ts';
import type { SliceFacts } from '../code-signature/verify/verify-slice.ts';
import { cpioEntries, type OpenComponent, type OpenPackage } from '../package/open-package.ts';
import { isExact, type PackageExpectations } from './expectations.ts';
import type { PayloadPath } from './payload.ts';

/** Bundles with more bytes than this are not read into memory. */
const CODE_LIMIT = 1024 * 1024 * 1024;

/** Judges every piece of code of a payload: bundles as codesign does, and programs that lie in none. */
export async function judgeCode(
  list: CheckList,
  opened: OpenPackage,
  component: OpenComponent,
  paths: readonly PayloadPath[],
  expectations: PackageExpectations,
): Promise<readonly SliceFacts[]> {
  const places = codePlaces(component, paths);
  if (places.bundles.length + places.programs.length === 0) {
    list.skip('code-signatures', 'the payload holds no code');
    return [];
  }
  const files = await collect(opened, component, places);
  if (!files) {
    list.skip('code-signatures', `the code takes more than ${CODE_LIMIT} bytes`);
    return [];
  }
  const code = codeExpectations(expectations);
  const reports = [
    ...places.bundles.map((bundle) => verifyBundle(entriesOf(files, bundle), code, bundle.replace(/^\.\//, ''))),
    ...places.programs.flatMap((path) => programReport(files.get(path), path, code)),
  ];
  for (const { checks } of reports) list.add(checks);
  const slices = reports.flatMap((report) => report.slices);
  judgeTeam(list, slices, expectations);
  return slices;
}

function codeExpectations(expectations: PackageExpectations): CodeExpectations {
  const { trust, now, ours, allowUnsigned: allowAdHoc = false } = expectations;
  const appleMade = ours !== null && !isExact(expectations);
  return { verifyCms: codeCmsVerifier(trust, now), ours: ours !== null, appleMade, allowAdHoc };
}

function programReport(entry: BundleEntry | undefined, path: string, code: CodeExpectations): CodeReport[] {
  return entry && 'data' in entry ? [verifyProgram(entry.data, code, path.replace(/^\.\//, ''))] : [];
}

function judgeTeam(list: CheckList, slices: readonly SliceFacts[], { ours }: PackageExpectations): void {
  if (!ours || ours.teamIdentifier === null) return;
  const others = slices.filter(({ teamIdentifier }) => teamIdentifier !== ours.teamIdentifier);
  list.judge(
    'code-our-team',
    others.map(
      ({ architecture, teamIdentifier }) =>
        `${architecture} is signed by team ${teamIdentifier}, expected ${ours.teamIdentifier}`,
    ),
  );
}

interface CodePlaces {
  /** Outermost bundles that hold code or that PackageInfo lists, as `./A.bundle`. */
  readonly bundles: readonly string[];
  /** Code in no bundle. */
  readonly programs: readonly string[];
}

function codePlaces({ info }: OpenComponent, paths: readonly PayloadPath[]): CodePlaces {
  const known = new Set(paths.map(({ path }) => path));
  const bundles = new Set<string>();
  const programs: string[] = [];
  for (const { path } of paths.filter(({ code }) => code)) {
    const bundle = outermostBundle(path, known);
    if (bundle === undefined) programs.push(path);
    else bundles.add(bundle);
  }
  for (const { path } of info.bundles) {
    const listed = `./${path}`;
    const covered = [...bundles].some((bundle) => listed === bundle || listed.startsWith(`${bundle}/`));
    // A listed bundle without a Mach-O file is no code (a preference pane's resources, a script) unless it has a signature.
    if (!covered && known.has(`${listed}/Contents/_CodeSignature/CodeResources`)) bundles.add(listed);
  }
  return { bundles: [...bundles], programs };
}

function outermostBundle(path: string, known: ReadonlySet<string>): string | undefined {
  for (let end = path.indexOf('/', 2); end > 0; end = path.indexOf('/', end + 1)) {
    const folder = path.slice(0, end);
    if (known.has(`${folder}/Contents/Info.plist`)) return folder;
  }
  return undefined;
}

/** Reads the payload once more, and keeps what belongs to code. */
async function collect(
  { archive }: OpenPackage,
  { payload }: OpenComponent,
  { bundles, programs }: CodePlaces,
): Promise<ReadonlyMap<string, BundleEntry> | undefined> {
  const files = new Map<string, BundleEntry>();
  if (!payload) return files;
  let total = 0;
  for await (const { path, kind, mode, data } of cpioEntries(archive, payload)) {
    if (kind === 'directory') continue;
    if (!programs.includes(path) && !bundles.some((bundle) => path.startsWith(`${bundle}/`))) continue;
    const parts: Buffer[] = [];
    for await (const chunk of data) {
      total += chunk.length;
      if (total > CODE_LIMIT) return undefined;
      parts.push(Buffer.from(chunk));
    }
    const content = Buffer.concat(parts);
    files.set(path, kind === 'symlink' ? { path, mode, symlink: content.toString() } : { path, mode, data: content });
  }
  return files;
}

function entriesOf(files: ReadonlyMap<string, BundleEntry>, bundle: string): BundleEntry[] {
  return [...files.values()]
    .filter(({ path }) => path.startsWith(`${bundle}/`))
    .map((entry) => ({ ...entry, path: entry.path.slice(bundle.length + 1) }));
}
