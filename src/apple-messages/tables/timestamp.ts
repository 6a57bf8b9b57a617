import { type MessageTable, status } from '../message.ts';

const LATER = 'Run again in some minutes';

/** What codesign and the package builders say about the timestamp of a signature. Source: SecBase.h of Security-61901. */
export const TIMESTAMP: MessageTable = {
  tools: ['codesign', 'productsign', 'productbuild', 'pkgbuild'],
  rows: [
    {
      code: 'TIMESTAMP_MISSING',
      kind: 'network',
      match: ['A timestamp was expected but was not found', ...status('errSecTimestampMissing', -67882)],
      cause: 'The timestamp server did not answer in time, or code that had a timestamp was signed again without one.',
      who: 'apple',
      next: LATER,
      act: 'resume',
      area: 'timestamp',
    },
    {
      code: 'TIMESTAMP_UNREACHABLE',
      kind: 'network',
      match: ['The timestamp service is not available', ...status('errSecTimestampServiceNotAvailable', -67885)],
      cause:
        'This machine cannot reach the timestamp server, which answers plain http only: a proxy or a VPN may block it.',
      who: 'runner',
      next: 'curl -sS -o /dev/null -w "%{http_code}" http://timestamp.apple.com/ts01',
      act: 'resume',
      area: 'timestamp',
    },
    {
      code: 'TIMESTAMP_UNTRUSTED',
      kind: 'network',
      match: ['The timestamp was not trusted', ...status('errSecTimestampNotTrusted', -67884)],
      cause:
        "Something between this machine and Apple answered in Apple's place, or the clock of this machine is wrong.",
      who: 'runner',
      next: 'date -u; curl -sSI http://timestamp.apple.com/ts01',
      act: 'resume',
      area: 'timestamp',
    },
    {
      code: 'TIMESTAMP_INVALID',
      kind: 'network',
      match: ['The timestamp was not valid', ...status('errSecTimestampInvalid', -67883)],
      cause: 'The answer belongs to another request, or something between this machine and Apple changed it.',
      who: 'apple',
      next: LATER,
      act: 'resume',
      area: 'timestamp',
    },
    {
      code: 'TIMESTAMP_SERVICE',
      kind: 'network',
      match: [
        'The timestamp request cannot be handled due to system failure',
        'The time source for the Timestamp Authority is not available',
        'A timestamp transaction was rejected',
        'A timestamp transaction is waiting',
        ...status('errSecTimestampSystemFailure', -67893),
        ...status('errSecTimestampTimeNotAvailable', -67889),
        ...status('errSecTimestampRejection', -67895),
        ...status('errSecTimestampWaiting', -67896),
      ],
      cause: 'The timestamp server has a fault of its own.',
      who: 'apple',
      next: LATER,
      act: 'resume',
      area: 'timestamp',
    },
    {
      code: 'TIMESTAMP_REQUEST',
      kind: 'network',
      match: [
        'An unrecognized or unsupported Algorithm Identifier in timestamp',
        'The timestamp transaction is not permitted or supported',
        'The timestamp data submitted has the wrong format',
        ...status('errSecTimestampBadAlg', -67886),
        ...status('errSecTimestampBadRequest', -67887),
        ...status('errSecTimestampBadDataFormat', -67888),
      ],
      cause: 'The server did not understand the request: another server than Apple’s was asked, or a proxy changed it.',
      who: 'runner',
      next: 'Check services.timestamp in the configuration and the proxy of this machine',
      act: 'resume',
      area: 'timestamp',
    },
    {
      code: 'TIMESTAMP_SLOW',
      kind: 'silent',
      match: [],
      cause: 'codesign prints nothing for many minutes: the timestamp server is slow.',
      who: 'apple',
      next: 'Wait, or stop it and run again; this pipeline gives up after 30 s a try',
      act: 'resume',
      area: 'timestamp',
    },
  ],
};
