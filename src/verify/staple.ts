import type { CheckList } from '../base/check.ts';
import { isLowSignature } from '../notary/ticket/low-signature.ts';
import { TOC_HASH_TYPES, verifyTicket } from '../notary/ticket/ticket.ts';
import type { XarArchive } from '../xar/read.ts';
import { readTrailer, STAPLE_TRAILER, type XarTrailer } from '../xar/trailer.ts';
import { isExact, type PackageExpectations } from './expectations.ts';
import { readAbout } from './read-about.ts';

/** Checks what lies behind the heap and, offline, the ticket in it. Returns when the ticket was issued, if it is right. */
export async function checkTrailing(
  list: CheckList,
  archive: XarArchive,
  expectations: PackageExpectations,
): Promise<Date | undefined> {
  const id = 'trailing-bytes';
  const trailer = await readAbout(list, id, () => readTrailer(archive.access, archive.trailing));
  if (!trailer) return skipTicket(list, 'the bytes behind the archive cannot be read');
  const problem = unexplained(trailer);
  if (problem === undefined) list.pass(id);
  else if (isExact(expectations)) list.fail(id, problem);
  else list.pass(id, problem);
  if (trailer.kind !== 'stapled') return skipTicket(list, 'no ticket is stapled to the package');
  const subject = { hashType: TOC_HASH_TYPES[archive.checksum.style], digest: archive.checksum.value };
  const report = list.read('ticket', () => verifyTicket(trailer.ticket, subject, expectations.trust));
  if (!report) return undefined;
  // Which form Apple's notary delivers is its own choice, and its bytes are stapled as they came; the rehearsal's has the lower one.
  const exact = isExact(expectations) && expectations.trust.name === 'rehearsal';
  const open = isLowSignature(report.ticket.signature) ? undefined : OTHER_FORM;
  const errors = report.findings.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  const problems = [...errors, ...(exact && open !== undefined ? [open] : [])];
  if (problems.length > 0) list.fail('ticket', problems.join('; '));
  else list.pass('ticket', open);
  return report.trusted ? report.ticket.issuedAt : undefined;
}

const OTHER_FORM =
  'its ECDSA signature is in the higher of its two forms: both are right, and anybody can swap them without a key';

function skipTicket(list: CheckList, reason: string): undefined {
  list.skip('ticket', reason);
}

function unexplained(trailer: XarTrailer): string | undefined {
  if (trailer.kind === 'unknown') return `${trailer.size} bytes behind the archive are not a ticket`;
  if (trailer.kind === 'absent') return undefined;
  const others = trailer.size - trailer.ticket.length - 2 * STAPLE_TRAILER.size + trailer.unexplained;
  return others === 0 ? undefined : `${others} bytes behind the archive do not belong to the ticket`;
}
