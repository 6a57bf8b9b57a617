import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'arguments-'));
  writeFileSync(join(scratch, 'there'), '');
});
afterAll(() => rmSync(scratch, { recursive: true }));

const SHA256 = '0'.repeat(64);
const run = (script: string, argv: readonly string[], input = '') => {
  const { status, stderr } = spawnSync('/bin/sh', [resolve('build/signers', `${script}.sh`), ...argv], {
    ...{ cwd: scratch, encoding: 'utf8', input, env: { PATH: process.env.PATH } },
  });
  return [status, stderr];
};
const OPTIONS = {
  'check-signatures': ['--role', '--digests', '--signatures', '--out'],
  sealed: ['--role', '--digests', '--out'],
  'key-service': ['--service', '--role', '--project', '--digests', '--out'],
};

describe.each(Object.entries(OPTIONS))('%s.sh', (script, options) => {
  const refused = (argv: readonly string[], words: RegExp) => {
    expect(run(script, argv)).toEqual([2, expect.stringMatching(new RegExp(`^${script}: ${words.source}`))]);
    expect(readdirSync(scratch)).toEqual(['there']);
  };

  it.each(options)('needs a value of %s, wherever it stands', (option) => {
    refused([option], new RegExp(`${option} needs a value`));
    refused([options.find((other) => other !== option)!, 'x', option], new RegExp(`${option} needs a value`));
  });

  it('knows its own options alone', () => {
    refused(['--strange', 'x'], /unknown option --strange/);
    refused(['--role', 'installer', '--strange', 'x'], /unknown option --strange/);
  });
});

describe('key-service.sh, given all of them', () => {
  const given = (change: Readonly<Record<string, string>>) =>
    Object.entries({
      '--service': 'aws',
      '--role': 'installer',
      '--project': '.',
      '--digests': SHA256,
      '--out': 'out',
      ...change,
    }).flat();

  it.each<[Readonly<Record<string, string>>, RegExp]>([
    [{ '--service': '' }, /use: key-service\.sh/],
    [{ '--service': 'gcp' }, /use: key-service\.sh/],
    [{ '--role': '' }, /--role is application or installer/],
    [{ '--role': 'installer x' }, /--role is application or installer/],
    [{ '--out': '' }, /--out is missing/],
    [{ '--out': 'there' }, /there is there already and was left unchanged/],
    [{ '--digests': '' }, /--digests is not from 1 to/],
    [{ '--digests': `${SHA256}0` }, /--digests is not from 1 to/],
    [{ '--digests': SHA256.slice(24) }, /--digests must be SHA-256: no key service signs SHA-1/],
    [{ '--digests': `${SHA256} ${SHA256.slice(24)}` }, /--digests must be SHA-256: no key service signs SHA-1/],
  ])('refuses %j', (change, words) => {
    expect(run('key-service', given(change))).toEqual([2, expect.stringMatching(words)]);
    expect(readdirSync(scratch)).toEqual(['there']);
  });
});

describe('key-service.sh, and what the configuration says of the role', () => {
  const KEY = 'arn:aws:kms:eu-central-1:111122223333:key/1';
  it.each<[string, readonly unknown[]]>([
    ['nothing', []],
    ['another script', ['sh', 'build/signers/azure-key-vault.sh', KEY]],
    ['another shell', ['bash', 'build/signers/aws-kms.sh', KEY]],
    ['no key', ['sh', 'build/signers/aws-kms.sh']],
    ['more than a key', ['sh', 'build/signers/aws-kms.sh', KEY, '-x']],
  ])('refuses %s', (name, command) => {
    const project = join(scratch, name);
    mkdirSync(project);
    const externalSigner = {
      installer: { command },
      application: { command: ['sh', 'build/signers/aws-kms.sh', KEY] },
    };
    writeFileSync(join(project, 'release.config.json'), JSON.stringify({ signing: { externalSigner } }));
    const argv = ['--service', 'aws', '--role', 'installer', '--project', project, '--digests', SHA256];
    const found = run('key-service', [...argv, '--out', join(project, 'out')]);
    const words = 'externalSigner.installer.command is not sh, build/signers/aws-kms.sh and a key';
    expect(found).toEqual([2, `key-service: release.config.json: ${words}\n`]);
    expect(readdirSync(project)).toEqual(['release.config.json']);
    rmSync(project, { recursive: true });
  });
});

it('sealed.sh begins nothing where its file is there already, be it a folder or a link', () => {
  mkdirSync(join(scratch, 'folder'));
  symlinkSync('there', join(scratch, 'link'));
  for (const name of ['there', 'folder', 'link'])
    expect(run('sealed', ['--role', 'installer', '--digests', SHA256, '--out', name])).toEqual([
      2,
      `sealed: ${name} is there already and was left unchanged: move it away, or name another file\n`,
    ]);
});

describe.each([
  ['aws-kms', 'KEY-ID-OR-ARN'],
  ['azure-key-vault', 'KEY-ID'],
])('%s.sh', (script, key) => {
  const question = (hash: string, digest: string) => `{"schema":1,"hash":"${hash}","digest":"${digest}"}\n`;

  it.each([[[]], [['a', 'b']]])('takes one key: %j', (argv) => {
    expect(run(script, argv, question('sha256', SHA256))).toEqual([2, `use: ${script}.sh ${key}\n`]);
  });

  it.each([
    '',
    '\n',
    question('sha1', SHA256.slice(24)),
    question('sha256', SHA256.slice(1)),
    question('sha256', `${SHA256}0`),
    question('sha256', `g${SHA256.slice(1)}`),
    `x${question('sha256', SHA256)}`,
    question('sha256', SHA256).replace('}', ',"more":1}'),
  ])('asks the service nothing about %j', (input) => {
    const words = `${script}.sh: expected one SHA-256 digest on standard input\n`;
    expect(run(script, ['key'], input)).toEqual([2, words]);
  });
});
