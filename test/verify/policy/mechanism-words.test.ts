import { describe, expect, it } from 'vitest';
import { allowedMechanisms, MechanismSearch } from '../../../src/verify/policy/mechanisms.ts';

const ALLOWED = allowedMechanisms(['Mine:go,privileged'], []);
/** What makes a file one about authorization, with which nothing else is wrong. */
const ABOUT = 'security authorizationdb read x\n';

function said(text: string, runByInstaller = false): string[] {
  const search = new MechanismSearch(ALLOWED, runByInstaller);
  search.update(Buffer.from(text, 'latin1'));
  return search.finish();
}
const named = (text: string) => [...new Set(said(ABOUT + text).map((one) => one.replace('names the mechanism ', '')))];

// Source: security authorizationdb read system.login.console on macOS 10.14 to 26.
const OF_MACOS =
  'builtin loginwindow PKINITMechanism HomeDirMechanism MCXMechanism CryptoTokenKit DiskUnlock FDESupport KerberosAgent RestartAuthorization PlatformSSO';

describe('a plug-in of macOS', () => {
  it.each(OF_MACOS.split(' '))('%s is one', (name) => {
    for (const text of [`"${name}:x"`, `${name}:x`, `"${name}:a-b_c,privileged"`, `<string>${name}:x</string>`])
      expect(named(text), text).toEqual([]);
  });

  it.each(['xbuiltin', 'builtinx', 'Builtin', 'loginwindow2', 'PlatformSS'])('%s is none', (name) => {
    expect(named(`"${name}:x,privileged"`)).toContain(`${name}:x,privileged`);
    expect(named(`${name}:x`)).toEqual([`${name}:x`]);
  });

  it.each(['builtin:a/b', 'builtin:', 'builtin:a b', 'x/builtin:a'])(
    'and its privileged mechanism is one word: not %s',
    (entry) => {
      expect(said(`"${entry},privileged"`)).toHaveLength(1);
    },
  );
});

describe('accounts and their groups', () => {
  const accounts = ['root', 'daemon', 'nobody', '_www', '_a1'];
  const groups = ['wheel', 'admin', 'staff', 'daemon', 'nobody', 'nogroup', 'everyone', '_www', '_a1'];
  it.each(accounts.flatMap((account) => groups.map((group) => `${account}:${group}`)))('%s is no entry', (text) => {
    expect(named(`chown ${text} x`)).toEqual([]);
  });

  it.each([
    ...accounts.filter((name) => !name.startsWith('_')).flatMap((name) => [`x${name}:wheel`, `${name}x:wheel`]),
    ...groups.filter((name) => !name.startsWith('_')).flatMap((name) => [`root:x${name}`, `root:${name}x`]),
    'x_www:wheel',
    'root:x_www',
    'wheel:root',
  ])('%s is one', (text) => {
    expect(named(`chown ${text} x`)).toEqual([text]);
  });
});

describe('a quoted word', () => {
  it.each(['"', "'", '`'])('begins and ends with the same: %s', (mark) => {
    expect(named(`${mark}1 x:y${mark}`)).toEqual(['1 x:y', 'x:y']);
    for (const other of ['"', "'", '`'].filter((one) => one !== mark)) expect(named(`${mark}1:y${other}`)).toEqual([]);
  });

  it.each(["'", '`', ':', ',', '/', '$', '\\', '\n', '\x00', '\x1f'])('has no %j in its first half', (mark) => {
    expect(named(`"1${mark}2:3"`)).toEqual([]);
  });

  it.each([' ', '!', '~', '<', '.', '-', '(', '\x7f', '\xe9'])('may have %j there', (mark) => {
    expect(named(`"1${mark}2:3"`)).toHaveLength(1);
  });

  it.each(['a', 'Z', '9', '_', '.', '-'])('may have %j in its second half', (mark) => {
    expect(named(`"1:${mark}"`)).toEqual([`1:${mark}`]);
  });

  it.each([' ', '/', '$', '(', '\xe9'])('has no %j there', (mark) => {
    expect(named(`"1:2${mark}"`)).toEqual([]);
  });

  it('has halves of 1 to 128 characters, and up to 32 behind its comma', () => {
    const count = (first: number, second: number, more = '') =>
      named(`"${'1'.repeat(first)}:${'2'.repeat(second)}${more}"`).length;
    expect([count(1, 1), count(128, 1), count(129, 1), count(0, 1)]).toEqual([1, 1, 0, 0]);
    expect([count(1, 128), count(1, 129), count(1, 0)]).toEqual([1, 0, 0]);
    expect([count(1, 1, ','), count(1, 1, `,${'x'.repeat(32)}`), count(1, 1, `,${'x'.repeat(33)}`)]).toEqual([1, 1, 0]);
    expect([count(1, 1, ",'"), count(1, 1, ',`'), count(1, 1, ',\n')]).toEqual([0, 0, 0]);
  });
});

describe('an element of a property list', () => {
  it.each([
    ['<string>1:2</string>', 1],
    ['<STRING>1:2</STRING>', 1],
    ['<string>\n 1:2\n </string>', 1],
    ['<string>1:2 , x</string>', 1],
    [`<string>1:2,${'x'.repeat(32)}</string>`, 1],
    [`<string>1:2,${'x'.repeat(33)}</string>`, 0],
    [`<string>${'1'.repeat(128)}:2</string>`, 1],
    [`<string>${'1'.repeat(129)}:2</string>`, 0],
    [`<string>1:${'2'.repeat(128)}</string>`, 1],
    [`<string>1:${'2'.repeat(129)}</string>`, 0],
    ['<string>1/1:2</string>', 0],
    ['<string>1,1:2</string>', 0],
    ['<string>1:2/2</string>', 0],
    ['<string>1:2:3</string>', 0],
    ['<string>1:2 3</string>', 0],
    ['<string>:2</string>', 0],
    ['<string>1:</string>', 0],
    ['<string>1:2<string>', 0],
    ['<key>1:2</key>', 0],
  ])('%j holds %i entries', (text, count) => {
    expect(named(text)).toHaveLength(count);
  });
});

describe('a bare word', () => {
  it.each(['.', '/', ':', '{', '$', '@', '%', '[', ']', '-', '9', '_'])('does not begin behind %j', (mark) => {
    expect(named(`${mark}a:b`)).not.toContain('a:b');
  });

  it.each([' ', '\n', '(', '=', ';', ',', '!', '+', '#', '|'])('may begin behind %j', (mark) => {
    expect(named(`${mark}ab:b`)).toEqual(['ab:b']);
  });

  it.each([':', '/', '.', '(', ']'])('does not end before %j', (mark) => {
    expect(named(`x ab:b${mark}`)).toEqual([]);
  });

  it.each([' ', '\n', ')', ';', ',', '!', '&', '|', '='])('may end before %j', (mark) => {
    expect(named(`x (ab:b${mark}`)).toEqual(['ab:b']);
  });

  it('begins each half with a letter; the first may have dots', () => {
    for (const text of ['a.b:c', 'a-b:c', 'a_b:c', 'A:C', 'z:z-_9', 'Z9:c']) expect(named(`x ${text}`)).toEqual([text]);
    for (const text of ['9a:c', '_a:c', '-a:c', 'a:9', 'a:_c', 'a:-c']) expect(named(`x ${text}`), text).toEqual([]);
    expect(named('x a:b.c')).toEqual([]);
  });

  it('has halves of at most 128 characters', () => {
    const word = (length: number) => 'a'.repeat(length);
    for (const [first, second, count] of [[128, 1, 1], [129, 1, 0], [1, 128, 1], [1, 129, 0]] as const)
      expect(named(`x ${word(first)}:${word(second)}`)).toHaveLength(count);
  }); // biome-ignore format: a table
});

describe('what a file mentions', () => {
  it.each([
    'authorizationDB',
    'securityagentplugins',
    '/AUTH.DB',
    'System.Login.',
    'authorizationrightset',
    'MECHANISMS',
  ])('%s, in whatever letters', (word) => {
    expect(said(`${word} ab:b`).join()).toContain('names the mechanism ab:b');
  });

  it.each(['authorization', 'SecurityAgent', 'auth.db', '/authxdb', 'systemxlogin.', 'system.loginx', 'AuthorizationRight', 'AuthorizationRightGet', 'mechanism'])(
    'not %s',
    (word) => expect(said(`${word} ab:b`)).toEqual([]),
  ); // biome-ignore format: a list
});

describe('what nobody can follow', () => {
  it.each([';', '&', '|', '(', '{', '`', '\n', 'then', 'do', 'else'])('is eval behind %j', (mark) => {
    for (const gap of ['', ' ', '\t']) {
      const text = `x ${mark}${/\w/.test(mark) ? gap || ' ' : gap}eval y`;
      expect(said(text, true), text).toHaveLength(1);
    }
  });

  it.each(['x eval y', 'eval', 'evals x', 'xthen eval y', 'xdo eval y', ') eval y', 'an evaluation'])(
    'is not %j',
    (text) => {
      expect(said(text, true)).toEqual([]);
    },
  );

  it.each(['sh', 'bash', 'zsh', 'ksh', 'dash', 'csh', 'tcsh'])('is what is handed to %s', (shell) => {
    for (const text of [
      `a | ${shell}`,
      `a|/bin/${shell} -s`,
      `a |\texec ${shell};`,
      `a | sudo /bin/${shell}\n`,
      `a | ${shell}&`,
      `a | ${shell}|b`,
      `(a | ${shell})`,
    ])
      expect(said(text, true), text).toHaveLength(1);
    for (const text of [
      `a | ${shell}x`,
      `a | x${shell}`,
      `a | /x/${shell}`,
      `a || x ${shell}`,
      `a ${shell}`,
      `a | ${shell}.a`,
      `a | sudo exec ${shell}`,
    ])
      expect(said(text, true), text).toEqual([]);
  });

  it('is the database of rights, at the end of its name', () => {
    for (const text of ['/auth.db', '/auth"\'.db', '/auth.db-wal']) expect(said(text, true), text).toHaveLength(1);
    for (const text of ['auth.db', '/auth.dbx', '/authxdb', '/auth..db', '/xauth.db'])
      expect(said(text, true), text).toEqual([]);
  });
});

describe('a pattern of a case', () => {
  it.each(['ab:b)', '\tab:b|', ' ab:b \t)', 'a.b:b|c*-d:e)'])('is %j at the start of a line', (text) => {
    expect(named(`\n${text}`)).toEqual([]);
  });

  it.each(['=ab:b)', '(ab:b|', 'ab:b', 'ab:b ;)'])('is not %j', (text) => {
    expect(named(`\n${text}`)).toEqual(['ab:b']);
  });
});
