import { describe, expect, it } from 'vitest';
import { NAMESPACE_URL, uuidV5 } from '../../../build/sbom/uuid-v5.ts';

describe('uuidV5', () => {
  // RFC 9562, appendix A.4.
  it('is the one of the RFC', () =>
    expect(uuidV5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'www.example.com')).toBe(
      '2ed6657d-e927-568b-95e1-2665a8aea6a2',
    ));

  it('differs by namespace', () =>
    expect(uuidV5(NAMESPACE_URL, 'www.example.com')).not.toBe('2ed6657d-e927-568b-95e1-2665a8aea6a2'));
});
