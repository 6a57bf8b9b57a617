import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { builtPackage } from '../../support/built-package.ts';
import { inProcess } from '../../support/in-process.ts';

const scratch = mkdtempSync(join(tmpdir(), 'prove-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const root = join(scratch, 'trusted_root.json');
writeFileSync(root, '{}');
const bundles = join(scratch, 'bundles.jsonl');
writeFileSync(bundles, '\n');
const TRUST = ['--trusted-root', root, '--signer', 'https://example.com/a'];

it.each([
  ['attestations by nobody', ['--attestation', bundles], /--attestation needs --trusted-root and --signer/],
  ['half of whom to believe', ['--attestation', bundles, ...TRUST.slice(2)], /both --trusted-root and --signer/],
  ['whom to believe, and no attestations', TRUST, /check attestations, and none is given/],
  ['attestations that are not there', ['--attestation', join(scratch, 'none.jsonl'), ...TRUST], /none\.jsonl/],
])('prove refuses %s, before it compiles', async (_, options, words) => {
  const run = await inProcess(['prove', builtPackage(), '--trust', 'rehearsal', ...options], {
    env: { PATH: join(scratch, 'no-compiler') },
  });
  expect([run.status, run.stderr]).toEqual([2, expect.stringMatching(words)]);
});
