import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ofTheDay } from '../../support/by-day.ts';
import { type CliRun, placeCommandLine } from '../../support/cli.ts';
import { inProcess } from '../../support/in-process.ts';
import { needs } from '../../support/needs.ts';
import { quickCompiler } from '../../support/quick-compiler.ts';

let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'release-'));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Returns a Node.js of that major version on this machine whose zlib is the same as ours; others compress in another way. */
function nodeOfMajor(major: string): string | undefined {
  const candidates = [
    `node${major}`,
    `node-${major}`,
    ...(process.env[`NODE_${major}`] ? [process.env[`NODE_${major}`] as string] : []),
  ];
  return candidates.find((program) => {
    const run = spawnSync(program, ['-p', 'process.versions.node.split(".")[0] + " " + process.versions.zlib'], {
      encoding: 'utf8',
    });
    return run.stdout?.trim() === `${major} ${process.versions.zlib}`;
  });
}

describe(`the unsigned package${ofTheDay}`, () => {
  /** Names of the copied folders come in another order, and so may what `readdir` says of them. */
  function copyProject(copy: string): string {
    const parts = ['build', 'src', 'payload', 'scripts', 'package.json', 'package-lock.json', 'release.config.json'];
    for (const part of parts.reverse()) cpSync(part, join(copy, part), { recursive: true });
    placeCommandLine(copy);
    return copy;
  }
  const epoch = '1700000000';
  const filesOf = (stdout: string) => JSON.parse(stdout).files as { readonly path: string; readonly sha256: string }[];
  let first: Promise<CliRun> | undefined;
  const usual = () => {
    first ??= inProcess(['build', '--json', '--out', join(scratch, 'first')], { env: { SOURCE_DATE_EPOCH: epoch } });
    return first;
  };

  /** Runs `build` in a copy of the project; what stands in front of `node` changes the surroundings. */
  function elsewhere(copy: string, shell: string, env: NodeJS.ProcessEnv, program = process.execPath) {
    return spawnSync('sh', ['-c', shell, program, join(copy, 'results')], {
      cwd: copy,
      env: { ...process.env, SOURCE_DATE_EPOCH: epoch, ...env },
      encoding: 'utf8',
    });
  }
  const build = 'exec "$0" .build/cli.mjs build --json --out "$1"';

  const taskset = needs('taskset');
  it.skipIf(taskset.missing)(
    `is the same in another folder, at another time, under another umask, in another locale and on one core${taskset.note}`,
    async () => {
      const copy = copyProject(join(scratch, 'a folder with spaces'));
      const first = await usual();
      const second = elsewhere(copy, `umask 077; exec taskset -c 0 "$0" .build/cli.mjs build --json --out "$1"`, {
        // In another folder prove.test.ts compiles anew.
        PATH: quickCompiler(),
        LC_ALL: 'C',
        TZ: 'Asia/Kathmandu',
        LANG: 'tr_TR.UTF-8',
        UV_THREADPOOL_SIZE: '1',
      });
      expect(second.stderr).not.toContain('error:');
      expect(filesOf(first.stdout)).toHaveLength(4);
      expect(filesOf(second.stdout)).toEqual(filesOf(first.stdout));
    },
  );

  // By day prove.test.ts alone makes a release again as another user.
  const others = needs('setpriv');
  const asOther = others.missing || process.getuid?.() !== 0;
  const otherNote = others.missing ? others.note : asOther ? ' (skipped: needs root, to become another user)' : '';
  if (ofTheDay === '')
    it.skipIf(asOther)(`is the same for another user with another home${otherNote}`, async () => {
      const copy = copyProject(join(scratch, 'of-another-user'));
      for (const folder of [scratch, copy]) chmodSync(folder, 0o777);
      const first = await usual();
      const second = elsewhere(
        copy,
        `umask 027; exec setpriv --reuid=65534 --regid=65534 --clear-groups "$0" .build/cli.mjs build --json --out "$1"`,
        { HOME: '/nonexistent', USER: 'nobody', LOGNAME: 'nobody', TZ: 'Pacific/Chatham' },
      );
      expect(second.stderr).not.toContain('error:');
      expect(filesOf(second.stdout)).toEqual(filesOf(first.stdout));
    });

  for (const major of ['22', '24']) {
    const program = nodeOfMajor(major);
    const note = program ? '' : ` (skipped: needs Node ${major} with this zlib)`;
    it.skipIf(!program)(`is the same with Node ${major}${note}`, async () => {
      const copy = copyProject(join(scratch, `node-${major}`));
      const second = elsewhere(copy, build, {}, program);
      expect(second.stderr).not.toContain('error:');
      expect(filesOf(second.stdout)).toEqual(filesOf((await usual()).stdout));
    });
  }
});
