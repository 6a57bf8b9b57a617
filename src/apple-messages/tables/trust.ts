import { ANY_TOOL } from '../find-messages.ts';
import type { MessageTable } from '../message.ts';

const NEW_CERTIFICATE = 'Request a new certificate on https://developer.apple.com/account/resources/certificates';

/** Verdicts on certificates, which security, codesign, productsign and spctl print alike. Source: cssmerr.h, SecBase.h. */
export const TRUST: MessageTable = {
  tools: [ANY_TOOL],
  rows: [
    {
      code: 'CERTIFICATE_REVOKED',
      kind: 'refused',
      match: ['CSSMERR_TP_CERT_REVOKED'],
      cause: 'Its owner or Apple revoked the certificate: nothing signed with it is trusted any more.',
      who: 'account-holder',
      next: `Find out who revoked it and why. ${NEW_CERTIFICATE}, then release a new version`,
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_EXPIRED',
      kind: 'tool',
      match: ['CSSMERR_TP_CERT_EXPIRED'],
      cause: 'The certificate has expired; packages timestamped before its last day stay valid.',
      who: 'account-holder',
      next: NEW_CERTIFICATE,
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_NOT_TRUSTED',
      kind: 'tool',
      match: ['CSSMERR_TP_NOT_TRUSTED'],
      cause:
        'The intermediate certificate (Developer ID Certification Authority) is missing; some macOS 26 images lack G2.',
      who: 'maintainer',
      next: 'Put the intermediate from https://www.apple.com/certificateauthority/ into the .p12',
      act: 'check',
      area: 'identities',
    },
  ],
};
