import { ANY_TOOL } from '../../find-messages.ts';
import { type MessageTable, status } from '../../message.ts';

const NEW_CERTIFICATE = 'Request a new certificate on https://developer.apple.com/account/resources/certificates';

/**
 * Verdicts on certificates and their chains, which security, codesign, productsign, pkgutil and spctl print alike.
 *
 * Source: Security-61901, cssmerr.h, SecBase.h.
 */
export const TRUST: MessageTable = {
  tools: [ANY_TOOL],
  rows: [
    {
      code: 'CERTIFICATE_REVOKED',
      kind: 'refused',
      match: [
        ...status('CSSMERR_TP_CERT_REVOKED', -2147409652),
        ...status('errSecCertificateRevoked', -67820),
        'The certificate was revoked',
        ...status('CSSMERR_TP_CERT_SUSPENDED', -2147409651),
        ...status('errSecCertificateSuspended', -67821),
      ],
      cause: 'Its owner or Apple revoked the certificate: nothing signed with it is trusted any more.',
      who: 'account-holder',
      next: `Find out who revoked it and why. ${NEW_CERTIFICATE}, then release a new version`,
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_EXPIRED',
      kind: 'tool',
      match: [
        ...status('CSSMERR_TP_CERT_EXPIRED', -2147409654),
        ...status('errSecCertificateExpired', -67818),
        'An expired certificate was detected',
      ],
      cause: 'The certificate has expired; packages timestamped before its last day stay valid.',
      who: 'account-holder',
      next: NEW_CERTIFICATE,
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_NOT_YET_VALID',
      kind: 'tool',
      match: [
        ...status('CSSMERR_TP_CERT_NOT_VALID_YET', -2147409653),
        ...status('errSecCertificateNotValidYet', -67819),
        'The certificate is not yet valid',
      ],
      cause: 'The clock of this machine is behind, or the certificate begins later than today.',
      who: 'runner',
      next: 'date -u; sudo sntp -sS time.apple.com',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_NOT_TRUSTED',
      kind: 'tool',
      match: [
        ...status('CSSMERR_TP_NOT_TRUSTED', -2147409622),
        ...status('errSecNotTrusted', -67843),
        'The certificate was not trusted',
        /"Developer ID [^"\n]*" certificate is not trusted/,
        'This certificate has an invalid issuer',
        ...status('CSSMERR_TP_INVALID_ANCHOR_CERT', -2147409646),
        ...status('errSecInvalidRoot', -67612),
        'The root or anchor certificate is not valid',
        ...status('errSecCreateChainFailed', -25318),
        'One or more certificates required to validate this certificate cannot be found',
        ...status('errSecCSSignatureUntrusted', -66996),
        'signature is valid but signer is not trusted',
      ],
      cause:
        'The chain does not end at a trusted root: the intermediate certificate (Developer ID Certification Authority) is missing, or the certificate is self-signed. Some macOS 26 images lack G2.',
      who: 'maintainer',
      next: 'Put the intermediate from https://www.apple.com/certificateauthority/ into the .p12',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'CERTIFICATE_PURPOSE',
      kind: 'tool',
      match: [
        ...status('errSecCodeSigningNoExtendedKeyUsage', -67650),
        ...status('errSecCodeSigningDevelopment', -67651),
        ...status('errSecInvalidExtendedKeyUsage', -67609),
        ...status('errSecInvalidKeyUsageForPolicy', -67608),
        'The extended key usage is not valid',
        'Code signing found no extended key usage',
        'Code signing indicated use of a development-only certificate',
      ],
      cause: 'The certificate is made for another purpose, such as TLS or development.',
      who: 'account-holder',
      next: 'Use Developer ID Application for code and Developer ID Installer for packages',
      act: 'check',
      area: 'identities',
    },
    {
      code: 'REVOCATION_CHECK',
      kind: 'network',
      match: [
        'No signer for OCSP response found',
        ...status('errSecOCSPNoSigner', -67640),
        ...status('CSSMERR_APPLETP_OCSP_NO_SIGNER', -2147408856),
        'OCSP service is unavailable',
        ...status('errSecOCSPUnavailable', -67632),
        ...status('errSecOCSPBadResponse', -67630),
        ...status('errSecOCSPResponderTryLater', -67643),
        'An incomplete certificate revocation check occurred',
        ...status('errSecIncompleteCertRevocationCheck', -67635),
        ...status('errSecNetworkFailure', -67636),
      ],
      cause:
        'It could not be checked whether the certificate was revoked: ocsp.apple.com did not answer, something answered in its place, or the clock is wrong.',
      who: 'runner',
      next: 'date -u; curl -sSI http://ocsp.apple.com',
      act: 'resume',
      area: 'identities',
    },
  ],
};
