import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CommonOptions, contextOf } from '../../build/command.ts';
import { isLively, projectFolder } from '../../build/surroundings.ts';
import { encodeBom } from '../../src/bom/encode.ts';
import { builtPackage } from '../support/built-package.ts';
import { cli } from '../support/cli.ts';
import { inProcess } from '../support/in-process.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'cli-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const CLI = join(process.cwd(), '.build/cli.mjs');
const COMMANDS = ['release', 'build', 'inspect', 'expand', 'notarize', 'staple', 'verify', 'doctor'];

describe('the program', () => {
  it('is ASCII: one other character, and V8 keeps all of it at two bytes each', () => {
    const found = /[^\x00-\x7f]/.exec(readFileSync(CLI, 'latin1'));
    expect(found && readFileSync(CLI, 'latin1').slice(found.index - 60, found.index + 20)).toBeNull();
  });
});

describe('help', () => {
  it('lists the commands and the exit codes', async () => {
    const run = await inProcess(['--help']);
    expect(run.status).toBe(0);
    for (const command of COMMANDS) expect(run.stdout).toContain(`\n  ${command}`);
    for (const code of [
      '0  done',
      '1  a bug',
      '2  usage',
      '3  a tool',
      '4  refused',
      '5  network',
      '6  verification',
      '130  interrupted',
    ]) {
      expect(run.stdout).toContain(code);
    }
  });

  it.each(COMMANDS)('of %s shows an example', async (command) => {
    const run = await inProcess([command, '--help']);
    expect(run.status).toBe(0);
    expect(run.stdout).toMatch(/\nExample:\n {2}npm (start|run -s cli) -- /);
    expect(run.stdout).toContain('--json');
    expect(run.stdout).toContain('--verbose');
  });
});

describe('what a command is given', () => {
  const given = (options: CommonOptions) => {
    let said = '';
    const stream = { write: (text: string) => void (said += text) };
    const { signal } = new AbortController();
    const around = { root: '/r', program: '/r/cli.mjs', signal, argv: ['verify'], env: { A: '1' } };
    const { progress, ...context } = contextOf(options, { ...around, stream, color: false });
    expect(context).toMatchObject(around);
    for (const kind of ['fact', 'detail'] as const) progress.note(kind, kind);
    return [context.json, context.verbose, said];
  };

  it.each<[CommonOptions, boolean, boolean, string]>([
    [{}, false, false, '  fact\n'],
    [{ json: true }, true, false, '  fact\n'],
    [{ verbose: true }, false, true, '  fact\n  detail\n'],
    [{ json: false, verbose: false }, false, false, '  fact\n'],
  ])('%j: details with --verbose alone', (options, json, verbose, said) => {
    expect(given(options)).toEqual([json, verbose, said]);
  });
});

describe('where it is started', () => {
  it('is in the project of its own file, or else of the working folder', () => {
    const [home, away, deep] = ['home', 'away', 'home/a/b'].map((name) => join(scratch, name)) as [
      string,
      string,
      string,
    ];
    for (const folder of [deep, away]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(home, 'release.config.json'), '');
    expect([projectFolder([home, away]), projectFolder([deep, away]), projectFolder([away, deep])]).toEqual([
      ...[home, home, home],
    ]);
    expect([projectFolder(['/', away]), projectFolder([away, '/'])]).toEqual([away, '/']);
    writeFileSync(join(away, 'release.config.json'), '');
    expect([projectFolder([deep, away]), projectFolder([away, deep])]).toEqual([home, away]);
  });

  it.each<[NodeJS.ProcessEnv, boolean]>([
    [{}, true],
    [{ TERM: 'xterm', NO_COLOR: '', CI: '' }, true],
    [{ NO_COLOR: '1' }, false],
    [{ CI: 'true' }, false],
    [{ TERM: 'dumb' }, false],
  ])('a terminal with %j is lively: %s', (env, lively) => expect(isLively(env)).toBe(lively));
});

describe('wrong usage', () => {
  it.each([
    [['explode'], /unknown command 'explode'/],
    [['verfy', 'x'], /unknown command 'verfy'\n\(Did you mean verify\?\)/],
    [['inspect'], /error: inspect: missing required argument 'file'/],
    [['verify', 'x', '--polcy', 'y'], /error: verify: unknown option '--polcy'\n\(Did you mean --policy\?\)/],
    [['doctor', 'explain'], /error: doctor explain: missing required argument 'message'/],
    [['github', 'pack'], /error: github pack: /],
    [['release', '--until', 'lunch'], /'lunch' is invalid\. Allowed choices are compile, generate-scripts/],
    [['release', '--toolchain', 'gcc'], /Allowed choices are portable, apple, auto/],
    [['release', '--fast'], /unknown option '--fast'/],
    [['release', '--out', ''], /argument '' is invalid\. It is empty/],
    [[], /no command was given/],
  ])('%j exits 2 and says what is wrong', async (argv, message) => {
    const run = await inProcess(argv);
    expect(run.status).toBe(2);
    expect(run.stdout).toBe('');
    expect(run.stderr).toMatch(message);
    // The last line can be typed as it stands: the help of the command that was meant.
    const next = /next: To see .*: npm run -s cli -- (.*--help)\n$/.exec(run.stderr)?.[1] as string;
    expect((await inProcess(next.split(' '))).status, next).toBe(0);
  });

  it('is not --version alone, which prints the version', () => {
    // The project is that of the program, wherever it is started.
    const run = cli(['--version'], { cwd: scratch });
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toBe(`${JSON.parse(readFileSync('package.json', 'utf8')).version}\n`);
  });

  it('says so on standard error alone, and a result that is none ends with its own code', () => {
    const absent = cli(['inspect', join(scratch, 'absent.pkg')]);
    expect(absent).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('absent.pkg') });
    const unknown = cli(['doctor', 'explain', 'zzz qqq']);
    expect(unknown).toMatchObject({ status: 6, stdout: expect.stringContaining('Not known:\nzzz qqq'), stderr: '' });
  });

  it('is one JSON document with --json', () => {
    const run = cli(['inspect', '--json', join(scratch, 'absent.pkg')]);
    expect(run.status).toBe(2);
    expect(JSON.parse(run.stdout)).toMatchObject({ schema: 1, error: { code: 'ENOENT', exitCode: 2 } });
  });
});

describe('doctor explain', () => {
  it.each([[['doctor', 'explain', '--json', 'what is this']], [['doctor', '--json', 'explain', 'what is this']]])(
    '%j is one JSON document, although doctor has the option too',
    async (argv) => {
      expect(JSON.parse((await inProcess(argv)).stdout)).toMatchObject({ schema: 1, message: 'what is this' });
    },
  );
});

describe('standard output', () => {
  it('may be closed by its reader, who has seen enough', () => {
    const script = '"$0" "$1" inspect "$2" | true';
    const run = spawnSync('bash', ['-c', `set -o pipefail; ${script}`, process.execPath, CLI, builtPackage()], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
  });

  it.skipIf(!existsSync('/dev/full'))('on a full disk is an error, no bug; skipped: needs /dev/full', () => {
    const script = 'exec "$0" "$1" inspect "$2" >/dev/full';
    const run = spawnSync('sh', ['-c', script, process.execPath, CLI, builtPackage()], { encoding: 'utf8' });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(
      /^error: the disk is full\nnext: Free some space and run again; .*\nTo go on: npm run -s cli -- inspect /,
    );
  });
});

describe('a file argument', () => {
  it.each(['inspect', 'verify', 'staple'])('of %s that is a named pipe is refused at once', async (command) => {
    const pipe = join(scratch, `pipe-${command}`);
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const run = await inProcess([command, pipe]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('is a pipe, not a file\nnext: Save what comes through it in a file');
  });

  it('that is a folder is refused by name', async () => {
    const run = await inProcess(['inspect', scratch]);
    expect(run.status).toBe(2);
    expect(run.stderr).toContain(`${scratch} is a folder, not a file`);
  });

  it('followed by more bytes than memory holds is read all the same', async () => {
    const large = join(scratch, 'large.pkg');
    copyFileSync(builtPackage(), large);
    truncateSync(large, 8 * 2 ** 30);
    const run = await inProcess(['inspect', large]);
    expect(run.stderr).toBe('');
    expect(run.stdout).toMatch(/behind it {3}unknown, \d+ bytes/);
    rmSync(large);
  });

  it('that is a Mach-O file larger than memory is refused', async () => {
    const large = join(scratch, 'large');
    writeFileSync(large, Buffer.from('cffaedfe', 'hex'));
    truncateSync(large, 8 * 2 ** 30);
    const run = await inProcess(['inspect', large]);
    expect(run.status).toBe(6);
    expect(run.stderr).toContain('macho, offset 0: expected at most');
    rmSync(large);
  });
});

describe('inspect', () => {
  it('shows what the package says of itself', async () => {
    const document = JSON.parse((await inProcess(['inspect', '--json', builtPackage()])).stdout);
    expect(document).toMatchObject({
      schema: 1,
      kind: 'package',
      package: {
        signatures: expect.arrayContaining([
          expect.objectContaining({ style: 'CMS', timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) }),
        ]),
        distribution: {
          title: 'Escrow Buddy',
          hostArchitectures: ['arm64', 'x86_64'],
          minimumSystemVersions: ['10.14.4'],
          rootVolumeOnly: true,
        },
        components: [
          {
            identifier: 'com.netflix.Escrow-Buddy',
            version: '1.1.0',
            installLocation: '/Library/Security/SecurityAgentPlugins',
            payload: { entries: 13, differences: [] },
          },
        ],
      },
    });
  });

  it('lets no name in a package speak to the terminal', async () => {
    const records = ['.', './\x1b[2J'].map((path) => ({
      ...{ path, kind: 'directory' as const, mode: 0o755, uid: 0, gid: 0, mtimeSeconds: 0, size: 0 },
    }));
    writeFileSync(join(scratch, 'Bom'), encodeBom(records));
    const run = await inProcess(['inspect', join(scratch, 'Bom')]);
    expect(run.status).toBe(0);
    expect(run.stdout).toContain('./\\u001b[2J');
    expect(run.stdout).not.toContain('\x1b');
  });

  it('exits 6 for a damaged package, with format, offset, expected and found', () => {
    const damaged = readFileSync(builtPackage());
    damaged[40] = (damaged[40] as number) ^ 0xff;
    writeFileSync(join(scratch, 'damaged.pkg'), damaged);
    const run = cli(['inspect', join(scratch, 'damaged.pkg')]);
    expect(run.status).toBe(6);
    expect(run.stderr).toMatch(/^error: xar TOC.*, offset \d+: expected .*found/m);
    expect(run.stderr).toContain('next: ');
  });

  it('exits 6 for a file of another kind', async () => {
    writeFileSync(join(scratch, 'text'), 'hello');
    const run = await inProcess(['inspect', join(scratch, 'text')]);
    expect(run.status).toBe(6);
    expect(run.stderr).toContain('expected a flat package, Bom or Mach-O file, but this is text');
  });

  it('shows both slices of the executable in an expanded package', async () => {
    const folder = join(scratch, 'for code');
    expect((await inProcess(['expand', builtPackage(), folder])).status).toBe(0);
    const executable = join(
      folder,
      'com.netflix.Escrow-Buddy.pkg/Payload/Escrow Buddy.bundle/Contents/MacOS/Escrow Buddy',
    );
    const { slices } = JSON.parse((await inProcess(['inspect', '--json', executable])).stdout);
    expect(
      slices.map((slice: { architecture: string; minimumMacOS: string }) => [slice.architecture, slice.minimumMacOS]),
    ).toEqual([
      ['x86_64', '10.14'],
      ['arm64', '11.0'],
    ]);
    expect(slices[0].exports).toEqual(['_AuthorizationPluginCreate']);
  });
});

describe('doctor', () => {
  it('passes on a machine that can build', async () => {
    const run = await inProcess(['doctor', '--json']);
    expect(run.status).toBe(0);
    const { checks, ok } = JSON.parse(run.stdout);
    expect(ok).toBe(true);
    expect(checks.map((check: { id: string }) => check.id)).toContain('toolchain');
  });

  it('names what is missing, with the command that installs it', async () => {
    const run = await inProcess(['doctor'], { env: { PATH: scratch } });
    expect(run.status).toBe(2);
    expect(run.stdout).toMatch(/FAIL +toolchain .*clang is not on PATH/);
    expect(run.stdout).toContain('sudo apt-get install -y clang lld');
  });
});
