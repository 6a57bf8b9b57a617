import { describe, expect, it } from 'vitest';
import { allowedMechanisms, MechanismSearch } from '../../../src/verify/policy/mechanisms.ts';

const ALLOWED = allowedMechanisms(['Escrow Buddy:Invoke,privileged', 'Other:plain'], ['Escrow Buddy', 'Second']);
/** What makes a file one about authorization, with which nothing else is wrong. */
const WRITE = 'security authorizationdb write x';
const ABOUT = 'security authorizationdb read x\n';

function said(pieces: string | readonly string[], { runByInstaller = false, allowed = ALLOWED } = {}): string[] {
  const search = new MechanismSearch(allowed, runByInstaller);
  for (const piece of [pieces].flat()) search.update(Buffer.from(piece, 'utf8'));
  return search.finish();
}
const named = (...args: Parameters<typeof said>) => [
  ...new Set(said(...args).map((words) => words.replace(/^names the mechanism /, ''))),
];

describe('privileged entries', () => {
  it.each([
    '"Escrow Buddy:Invoke,privileged"',
    "'Escrow Buddy:Invoke,privileged'",
    '<string>Escrow Buddy:Invoke,privileged</string>',
    "'Escrow\\ Buddy:Invoke,privileged'",
    '`Escrow Buddy:Invoke,privileged`',
    'write x builtin:prelogin,privileged',
    '"loginwindow:login,privileged"',
    '$ENTRY,privileged',
    `"\${ENTRY},privileged"`,
    'a,privileged is no entry'.slice(1),
    ' ,privileged',
    '(,privileged',
  ])('may be %s', (text) => {
    expect(said(text)).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['Evil:login,privileged', ['Evil:login,privileged']],
    ['x Evil:login,privileged', ['x Evil:login,privileged']],
    ["'Evil:login,PRIVILEGED'", ['Evil:login,privileged']],
    ['a"Evil Plug:login,privileged', ['Evil Plug:login,privileged']],
    ['"x builtin:login,privileged"', ['x builtin:login,privileged']],
    ['"Not Escrow Buddy:Invoke,privileged"', ['Not Escrow Buddy:Invoke,privileged']],
    ['"Escrow Buddy:Invoke"; "Other:plain,privileged"', ['Other:plain,privileged', 'Escrow Buddy:Invoke']],
    ['escrow buddy:Invoke,privileged', ['escrow buddy:Invoke,privileged']],
    ['"$A:$B,privileged"', ['$A:$B,privileged']],
    ['"a $A,privileged"', ['a $A,privileged']],
    ['"",privileged', ['a name put together from parts,privileged']],
    ['builtin:a:b,privileged', ['builtin:a:b,privileged']],
    ['builtin,privileged', ['builtin,privileged']],
  ])('may not be %s', (text, expected) => {
    expect(named(text)).toEqual(expected);
  });

  it.each([
    ['Other:plain', []],
    ['Evil:plain', ['Evil:plain']],
    ['Otter:plain', ['Otter:plain']],
    ['EvilOther:plain', ['EvilOther:plain']],
    ['Evil-Other:plain', ['Evil-Other:plain']],
    ['Evil.Other:plain', ['Evil.Other:plain']],
    ['Other:plainer', ['Other:plainer']],
    ['Other:Invoke', ['Other:Invoke']],
    ['Evil\\ Other:plain', ['Evil Other:plain']],
    ['Evil\\ Plug\\ Other:plain', ['Evil Plug Other:plain']],
    ['Escrow\\ Buddy:Invoke,privileged', []],
    [
      'Not\\ Escrow\\ Buddy:Invoke,privileged',
      [`${WRITE} Not Escrow Buddy:Invoke,privileged`, 'Not Escrow Buddy:Invoke,privileged'],
    ],
    ['Escrow\\ Buddy:Evil', ['Escrow Buddy:Evil']],
    ['Other:plain\\ Evil', ['Other:plain Evil']],
  ])('are told from the end of an allowed one without quotes: %s', (text, expected) => {
    expect(named(`${ABOUT}${WRITE} ${text}\n`)).toEqual(expected);
  });

  it.each(['\x00', '\x1f', '"', "'", '`', '>', '=', '<', '(', ')', ';', '&', '|'])('end at %j', (mark) => {
    expect(named(`a${mark}Evil:login,privileged`)).toEqual(['Evil:login,privileged']);
  });

  it('are read 256 characters back', () => {
    const long = (length: number) => `${'p'.repeat(128)}:${'m'.repeat(length - 129)}`;
    const of = (length: number) => {
      const entry = `${long(length)},privileged`;
      return said(`x=\n${entry}`, { allowed: allowedMechanisms([entry], []) });
    };
    expect(of(256)).toEqual([]);
    expect(of(257)).toHaveLength(1);
  });

  it('are told with their last 120 characters, as UTF-8', () => {
    expect(named(`"${'x'.repeat(109)}é:y,privileged"`)).toEqual([`${'x'.repeat(105)}é:y,privileged`]);
  });

  it('are told 50 of, each once', () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => `"Evil:e${at},privileged" "Evil:e${at},privileged"\n`).join('');
    expect(named(many(50))).toHaveLength(50);
    expect(named(many(51))).toHaveLength(50);
  });
});

describe('other entries', () => {
  it.each<[string, string[]]>([
    ['"Evil:login"', ['Evil:login']],
    ['\\"Evil:login\\"', ['Evil:login']],
    ['"Evil Plug:login"', ['Evil Plug:login', 'Plug:login']],
    ['"Evil:login,other"', ['Evil:login']],
    ["'Evil:login',privileged", ['a name put together from parts,privileged', 'Evil:login,privileged']],
    ['<string> Evil Plug : x</string>', []],
    ['<string> Evil Plug:x </string>', ['Evil Plug:x', 'Plug:x']],
    ['<STRING>1vil:x,privileged</STRING>', ['1vil:x,privileged']],
    ['<string>1vil:x,y</string>', ['1vil:x']],
    ['Evil:login', ['Evil:login']],
    ['Evil:lo"gin"', ['Evil:login']],
    ['Evil\\:login', ['Evil:login']],
    ['Evil:login,privileged', ['Evil:login,privileged']],
    ['root:wheel _www:_www nobody:nogroup', []],
    ['root:evil', ['root:evil']],
    ['evil:wheel', ['evil:wheel']],
    ['builtin:x MCXMechanism:login', []],
    ['Other:plain', []],
    ['Escrow Buddy:Invoke,privileged', []],
    ['Escrow Buddy:Invoke', ['Buddy:Invoke']],
    ['"Escrow Buddy:Invoke"', ['Escrow Buddy:Invoke', 'Buddy:Invoke']],
    ['Other:plain Evil:login', ['Evil:login']],
    ['http://example.com:80 /a:b a/b:c $A:b', []],
  ])('are seen in a file about authorization: %s', (text, expected) => {
    expect(named(`${ABOUT}${text}`).sort()).toEqual([...expected].sort());
  });

  it.each(['authorizationdb', 'SecurityAgentPlugins', '/auth.db', 'system.login.x', 'AuthorizationRightSet', 'AuthorizationRightRemove', 'Mechanisms'])(
    'count where %s is mentioned',
    (word) => {
      expect(named(`${word} Evil:login`)).toContain('Evil:login');
    },
  ); // biome-ignore format: a list

  it('mean nothing in any other file, unless they are of a bundle in the package', () => {
    expect(said('"Evil:login" Evil:login')).toEqual([]);
    expect(said('"Escrow Buddy:Other"')).toEqual(['names the mechanism Escrow Buddy:Other']);
    expect(said('second:x')).toEqual(['names the mechanism second:x']);
    expect(said(`"Escrow Buddy:Other"`, { allowed: allowedMechanisms([], []) })).toEqual([]);
  });

  it.each<[string, string[]]>([
    ['case $x in\na:b) c;; esac', []],
    ['x;;\na:b|c:d) e', []],
    ['\ta:b )', []],
    [`a:b${' '.repeat(9)}|`, []],
    ['a:b', ['a:b']],
    ['(a:b)', ['a:b']],
    ['x\n(a:b)', ['a:b']],
    ['x (a:b)', ['a:b']],
    ['a:b x)', ['a:b']],
  ])('are not the patterns of a case: %j', (text, expected) => {
    expect(named(`${ABOUT}${text}`)).toEqual(expected);
  });
});

describe('what nobody can follow', () => {
  const unseen = (text: string) => said(text, { runByInstaller: true });

  it.each(['eval $x', 'a; eval "$x"', 'if true; then eval x; fi', '{ eval x; }', '`eval x`', 'x && eval\tx'])(
    'is a text that is put together: %s',
    (text) => {
      expect(unseen(text)).toEqual([
        'runs a text that it puts together (eval), so that nobody can tell which mechanisms it names',
      ]);
    },
  );

  it.each(['a | sh', 'a |\n /bin/bash -s', 'a | exec zsh;', 'a | sudo sh', 'a|ksh|b', '(a | dash)', 'a | csh', 'a | tcsh'])(
    'is what a shell is handed: %j',
    (text) => {
      expect(unseen(text)).toEqual([
        'runs what another program hands to a shell, so that nobody can tell which mechanisms it names',
      ]);
    },
  ); // biome-ignore format: a list

  it.each(['evaluate x', 'a medieval x', 'a | ssh b', 'a | shasum', 'sh a', '# a "| sh"'.replace(' |', '')])(
    'is not %s',
    (text) => {
      expect(unseen(text)).toEqual([]);
    },
  );

  it.each(['/var/db/auth.db', "/auth''.db", '/auth".db"'])('is the database of rights: %s', (text) => {
    expect(unseen(text)).toEqual(['names the database of rights itself, which only authd changes']);
  });

  it('counts among scripts and in files about authorization alone', () => {
    expect(said('eval x')).toEqual([]);
    expect(said(`${ABOUT}eval x`)).toHaveLength(1);
    expect(said('eval x', { runByInstaller: true })).toHaveLength(1);
  });
});

describe('a file that comes in pieces', () => {
  const pad = (length: number) => `${'#'.repeat(63)}\n`.repeat(Math.ceil(length / 64)).slice(-length);

  it.each(['"Evil:login,privileged"', 'authorizationdb Evil:login', 'authorizationdb <string>Evil Plug:login</string>'])(
    'is searched for %s wherever it is cut',
    (text) => {
      for (let at = 0; at <= text.length; at++) {
        const found = named([pad(3000) + text.slice(0, at), text.slice(at) + pad(3000)]);
        expect(found, String(at)).toContain(named(text)[0]);
      }
    },
  ); // biome-ignore format: a list

  it.each(['authorizationdb write x "Escrow Buddy:Invoke,privileged" Other:plain\n', '"Escrow Buddy:Invoke,privileged" authorizationdb "Other:plain"\n'])(
    'may hold %s wherever it is cut, and wherever the rest of it is read again',
    (text) => {
      for (let at = 0; at <= text.length; at++)
        expect(said([pad(3000) + text.slice(0, at), text.slice(at) + pad(3000)]), String(at)).toEqual([]);
      for (let at = 900; at < 1100; at++) expect(said([ABOUT + pad(3000) + text + pad(at)]), String(at)).toEqual([]);
      for (let at = 0; at < 400; at += 7) expect(said([ABOUT + text + pad(at), 'x']), String(at)).toEqual([]);
    },
  ); // biome-ignore format: a list

  it('is searched behind any number of quotes', () => {
    for (const count of [200, 300, 1000, 2000])
      expect(named([`${ABOUT}${pad(2000)} Evil:login${"'".repeat(count)}`, `\n${pad(2000)}`])).toEqual(['Evil:login']);
  });

  it('does not take the first half of a word for one', () => {
    expect(named([`${ABOUT}${pad(500)}\nEvil:log`, `in\n${pad(2000)}`])).toEqual(['Evil:login']);
  });

  it('counts the characters that it looks at, with 1,024 of the piece before', () => {
    const search = new MechanismSearch(ALLOWED, false);
    const work = (text: string) => {
      const before = search.work;
      search.update(Buffer.from(text));
      return search.work - before;
    };
    // As it stands, and once more for what else it may say.
    expect(work('a'.repeat(2000))).toBe(2 * 2000);
    expect(work('a'.repeat(500))).toBe(2 * 1524);
    expect(work('\0'.repeat(500))).toBe(1524);
    expect(work('a'.repeat(2000))).toBe(2500);
    const before = search.work;
    search.finish();
    expect(search.work - before).toBe(1024);
  });

  it('counts what it reads in another way', () => {
    const search = new MechanismSearch(ALLOWED, false);
    search.update(Buffer.from('a\\\nb'));
    expect(search.work).toBe(4 + 4 + 2);
  });
});

describe('a text that says things in another way', () => {
  const hidden = Buffer.from('authorizationdb Evil:login').toString('base64');

  it('is read in that way', () => {
    expect(named(hidden)).toContain('Evil:login');
    expect(named(`${'x\n'.repeat(300)}${hidden}`)).toContain('Evil:login');
  });

  it('is not, where it is no text', () => {
    expect(said(`\0\0\0${hidden}`)).toEqual([]);
    expect(named(`\0\0${hidden}`)).toContain('Evil:login');
  });
});

describe('a file of more words than are looked at', () => {
  const END = `${'#'.repeat(2000)}\n`;
  const FULL = 'among more than 20000 words that look like one';

  it('is refused with 20,000 privileged ones', () => {
    const many = (count: number, last = '') => named(`${'$x,privileged\n'.repeat(count)}${last}${END}`);
    const evil = '"Evil:login,privileged"\n';
    expect(many(19_999)).toEqual([]);
    expect(many(20_000)).toEqual([FULL]);
    expect(many(19_999, evil)).toEqual(['Evil:login,privileged', FULL]);
    expect(many(20_000, evil)).toEqual(['Evil:login,privileged', FULL].slice(1));
  });

  it('is refused with 20,000 others, if it is about authorization', () => {
    const many = (count: number, last: string) => named(`${'builtin:x\n'.repeat(count)}${last}${END}`);
    expect(many(20_000, '')).toEqual([]);
    expect(many(19_999, ABOUT)).toEqual([]);
    expect(many(20_000, ABOUT)).toEqual([FULL]);
    expect(many(19_999, `${ABOUT}Evil:login `)).toEqual(['Evil:login', FULL]);
    expect(many(20_000, `${ABOUT}Evil:login `)).toEqual([FULL]);
  });
});

describe('allowedMechanisms', () => {
  it('compares names in one form, byte by byte', () => {
    const allowed = allowedMechanisms(['Cafe\u0301:x'], ['Cafe\u0301']);
    expect(said('authorizationdb "Caf\u00e9:x"', { allowed })).not.toContain('names the mechanism Caf\u00e9:x');
    expect(said('"Caf\u00e9:y"', { allowed })).toEqual(['names the mechanism Caf\u00e9:y']);
  });
});
