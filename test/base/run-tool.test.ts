import { describe, expect, it } from 'vitest';
import { InterruptedError, NetworkError, ToolError } from '../../src/base/errors.ts';
import { runTool } from '../../src/base/run-tool.ts';

describe('runTool', () => {
  it('returns exit code and both streams', async () => {
    const result = await runTool('sh', ['-c', 'echo out; echo err >&2; exit 3'], { allowedExitCodes: [3] });
    expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('passes on nothing of the environment but PATH, HOME and what it sets itself', async () => {
    process.env.LEAKED_SECRET = 'hunter2';
    const { stdout } = await runTool('env', []);
    delete process.env.LEAKED_SECRET;
    const names = stdout
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(
      names.filter((name) => !['PATH', 'HOME', 'TMPDIR', 'LC_ALL', 'TZ', 'DEVELOPER_DIR'].includes(name as string)),
    ).toEqual([]);
  });

  it('gives standard input, and an empty one when there is none', async () => {
    expect((await runTool('cat', [], { input: 'words' })).stdout).toBe('words');
    expect((await runTool('cat', [])).stdout).toBe('');
  });

  it('fails with the words of the tool', async () => {
    const run = runTool('sh', ['-c', 'echo no such right >&2; exit 1'], { hint: 'Do this.' });
    await expect(run).rejects.toThrow(ToolError);
    await expect(run).rejects.toMatchObject({
      code: 'TOOL_FAILED',
      tool: 'sh',
      hint: 'Do this.',
      message: 'sh ended with 1:\nno such right',
    });
  });

  it('says that a tool is missing, and where to turn', async () => {
    await expect(runTool('no-such-tool', [])).rejects.toMatchObject({
      code: 'TOOL_MISSING',
      hint: expect.stringContaining('doctor'),
    });
  });

  it('ends a tool that takes too long', async () => {
    const run = runTool('sleep', ['30'], { timeoutMs: 100 });
    await expect(run).rejects.toThrow(NetworkError);
    await expect(run).rejects.toThrow('sleep did not end within 0.1 s');
  });

  it('ends a tool when the run is interrupted', async () => {
    await expect(runTool('sleep', ['30'], { signal: AbortSignal.timeout(50) })).rejects.toThrow(InterruptedError);
  });
});
