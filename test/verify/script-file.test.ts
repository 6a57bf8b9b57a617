import { describe, expect, it } from 'vitest';
import { scriptProblem } from '../../src/verify/script-file.ts';

const nothing = { brings: () => false };
const problem = (content: string | Buffer, mode = 0o755, brings: (path: string) => boolean = nothing.brings) => {
  const found = scriptProblem({ mode, content: Buffer.from(content as string) }, { brings });
  return typeof found === 'object' ? found.text : found;
};

describe('scriptProblem', () => {
  it.each([
    '#!/bin/sh\nexit 0\n',
    '#! /bin/bash -e\nexit 0\n',
    '#!/bin/zsh --no-rcs\n',
    '#!/usr/bin/env bash\n',
    '#!/usr/bin/env -S perl -w\n',
    '#!/usr/bin/perl\nprint "x";\r\n',
    '#!/usr/bin/osascript -l JavaScript\n',
    '#!/bin/sh\nprintf "a\r\n"\ncat <<E\nx\r\nE\nexit 0\n',
  ])('lets run %j', (script) => expect(problem(script)).toBeUndefined());

  it.each<[string, string | Buffer, RegExp, number?]>([
    ['no first line', 'exit 0\n', /no #! line/],
    ['a blank before it', ' #!/bin/sh\n', /no #! line/],
    ['an empty line before it', '\n#!/bin/sh\n', /no #! line/],
    ['nothing', '', /is empty/],
    ['CR LF', '#!/bin/sh\r\nexit 0\r\n', /CR LF, so that the interpreter/],
    ['CR LF behind the first line', '#!/bin/sh\nexit 0\r\nx\r\n', /lines that end with CR LF/],
    ['CR alone', '#!/bin/sh\rexit 0\r', /does not end within 512/],
    ['a byte order mark', '\ufeff#!/bin/sh\n', /byte order mark/],
    ['UTF-16', Buffer.from('\ufeff#!/bin/sh\n', 'utf16le'), /UTF-16/],
    ['no line end', '#!/bin/sh', /does not end within 512/],
    ['a line that is too long', `#!/bin/sh ${'x'.repeat(600)}\n`, /does not end within 512/],
    ['no interpreter', '#!\n', /names no interpreter/],
    ['an interpreter behind a #', '#!#/bin/sh\n', /names no interpreter/],
    ['a relative interpreter', '#!bin/sh\n', /not an absolute path/],
    ['python', '#!/usr/bin/python\n', /no python since 12\.3/],
    ['python by env', '#!/usr/bin/env python\n', /no python since 12\.3/],
    ['python 2.7', '#!/usr/bin/python2.7\n', /no python since 12\.3/],
    ['python 3', '#!/usr/bin/env python3\n', /comes with the developer tools/],
    ['php', '#!/usr/bin/php\n', /no php since 12\.0/],
    ['an interpreter of Linux', '#!/usr/bin/bash\n', /lie in \/bin/],
    ['an interpreter of somebody else', '#!/opt/homebrew/bin/fish\n', /brings none/],
    ['env without a name', '#!/usr/bin/env\n', /names no interpreter behind/],
    ['a path that leads upwards', '#!/bin/../bin/sh\n', /leads upwards/],
    ['no right to run', '#!/bin/sh\n', /not executable/, 0o644],
    ['no right to read', '#!/bin/sh\n', /read by nobody/, 0o111],
  ])('refuses %s', (_, script, words, mode = 0o755) => expect(problem(script, mode)).toMatch(words));

  it('lets run what the payload brings in time, and compiled programs', () => {
    const own = '#!/usr/local/example/python3\n';
    expect(problem(own)).toMatch(/brings none/);
    expect(problem(own, 0o755, (path: string) => path === '/usr/local/example/python3')).toBeUndefined();
    expect(problem(Buffer.from('cffaedfe0c000001', 'hex'))).toBeUndefined();
  });

  it.each([
    [0o401, undefined],
    [0o410, undefined],
    [0o500, undefined],
    [0o044, 'is not executable'],
    [0o666, 'is not executable'],
    [0o141, undefined],
    [0o115, undefined],
    [0o311, 'may be read by nobody'],
  ])('asks for any right to run and any to read: %i', (mode, words) => {
    expect(problem('#!/bin/sh\n', mode)).toBe(words);
  });

  it.each(['cffaedfe', 'cefaedfe', 'feedfacf', 'feedface', 'cafebabe', 'cafebabf'])(
    'takes %s for a program',
    (magic) => {
      expect(problem(Buffer.from(`${magic}00`, 'hex'))).toBeUndefined();
      expect(problem(Buffer.from(`00${magic}`, 'hex'))).toBe('has no #! line');
    },
  );

  it.each([
    ['efbbbf2321', 'begins with a byte order mark, so that its #! is not seen'],
    ['00efbbbf', 'has no #! line'],
    ['fffe2300', 'is UTF-16 text, which nothing runs'],
    ['feff0023', 'is UTF-16 text, which nothing runs'],
    ['0fffe000', 'has no #! line'],
    ['0feff000', 'has no #! line'],
    ['2321002f0a', 'has a NUL in its first line'],
  ])('looks at the first bytes: %s', (hex, words) => {
    expect(problem(Buffer.from(hex, 'hex'))).toBe(words);
  });

  // The kernel looks at 512 bytes (IMG_SHSIZE), in which the line has to end.
  it.each([
    [511, undefined],
    [512, 'has a first line that does not end within 512 bytes'],
  ])('reads a first line of %i bytes', (length, words) => {
    expect(problem(`${'#!/bin/sh '.padEnd(length, 'x')}\nexit 0\n`)).toBe(words);
  });

  it.each([
    ['/bin/sh -e # x', undefined],
    ['/bin/sh#x', undefined],
    ['\t/bin/sh\t-e', undefined],
    ['/usr/bin/env -i A=b sh', undefined],
    ['/usr/bin/env /bin/sh', undefined],
    ['/usr/bin/env /bin/fish', 'names the interpreter /bin/fish: macOS has none there, and the package brings none'],
    ['/usr/bin/env a/b', 'asks /usr/bin/env for a/b: macOS has none there, and the package brings none'],
    ['/usr/bin/env my-tool', 'asks /usr/bin/env for my-tool: macOS has none there, and the package brings none'],
    ['/usr/bin/env A=b', 'names no interpreter behind /usr/bin/env'],
    ['/usr/bin/env ..', 'asks /usr/bin/env for ..: macOS has none there, and the package brings none'],
    ['/usr/bin/env /bin/../sh', 'names the interpreter /bin/../sh, whose path leads upwards'],
    ['/usr/bin/node', 'names the interpreter /usr/bin/node: no Mac has it until somebody installs it'],
  ])('knows interpreters: %j', (line, words) => {
    expect(problem(`#!${line}\n`)).toBe(words);
  });

  it.each(['/bin', '/usr/bin', '/usr/sbin', '/sbin', '/usr/libexec'])(
    'finds for env what the package brings in %s',
    (folder) => {
      expect(problem('#!/usr/bin/env own\n', 0o755, (path) => path === `${folder}/own`)).toBeUndefined();
    },
  );

  it('tells since when an interpreter is gone', () => {
    const gone = (line: string) => scriptProblem({ mode: 0o755, content: Buffer.from(`#!${line}\n`) }, nothing);
    expect(gone('/usr/bin/python')).toMatchObject({ since: new Date('2022-03-14') });
    expect(gone('/usr/bin/env php')).toMatchObject({ since: new Date('2021-10-25') });
    expect(gone('/usr/bin/python3')).toEqual(expect.any(String));
  });

  // Half of the lines are an editor of another system; fewer may be a text that the script writes.
  it.each([
    ['#!/bin/sh\nx\r\ny\r\nz\n', true],
    ['#!/bin/sh\nx\r\ny\n', false],
    ['#!/bin/sh\nx\r\ny\nz\n', false],
    ['#!/bin/sh\nx\r\ny\r\nz\r\n', true],
    ['#!/bin/sh\n', false],
    ['#!/usr/bin/env zsh\nx\r\n', true],
    ['#!/usr/bin/env perl\nx\r\n', false],
    ['#!/usr/bin/perl\nx\r\n', false],
  ])('counts lines that end as on another system: %j', (script, isForeign) => {
    expect(problem(script)).toBe(
      isForeign ? 'has lines that end with CR LF, which a shell takes for part of them' : undefined,
    );
  });
});

// Written down from the listing of /bin and /usr/bin of macOS 10.14 and 26.
const OF_MACOS = {
  '/bin': ['bash', 'csh', 'ksh', 'sh', 'tcsh', 'zsh'],
  '/usr/bin': ['awk', 'env', 'expect', 'osascript', 'perl', 'ruby', 'sed', 'tclsh', 'wish'],
};
const PLACES = Object.entries(OF_MACOS).flatMap(([folder, names]) => names.map((name) => `${folder}/${name}`));

describe('an interpreter', () => {
  it.each(PLACES.filter((place) => !place.endsWith('/env')))('%s is on every Mac', (place) => {
    for (const line of [place, `/usr/bin/env ${place.slice(place.lastIndexOf('/') + 1)}`])
      expect(problem(`#!${line}\n`)).toBeUndefined();
    for (const line of [`${place}x`, `/x${place}`, place.toUpperCase()])
      expect(problem(`#!${line}\n`), line).toBeDefined();
  });

  it.each(['/bin/dash', '/bin/awk', '/usr/bin/php', '/usr/local/bin/bash', '/sbin/sh'])('%s is not', (place) => {
    expect(problem(`#!${place}\n`)).toMatch(/names the interpreter/);
  });

  const ELSE = /macOS has none there, and the package brings none$/;
  const PYTHON = /macOS has no python since 12\.3$/;
  const PYTHON3 = /python3 comes with the developer tools, which most Macs do not have$/;
  const PHP = /macOS has no php since 12\.0$/;
  const INSTALLED = /no Mac has it until somebody installs it$/;
  it.each<[string, RegExp]>([
    ...['python', 'python2', 'python2.7', 'python2.3'].map((name): [string, RegExp] => [name, PYTHON]),
    ...['python3', 'python3.9', 'python3.12'].map((name): [string, RegExp] => [name, PYTHON3]),
    ['php', PHP],
    ...['swift', 'node', 'pwsh', 'lua'].map((name): [string, RegExp] => [name, INSTALLED]),
    ...[
      'python4',
      'python2.',
      'python2.10',
      'python27',
      'python3.',
      'python39',
      'python3x',
      'xpython',
      'xpython3',
      'phpx',
      'xphp',
      'swiftx',
      'xnode',
    ].map((name): [string, RegExp] => [name, ELSE]),
  ])('%s is missing for a reason', (name, words) => {
    for (const line of [`/usr/bin/${name}`, `/usr/bin/env ${name}`]) expect(problem(`#!${line}\n`)).toMatch(words);
    for (const line of [`/usr/local/bin/${name}`, `/bin/${name}`, `/x/usr/bin/${name}`, `/usr/bin/x/${name}`])
      expect(problem(`#!${line}\n`)).toMatch(ELSE);
  });

  it.each(['sh', 'bash', 'zsh', 'ksh', 'csh', 'tcsh'])('%s lies in /bin', (name) => {
    expect(problem(`#!/usr/bin/${name}\n`)).toMatch(/the shells of macOS lie in \/bin$/);
    for (const line of [`/usr/bin/${name}x`, `/x/usr/bin/${name}`, `/usr/bin/x${name}`, `/usr/local/bin/${name}`])
      expect(problem(`#!${line}\n`), line).toMatch(ELSE);
  });

  const FOREIGN = 'has lines that end with CR LF, which a shell takes for part of them';
  const brings = () => true;
  it.each(['sh', 'bash', 'zsh', 'ksh', 'csh', 'tcsh', 'dash'])('%s is a shell', (name) => {
    for (const line of [`/bin/${name}`, `/usr/bin/env ${name}`, `/usr/bin/env /bin/${name}`])
      expect(problem(`#!${line}\nx\r\n`, 0o755, brings)).toBe(FOREIGN);
    for (const line of [
      `/bin/${name}x`,
      `/bin/x${name}`,
      `/usr/bin/env ${name}x`,
      `/usr/bin/env x${name}`,
      `/x/bin/${name}`,
      `/usr/bin/env a/${name}`,
    ])
      expect(problem(`#!${line}\nx\r\n`, 0o755, brings), line).toBeUndefined();
  });
});
