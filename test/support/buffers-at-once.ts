import { expect } from 'vitest';

// Compared element by element, as vitest does, two equal buffers of 600,000 bytes take a second of the processor.
expect.addEqualityTesters([
  (a: unknown, b: unknown) => (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? a.equals(b) : undefined),
]);
