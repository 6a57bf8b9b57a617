import { describe, expect, it } from 'vitest';
import { InterruptedError, NetworkError, ToolError } from '../../src/base/errors.ts';
import { findOnPath, runTool } from '../../src/base/run-tool.ts';

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

describe('runTool, more of it', () => {
  const script = (text: string, options = {}) => runTool('sh', ['-c', text], options);

  it('sets words and times to one language and zone, and takes what it is given', async () => {
    const env = await script('echo "$LC_ALL $TZ $HOME $MINE"', { env: { MINE: 'x' } });
    expect(env.stdout).toBe(`C UTC ${process.env.HOME ?? ''} x\n`);
    expect((await script('echo "$TZ"', { env: { TZ: 'CET' } })).stdout).toBe('CET\n');
    expect((await script('pwd', { cwd: '/' })).stdout).toBe('/\n');
  });

  it('takes no exit code but 0 and those that are allowed', async () => {
    await expect(script('exit 3', { allowedExitCodes: [2, 4] })).rejects.toMatchObject({ message: 'sh ended with 3' });
    expect((await script('exit 4', { allowedExitCodes: [2, 4] })).exitCode).toBe(4);
    expect((await script('exit 0', { allowedExitCodes: [] })).exitCode).toBe(0);
  });

  it('quotes its errors, or what it said where there are none', async () => {
    await expect(script('echo out; echo err >&2; exit 1')).rejects.toMatchObject({ message: 'sh ended with 1:\nerr' });
    await expect(script('echo out; echo >&2; exit 1')).rejects.toMatchObject({ message: 'sh ended with 1:\nout' });
    const error = await script('kill -KILL $$').catch((caught) => caught);
    expect(error).toMatchObject({ code: 'TOOL_FAILED', message: 'sh was ended by SIGKILL', hint: undefined });
  });

  it('says that a file may not be run, and passes a hint on', async () => {
    const missing = { code: 'TOOL_MISSING', message: 'cannot start /dev/null: it is not there or may not be run' };
    await expect(runTool('/dev/null', [])).rejects.toMatchObject(missing);
    await expect(runTool('no-such-tool', [], { hint: 'mine' })).rejects.toMatchObject({ hint: 'mine' });
    await expect(script('exec sleep 9', { timeoutMs: 50, hint: 'mine' })).rejects.toMatchObject({
      code: 'TOOL_TIMEOUT',
      hint: 'mine',
    });
  });
});

describe('findOnPath', () => {
  it('finds what may be run, in the order of the folders', () => {
    const before = process.env.PATH;
    try {
      process.env.PATH = ['', '/no-such-folder', '/dev', '/bin', '/usr/bin'].join(':');
      expect(findOnPath('sh')).toBe('/bin/sh');
      expect(findOnPath('null')).toBeUndefined();
      expect(findOnPath('no-such-tool')).toBeUndefined();
      delete process.env.PATH;
      expect(findOnPath('sh')).toBeUndefined();
    } finally {
      process.env.PATH = before;
    }
  });
});
