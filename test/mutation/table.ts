import { readFile } from 'node:fs/promises';
import { makePlan } from '../../build/plan/plan.ts';
import { ourForm } from '../../build/stages/our-form.ts';
import { openRehearsalAuthority, REHEARSAL_TEAM } from '../../src/rehearsal/authority.ts';
import type { OurForm } from '../../src/verify/expectations.ts';
import { keptAuthority } from '../support/test-authority.ts';
import { codeMutations } from './of-code.ts';
import { fileMutations } from './of-file.ts';
import { metadataMutations } from './of-metadata.ts';
import { payloadMutations } from './of-payload.ts';
import { signatureMutations } from './of-signature.ts';
import { ticketMutations } from './of-ticket.ts';
import type { Mutation } from './outcome.ts';
import { openSample, type Sample } from './sample.ts';

/** All changes of one finished package, and what it must look like. */
export interface MutationTable {
  readonly sample: Sample;
  readonly ours: OurForm;
  readonly mutations: readonly Mutation[];
}

/** Returns the table for a package that this checkout signed in a rehearsal. */
export async function mutationTable(root: string, path: string): Promise<MutationTable> {
  const authority = await openRehearsalAuthority(`${root}/.rehearsal`);
  const sample = await openSample(await readFile(path), authority);
  const other = await keptAuthority('stranger');
  const plan = await makePlan({ root, outFolder: root, sourceDateEpoch: '1700000000' });
  const ours = await ourForm(plan, 'product', {
    madeBy: 'portable',
    teamIdentifier: REHEARSAL_TEAM,
    version: plan.version,
  });
  const mutations = [
    ...fileMutations(sample),
    ...signatureMutations(authority, other),
    ...metadataMutations(sample),
    ...payloadMutations(sample),
    ...(await codeMutations(sample)),
    ...ticketMutations(sample, other),
  ];
  return { sample, ours, mutations };
}
