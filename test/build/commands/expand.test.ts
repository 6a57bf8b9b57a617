import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { builtPackage } from '../../support/built-package.ts';
import { cli } from '../../support/cli.ts';

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'expand-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe('expand', () => {
  it('fills an empty folder that the person stands in, and leaves it where it is', () => {
    const folder = join(scratch, 'here');
    mkdirSync(folder);
    const { ino } = statSync(folder);
    expect(cli(['expand', builtPackage(), '.'], { cwd: folder }).status).toBe(0);
    expect(statSync(folder).ino).toBe(ino);
    expect(readdirSync(folder).sort()).toEqual(['Distribution', 'com.netflix.Escrow-Buddy.pkg']);
  });

  it('goes through a link to an empty folder', () => {
    mkdirSync(join(scratch, 'real'));
    symlinkSync('real', join(scratch, 'link'));
    expect(cli(['expand', builtPackage(), join(scratch, 'link')]).status).toBe(0);
    expect(readdirSync(join(scratch, 'real'))).toContain('Distribution');
    expect(readdirSync(scratch).sort()).toEqual(['link', 'real']);
  });

  it.each([
    ['a file', 'file', /file exists and is no empty folder/],
    ['a link that leads nowhere', 'dangling', /dangling exists and is no empty folder/],
    ['a folder that is not empty', '.', /exists and is no empty folder/],
    ['below a file', 'file/below', /file\/below: .*file is no folder/],
    ['in a folder that is missing', 'missing/new', /missing is no folder\nnext: Make it first: mkdir -p/],
  ])('refuses %s and leaves nothing', (_, name, message) => {
    writeFileSync(join(scratch, 'file'), '');
    symlinkSync('nowhere', join(scratch, 'dangling'));
    const run = cli(['expand', builtPackage(), name], { cwd: scratch });
    expect(run.status).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(readdirSync(scratch).sort()).toEqual(['dangling', 'file']);
  });

  it('refuses a folder without a name', () => {
    expect(cli(['expand', builtPackage(), ''], { cwd: scratch }).status).toBe(2);
    expect(readdirSync(scratch)).toEqual([]);
  });

  it('leaves neither folder nor unfinished folder when the package is damaged', () => {
    writeFileSync(join(scratch, 'damaged.pkg'), 'xar!');
    expect(cli(['expand', 'damaged.pkg', 'new'], { cwd: scratch }).status).toBe(6);
    expect(existsSync(join(scratch, 'new'))).toBe(false);
    expect(readdirSync(scratch)).toEqual(['damaged.pkg']);
  });
});
