import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { installGo, installPythonPackage } from './install.ts';

describe('the workflows', () => {
  it('pass actionlint, with shellcheck over every script', () => {
    const actionlint = installGo('github.com/rhysd/actionlint/cmd/actionlint', 'v1.7.12', 'actionlint');
    const { status, stdout } = spawnSync(actionlint, ['-no-color'], { encoding: 'utf8' });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  // Offline it cannot ask GitHub: known vulnerable actions, moved tags and wrong version comments are left to expiry.yml.
  it.each(['regular', 'pedantic', 'auditor'])('pass zizmor as %s', (persona) => {
    const zizmor = join(dirname(installPythonPackage('zizmor', '1.32.0')), 'zizmor');
    const argv = ['--offline', '--no-progress', '--strict-collection', '--persona', persona, '.github'];
    const { status, stdout, stderr } = spawnSync(zizmor, argv, { encoding: 'utf8' });
    expect(stdout, stderr).toContain('No findings to report');
    expect(status).toBe(0);
  });
});
