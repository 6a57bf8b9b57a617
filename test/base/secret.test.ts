import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { Secret } from '../../src/base/secret.ts';

it('shows a secret in no form of printing, and reveals it only when asked', () => {
  const secret = new Secret('hunter2');
  const printed = [
    `${secret}`,
    String(secret),
    JSON.stringify({ secret }),
    inspect({ secret }),
    inspect(secret, { showHidden: true }),
  ];
  for (const text of printed) {
    expect(text).not.toContain('hunter2');
    expect(text).toContain('[secret]');
  }
  expect(secret.reveal()).toBe('hunter2');
});
