import { accessBuffer } from '../../src/base/random-access.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { verifyPackage } from '../../src/verify/verify-package.ts';
import type { Sample } from './sample.ts';

/** One change of a finished package. */
export interface Mutation {
  /** Part of the package that is changed. */
  readonly region: string;
  /** What is changed, for the table. */
  readonly what: string;
  /** Checks of which one must fail; the first is the usual one. */
  readonly expected: readonly string[];
  /** Returns the changed package. */
  make(sample: Sample): Promise<Buffer> | Buffer;
}

/** What became of a change. */
export interface Outcome {
  readonly mutation: Mutation;
  /** Checks that failed; empty when nobody noticed. */
  readonly failed: readonly string[];
  /** The error, when verification ended with one instead of a report. */
  readonly crash: string | undefined;
  /** Whether one of the expected checks failed. */
  readonly named: boolean;
}

/** Makes one change and returns what verification says of it. */
export async function checkMutation(mutation: Mutation, sample: Sample, ours: OurForm): Promise<Outcome> {
  const changed = await mutation.make(sample);
  if (changed.equals(sample.file)) throw new Error(`${mutation.region}: ${mutation.what}: nothing was changed`);
  try {
    const failed = await failedChecks(changed, sample, ours);
    return { mutation, failed, crash: undefined, named: mutation.expected.some((id) => failed.includes(id)) };
  } catch (error) {
    return { mutation, failed: [], crash: (error as Error).stack ?? String(error), named: false };
  }
}

/** Returns the ids of the checks that a file fails. */
export async function failedChecks(file: Buffer, sample: Sample, ours: OurForm): Promise<string[]> {
  const { trust } = sample.authority;
  const { checks } = await verifyPackage(accessBuffer(file), { trust, now: new Date(), ours });
  return [...new Set(checks.filter(({ status }) => status === 'fail').map(({ id }) => id))];
}
