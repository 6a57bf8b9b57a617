import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { POLICY_SCHEMA } from '../../../build/plan/policy.ts';
import { jsonSchemaText } from '../../support/json-schema.ts';

describe('the policy', () => {
  it('has the JSON Schema that lies in the project', async () => {
    await expect(jsonSchemaText(POLICY_SCHEMA, 'input')).toMatchFileSnapshot(
      '../../../docs/schemas/policy.schema.json',
    );
  });

  it('in docs/verifying.md is one', () => {
    const example = /```json\n(\{ "schema": 1[\s\S]*?)```/.exec(readFileSync('docs/verifying.md', 'utf8'))?.[1];
    expect(POLICY_SCHEMA.parse(JSON.parse(example ?? ''))).toMatchObject({ team: 'ABCDE12345' });
  });

  it.each([
    [{}],
    [{ schema: 1, team: 'abc' }],
    [{ schema: 1, minimumMacOS: '11' }],
    [{ schema: 1, allowedPaths: ['Library'] }],
    [{ schema: 1, allowedPaths: ['/a/../b'] }],
    [{ schema: 1, allowedMechanisms: ['no colon'] }],
    [{ schema: 1, typo: true }],
  ])('%j is none', (value) => expect(POLICY_SCHEMA.safeParse(value).success).toBe(false));
});
