import { describe, expect, it } from 'vitest';
import { runAppleTool } from '../../../src/toolchain/apple/run-apple-tool.ts';
import { useMachine } from './machine.ts';

useMachine();

describe('xcrun', () => {
  it('without an Xcode, or with one that lacks a tool, says so', async () => {
    const developer = process.env.DEVELOPER_DIR as string;
    process.env.DEVELOPER_DIR = '/nowhere';
    await expect(runAppleTool('stapler', ['validate', 'x'])).rejects.toMatchObject({ code: 'XCODE_INVALID' });
    process.env.DEVELOPER_DIR = developer;
    await expect(runAppleTool('xcrun', ['--sdk', 'macosx', 'nm', 'x'])).rejects.toMatchObject({ code: 'XCODE_TOOL' });
  });
});

describe('the stand-ins', () => {
  it.each([
    ['codesign', ['--sing', '-', 'x'], 2],
    ['pkgbuild', ['--roots', 'x', 'y'], 1],
    ['productbuild', ['--distributions', 'x', 'y'], 1],
    ['productsign', ['--sign', 'X', '--force', 'a', 'b'], 1],
    ['pkgutil', ['--check-signatures', 'x'], 64],
    ['spctl', ['--asses', 'x'], 2],
    ['security', ['create-keychain', '-q', 'x'], 2],
    ['security', ['nonsense'], 1],
    ['notarytool', ['submit', 'x', '--keys', 'y', '--output-format', 'json'], 64],
    ['stapler', ['stapel', 'x'], 64],
    ['lipo', ['-creat', 'x'], 1],
  ] as const)('%s does not know %j', async (tool, argv, exitCode) => {
    await expect(runAppleTool(tool, argv)).rejects.toThrow(`${tool} ended with ${exitCode}`);
  });

  it.each([
    ['codesign', ['--entitlements', 'x', '--sign', '-', 'y']],
    ['pkgbuild', ['--nopayload', '--identifier', 'a', 'x']],
    ['spctl', ['--status']],
  ] as const)('%s ends with 97 for options of its manual page that are not played: %j', async (tool, argv) => {
    await expect(runAppleTool(tool, argv)).rejects.toThrow(`${tool} ended with 97`);
  });
});
