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
});
