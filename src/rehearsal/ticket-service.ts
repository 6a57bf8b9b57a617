import * as z from 'zod';
import type { Clock } from '../base/clock.ts';
import { documentIn } from '../base/document.ts';
import { type Handler, json } from './local-server.ts';
import type { SubmissionStore } from './submission-store.ts';

/** Path of CloudKit's lookup for tickets. Source: what stapler asks, as rcodesign's ticket_lookup.rs has it. */
export const TICKET_PATH = '/database/1/com.apple.gk.ticket-delivery/production/public/records/lookup';

const QUESTION = z.object({ records: z.array(z.object({ recordName: z.string() })) });

/** Returns the handler of the ticket lookup, in the shapes of CloudKit. */
export function ticketService({ store, clock }: { readonly store: SubmissionStore; readonly clock: Clock }): Handler {
  return {
    endpoint: 'ticket',
    matches: (method, path) => method === 'POST' && path === TICKET_PATH,
    async answer(request, fault) {
      const question = documentIn(request.body, QUESTION);
      if (!question) {
        return json(400, { uuid: 'REHEARSAL', serverErrorCode: 'BAD_REQUEST', reason: 'BadRequestException' });
      }
      const now = clock.now().getTime();
      const records = question.records.map(({ recordName }) => {
        const ticket = findTicket(store, recordName, now);
        if (!ticket) return { recordName, reason: 'Record not found', serverErrorCode: 'NOT_FOUND' };
        return found(recordName, fault?.kind === 'wrong-bytes' ? spoilt(ticket) : ticket, now);
      });
      return json(200, { records });
    },
  };
}

function findTicket(store: SubmissionStore, recordName: string, now: number): string | undefined {
  for (const { verdict } of store.newestFirst()) {
    const entry = verdict?.tickets.find((ticket) => ticket.recordName === recordName && now >= ticket.from);
    if (entry) return entry.ticket;
  }
  return undefined;
}

function spoilt(ticket: string): string {
  const bytes = Buffer.from(ticket, 'base64');
  const at = bytes.length - 100; // in the body: certificates and form stay right, the signature does not
  bytes[at] = (bytes[at] as number) ^ 1;
  return bytes.toString('base64');
}

function found(recordName: string, ticket: string, now: number): object {
  const created = { timestamp: now, userRecordName: 'REHEARSAL', deviceID: '1' };
  return {
    recordName,
    recordType: 'DeveloperIDTicket',
    fields: { signedTicket: { value: ticket, type: 'BYTES' } },
    pluginFields: {},
    recordChangeTag: 'rehearsal',
    created,
    modified: created,
    deleted: false,
  };
}
