import * as z from 'zod';
import { parseJson } from '../../../src/base/document.ts';

/** Images that must have installed a package before it is published; release.yml's job `smoke` runs on each. */
export const SMOKE_IMAGES = ['macos-15', 'macos-15-intel', 'macos-26', 'macos-26-intel', 'xcode-27'] as const;

/** Name of the asset with what the Macs found: one line of JSON for each image. */
export const VERDICTS_ASSET = 'smoke-verdicts.jsonl';

/** What must have been tried on every image for its verdict to count; `load-…` and `dyld-…` depend on processor and Xcode. */
const MUST_BE_TRIED = ['package-signature', 'ticket', 'gatekeeper', 'install', 'install-again', 'uninstall'];

/** Schema of one verdict, as test/mac-runner/smoke.sh writes it. */
const VERDICT_SCHEMA = z.strictObject({
  schema: z.literal(1),
  image: z.enum(SMOKE_IMAGES),
  macOS: z.strictObject({
    version: z.string().regex(/^\d+(\.\d+){0,2}$/),
    build: z.string().regex(/^\d+[A-Z]\d+[a-z]?$/),
  }),
  architecture: z.enum(['arm64', 'x86_64']),
  /** What csrutil said: behaviour under System Integrity Protection is untested where it is off. */
  sip: z.string(),
  package: z.strictObject({
    name: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    team: z.string().nullable(),
  }),
  tried: z.array(z.string()),
  skipped: z.array(z.strictObject({ id: z.string(), reason: z.string() })),
  verdict: z.literal('pass'),
});

/** What the Macs must have had in their hands. */
export interface TriedPackage {
  readonly name: string;
  readonly sha256: string;
  readonly team: string | null;
}

/**
 * Returns why what the Macs found does not let a package be published: an image is missing or named twice, it tried another
 * package, or it left something out. Empty when every image passed with exactly this package.
 */
export function verdictProblems(text: string, expected: TriedPackage): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const verdict = parseVerdict(line);
    if (verdict === undefined) {
      problems.push(`line ${index + 1} is not a verdict`);
      continue;
    }
    const { image, architecture, tried } = verdict;
    if (seen.has(image)) problems.push(`${image}: named twice`);
    seen.add(image);
    for (const key of ['name', 'sha256', 'team'] as const) {
      if (verdict.package[key] !== expected[key])
        problems.push(`${image}: tried a package with ${key} ${verdict.package[key]}, not ${expected[key]}`);
    }
    for (const id of [...MUST_BE_TRIED, `load-${architecture}`])
      if (!tried.includes(id)) problems.push(`${image}: did not try ${id}`);
  }
  return [...problems, ...SMOKE_IMAGES.filter((image) => !seen.has(image)).map((image) => `${image}: no verdict`)];
}

function parseVerdict(line: string): z.infer<typeof VERDICT_SCHEMA> | undefined {
  try {
    return VERDICT_SCHEMA.safeParse(parseJson(line, VERDICTS_ASSET)).data;
  } catch {
    // A line that is not JSON is none.
    return undefined;
  }
}
