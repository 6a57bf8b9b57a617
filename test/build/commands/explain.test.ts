import { describe, expect, it } from 'vitest';
import { inProcess } from '../../support/in-process.ts';

const run = (...argv: string[]) => inProcess(['doctor', 'explain', ...argv]);
const documentOf = async (...argv: string[]) => {
  const { status, stdout } = await run(...argv, '--json');
  return { status, document: JSON.parse(stdout) };
};

describe('doctor explain', () => {
  it('says how much is known, for people and for programs', async () => {
    const known = await documentOf('errSecInternalComponent', '--tool', 'codesign');
    expect(known).toMatchObject({
      status: 0,
      document: { schema: 1, nearest: [], known: [{ code: 'CODESIGN_KEY_ACCESS' }] },
    });
    const unknown = await documentOf('zzz qqq');
    expect(unknown).toEqual({ status: 6, document: { schema: 1, message: 'zzz qqq', known: [], nearest: [] } });
    expect((await run('zzz qqq')).stdout).toBe(
      'Not known:\nzzz qqq\nPlease report it with the lines around it, so that it becomes known.\n',
    );
    const two = await run('errSecInternalComponent\nService is disabled');
    expect(two.stdout.split('\n\n')).toHaveLength(2);
  });

  it('knows the tools that the tables name, and "any" is none of them', async () => {
    const found = await run('x', '--tool', 'any');
    expect([found.status, found.stderr]).toEqual([
      2,
      expect.stringMatching(/Known are ([\w-]+, )+[\w-]+; without --tool/),
    ]);
    expect(found.stderr).not.toMatch(/Known are ([\w-]+, )*any[,;]/);
  });
});
